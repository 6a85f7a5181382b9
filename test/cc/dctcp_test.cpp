#include "cc/dctcp.hpp"

#include <algorithm>

#include <catch2/catch.hpp>

#include "test/cc/path.hpp"

using namespace cc;
using namespace cc::test;

namespace {

constexpr std::uint32_t kMss = 1'448;

/// ACKs of whole rounds, a share of which is marked.
struct Rounds {
  Dctcp dctcp{ControllerConfig{.mss = kMss}};
  std::uint64_t total = 0;

  /// One round trip of `segments`, of which the first `marked` are.
  void round(std::uint32_t segments, std::uint32_t marked) {
    const std::uint64_t flight = std::uint64_t{segments} * kMss;
    for (std::uint32_t i = 0; i < segments; ++i) {
      total += kMss;
      AckSample ack{.now = {}, .delivered = kMss, .marked = i < marked ? kMss : 0};
      ack.rate = {.total = total, .prior = total - std::min(total, flight), .has_data = true};
      dctcp.on_ack(ack);
    }
  }
};

double alpha_of(Path& path) { return std::get<Dctcp>(path.controller()).alpha(); }

}  // namespace

TEST_CASE("DCTCP's alpha begins at one and approaches the share of marks",
          "[cc][dctcp][rfc8257-3.3]") {
  Rounds flow;
  CHECK(flow.dctcp.alpha() == 1);
  flow.round(1, 0);  // The first ACK ends the first window.
  CHECK(flow.dctcp.alpha() == Approx(15.0 / 16));
  double expected = 15.0 / 16;
  for (int i = 0; i < 10; ++i) {
    const double before = flow.dctcp.alpha();
    flow.round(16, 4);
    // Renewed by the first ACK of the round, from what the round before had.
    if (i > 0) CHECK(flow.dctcp.alpha() < before);
    expected = flow.dctcp.alpha();
  }
  for (int i = 0; i < 200; ++i)
    flow.round(16, 4);
  CHECK(flow.dctcp.alpha() < expected);
  CHECK(flow.dctcp.alpha() == Approx(0.25).epsilon(0.01));
}

TEST_CASE("a mark takes half of alpha of the window", "[cc][dctcp][rfc8257-3.3]") {
  Rounds flow;
  for (int i = 0; i < 300; ++i)
    flow.round(20, 4);
  const double alpha = flow.dctcp.alpha();
  const auto before = static_cast<double>(flow.dctcp.window());
  flow.dctcp.on_ecn({}, 0);
  CHECK(static_cast<double>(flow.dctcp.window()) == Approx(before * (1 - alpha / 2)).margin(1));
  CHECK(flow.dctcp.ssthresh() == flow.dctcp.window());
}

TEST_CASE("to a loss DCTCP is Reno", "[cc][dctcp][rfc8257-3.5]") {
  Rounds flow;
  for (int i = 0; i < 300; ++i)
    flow.round(20, 0);
  const auto before = flow.dctcp.window();
  flow.dctcp.on_loss({}, before);
  CHECK(flow.dctcp.window() == before / 2);
}

TEST_CASE("DCTCP keeps a queue at the threshold and the link busy", "[cc][dctcp][rfc8257-4.1]") {
  // 1 Gbit/s and 200 us: a product of 25,000 octets; marks beyond 20 segments.
  Path path(Kind::Dctcp, {.rate = 125'000'000,
                          .round_trip = 200us,
                          .buffer = 1'000'000,
                          .loss = 0,
                          .mark = 20 * 1'448});
  path.run(50ms);
  path.take_longest_wait();
  CHECK(path.utilisation(200ms) > 0.98);
  // The longest queue is the threshold and what two windows of growth add, 0.3 ms.
  CHECK(path.take_longest_wait() < 350us);
  CHECK(path.lost() == 0);
  CHECK(alpha_of(path) < 0.6);
  CHECK(alpha_of(path) > 0.01);
}

TEST_CASE("without marks DCTCP fills the queue and loses, like Reno", "[cc][dctcp][rfc8257-3.5]") {
  Path path(Kind::Dctcp, {.rate = 12'500'000, .round_trip = 20ms, .buffer = 250'000});
  CHECK(path.utilisation(30s) > 0.88);
  CHECK(path.lost() > 0);
  CHECK(path.take_longest_wait() > 10ms);
}
