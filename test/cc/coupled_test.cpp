#include "cc/coupled.hpp"

#include <vector>

#include <catch2/catch.hpp>

#include "dataplane/base/rng.hpp"
#include "test/cc/flow.hpp"

using namespace cc;
using namespace cc::test;

namespace {

Kind generate_coupled() { return GENERATE(Kind::Lia, Kind::Olia, Kind::Balia); }

/// The subflows of one connection, each on a path of its own.
class Subflows {
 public:
  Subflows(Kind kind, const std::vector<Duration>& rtts) {
    for (const Duration rtt : rtts)
      flows_.emplace_back(kind, rtt);
  }
  Flow& operator[](std::size_t i) { return flows_[i]; }
  void couple_all() {
    std::vector<Sibling> siblings;
    for (Flow& flow : flows_)
      siblings.push_back(sibling(flow.controller()).value());
    for (std::size_t i = 0; i < flows_.size(); ++i)
      on_coupling(flows_[i].controller(), couple(siblings, i));
  }

 private:
  std::vector<Flow> flows_;
};

/// Ends slow start with a window of so many segments.
void settle(Flow& flow, std::uint64_t segments) {
  flow.open_to(2 * segments);
  on_loss(flow.controller(), flow.now(), 2 * segments * kMss);
  REQUIRE(flow.segments() == segments);
}

/// Octets by which one full window of ACKs grows the window.
double growth_of(Flow& flow) {
  const double before = sibling(flow.controller())->cwnd;
  flow.round();
  return sibling(flow.controller())->cwnd - before;
}

double window_after_loss(Flow& flow, std::uint64_t segments) {
  on_loss(flow.controller(), flow.now(), segments * kMss);
  return static_cast<double>(flow.window_octets());
}

}  // namespace

TEST_CASE("what siblings tell each other is summed up", "[cc][coupled]") {
  const std::vector<Sibling> siblings{{1000, 0.1, 0}, {3000, 0.2, 0}, {9999, 0, 0}};
  const Coupling all = couple(siblings, 0);
  CHECK(all.paths == 2);
  CHECK(all.total == Approx(4000));
  CHECK(all.rate == Approx(10'000 + 15'000));
  CHECK(all.best_rate == Approx(15'000));
  CHECK(all.best_quality == Approx(100'000));
}

TEST_CASE("a controller that heeds no siblings tells them nothing", "[cc][coupled]") {
  for (const Kind kind : {Kind::NewReno, Kind::Cubic, Kind::Bbr})
    CHECK_FALSE(sibling(Flow(kind).controller()));
}

TEST_CASE("a coupled controller that is alone is NewReno", "[cc][coupled][rfc6356-3]") {
  Flow flow(generate_coupled());
  Flow reno(Kind::NewReno);
  for (Flow* each : {&flow, &reno}) {
    each->open_to(100);
    each->lose();
    for (int i = 0; i < 50; ++i)
      each->round();
  }
  CHECK(static_cast<double>(flow.window_octets()) ==
        Approx(static_cast<double>(reno.window_octets())).epsilon(0.02));
}

TEST_CASE("two equal subflows grow together by half of what one TCP would",
          "[cc][coupled][rfc6356-3]") {
  Subflows subflows(generate_coupled(), {100ms, 100ms});
  settle(subflows[0], 40);
  settle(subflows[1], 40);
  subflows.couple_all();
  CHECK(growth_of(subflows[0]) == Approx(kMss / 4.0).epsilon(0.02));
  CHECK(window_after_loss(subflows[1], 40) == Approx(20 * kMss).epsilon(0.01));
}

TEST_CASE("slow start is not coupled", "[cc][coupled][rfc6356-3]") {
  Subflows subflows(generate_coupled(), {100ms, 100ms});
  settle(subflows[0], 40);
  subflows[1].round();
  subflows.couple_all();
  const auto before = subflows[1].segments();
  subflows[1].round();
  CHECK(subflows[1].segments() == 2 * before);
}

TEST_CASE("LIA grows by the alpha of RFC 6356", "[cc][coupled][rfc6356-3]") {
  // 40 segments in 100 ms and 10 in 50 ms: the sum of cwnd / rtt is 600 segments a second and
  // the best cwnd / rtt^2 is 4000, so that each segment gives 4000 / 600^2 = 1 / 90.
  Subflows subflows(Kind::Lia, {100ms, 50ms});
  settle(subflows[0], 40);
  settle(subflows[1], 10);
  subflows.couple_all();
  CHECK(growth_of(subflows[0]) == Approx(40.0 / 90 * kMss).epsilon(0.01));
  CHECK(growth_of(subflows[1]) == Approx(10.0 / 90 * kMss).epsilon(0.01));
}

TEST_CASE("no subflow of LIA is faster than a TCP of its own", "[cc][coupled][rfc6356-3]") {
  // The other path is so short that the best quality is far above this one's.
  Subflows subflows(Kind::Lia, {1s, 1ms});
  settle(subflows[0], 1'000);
  settle(subflows[1], 4);
  subflows.couple_all();
  CHECK(growth_of(subflows[0]) < 1.01 * kMss);
}

TEST_CASE("OLIA moves the growth of the largest window to the best path", "[cc][coupled]") {
  const Sibling best{10'000, 0.1, 9'000'000};
  const Sibling largest{40'000, 0.1, 100'000};
  const Sibling other{20'000, 0.1, 100'000};
  const std::vector<Sibling> siblings{best, largest, other};
  CHECK(couple(siblings, 0).olia_alpha == Approx(1.0 / 3));
  CHECK(couple(siblings, 1).olia_alpha == Approx(-1.0 / 3));
  CHECK(couple(siblings, 2).olia_alpha == 0);
  const std::vector<Sibling> content{largest, best};
  const std::vector<Sibling> agreed{{40'000, 0.1, 9'000'000}, other};
  CHECK(couple(content, 0).olia_alpha == Approx(-0.5));
  CHECK(couple(agreed, 0).olia_alpha == 0);
}

TEST_CASE("a slow subflow of BALIA grows less carefully and gives up more", "[cc][coupled]") {
  // 40 segments a 100 ms against 20: alpha is 2 for the slower one.
  Subflows subflows(Kind::Balia, {100ms, 100ms});
  settle(subflows[0], 40);
  settle(subflows[1], 20);
  subflows.couple_all();
  const double share = 20.0 * 20 / (60.0 * 60);
  CHECK(growth_of(subflows[1]) == Approx(share * 1.5 * 1.2 * kMss).epsilon(0.02));
  CHECK(window_after_loss(subflows[1], 20) == Approx(20 * kMss * 0.25).epsilon(0.03));
}

namespace {

/// The mean windows, in segments, of subflows on paths that lose at random.
class LossyPaths {
 public:
  LossyPaths(Kind kind, const std::vector<double>& losses)
      : subflows_(kind, std::vector<Duration>(losses.size(), 100ms)),
        losses_(losses),
        sums_(losses.size()) {}

  std::vector<double> means() {
    for (std::size_t i = 0; i < losses_.size(); ++i)
      settle(subflows_[i], 20);
    constexpr int kRounds = 4'000;
    for (int round = 0; round < kRounds; ++round) {
      for (std::size_t i = 0; i < losses_.size(); ++i)
        play(i);
      if (losses_.size() > 1) subflows_.couple_all();
    }
    for (double& sum : sums_)
      sum /= kRounds;
    return sums_;
  }

 private:
  void play(std::size_t i) {
    Flow& flow = subflows_[i];
    std::uint64_t lost = 0;
    for (std::uint64_t n = 0; n < flow.segments(); ++n)
      lost += rng_.below(1'000'000) < static_cast<std::uint64_t>(losses_[i] * 1e6) ? 1U : 0U;
    sums_[i] += static_cast<double>(flow.segments());
    flow.round(true, false, lost);
    if (lost != 0) flow.lose();
  }

  Subflows subflows_;
  std::vector<double> losses_;
  std::vector<double> sums_;
  dataplane::Rng rng_{7};
};

}  // namespace

TEST_CASE("coupled subflows leave the path that loses more", "[cc][coupled][rfc6356-2]") {
  const Kind kind = generate_coupled();
  const double alone_on_good = LossyPaths(Kind::Lia, {0.0005}).means()[0];
  const double alone_on_bad = LossyPaths(Kind::Lia, {0.02}).means()[0];
  const auto together = LossyPaths(kind, {0.0005, 0.02}).means();
  // Not less than a TCP on the better path, give or take, and less than one on the worse.
  CHECK(together[0] + together[1] > 0.75 * alone_on_good);
  CHECK(together[1] < 0.85 * alone_on_bad);
}

TEST_CASE("two coupled subflows on equal paths take about what one TCP takes",
          "[cc][coupled][rfc6356-2]") {
  const Kind kind = generate_coupled();
  const double alone = LossyPaths(Kind::Lia, {0.002}).means()[0];
  const auto together = LossyPaths(kind, {0.002, 0.002}).means();
  CHECK(together[0] + together[1] < 1.35 * alone);
  CHECK(together[0] + together[1] > 0.75 * alone);
}
