#include "cc/bbr.hpp"

#include <set>

#include <catch2/catch.hpp>

#include "test/cc/path.hpp"

using namespace cc;
using namespace cc::test;

namespace {

const Bbr& bbr_of(Path& path) { return std::get<Bbr>(path.controller()); }

double bdp(const PathConfig& config) {
  return config.rate * std::chrono::duration<double>(config.round_trip).count();
}

/// Paths of 1 Mbit/s to 1 Gbit/s and 1 ms to 100 ms.
PathConfig generate_path() {
  PathConfig config;
  config.rate = GENERATE(125'000.0, 2'500'000.0, 25'000'000.0);
  config.round_trip = GENERATE(Duration(2ms), Duration(20ms), Duration(100ms));
  config.buffer = std::max(2 * bdp(config), 60'000.0);
  return config;
}

}  // namespace

TEST_CASE("BBR finds the bandwidth and the round trip time of a path", "[cc][bbr]") {
  Path path(Kind::Bbr, generate_path());
  path.run(6s);
  CHECK(bbr_of(path).bandwidth() == Approx(path.config().rate).epsilon(0.05));
  const double segment_time = Path::kSegment / path.config().rate;
  const double least = std::chrono::duration<double>(path.config().round_trip).count();
  const double seen = std::chrono::duration<double>(bbr_of(path).min_rtt()).count();
  CHECK(seen >= least);
  CHECK(seen <= least * 1.05 + 4 * segment_time);
  CHECK(path.utilisation(10s) > 0.9);
}

TEST_CASE("BBR fills a path in a number of rounds that grows with its logarithm", "[cc][bbr]") {
  PathConfig config;
  config.rate = 125'000'000;
  config.round_trip = 100ms;
  config.buffer = 2 * bdp(config);
  Path path(Kind::Bbr, config);
  // 12.5 MB from ten segments: ten doublings, some rounds to be sure, one to drain.
  path.run(2500ms);
  CHECK(bbr_of(path).state() != Bbr::State::Startup);
  CHECK(bbr_of(path).bandwidth() == Approx(config.rate).epsilon(0.05));
}

TEST_CASE("BBR keeps the queue short whatever the buffer", "[cc][bbr]") {
  PathConfig config;
  config.buffer = 20 * bdp(config);
  Path path(Kind::Bbr, config);
  path.run(3s);
  path.take_longest_wait();
  Duration cruising{};
  path.run(10s, [&] {
    const Duration wait = path.take_longest_wait();
    if (bbr_of(path).state() == Bbr::State::Cruise) cruising = std::max(cruising, wait);
  });
  CHECK(cruising < config.round_trip);
  CHECK(path.lost() == 0);
}

TEST_CASE("chance losses do not slow BBR down as they do CUBIC", "[cc][bbr]") {
  PathConfig config;
  config.buffer = bdp(config);
  config.loss = GENERATE(0.0001, 0.001, 0.01);
  Path path(Kind::Bbr, config);
  Path cubic(Kind::Cubic, config);
  path.run(2s);
  cubic.run(2s);
  const double used = path.utilisation(20s);
  CHECK(used > (config.loss < 0.01 ? 0.85 : 0.7));
  if (config.loss >= 0.001) CHECK(used > 1.5 * cubic.utilisation(20s));
}

TEST_CASE("BBR loses little where the buffer is small", "[cc][bbr]") {
  PathConfig config;
  config.buffer = bdp(config) / 10;
  Path path(Kind::Bbr, config);
  path.run(3s);
  const std::uint64_t lost = path.lost();
  const std::uint64_t sent = path.sent();
  CHECK(path.utilisation(20s) > 0.8);
  CHECK(static_cast<double>(path.lost() - lost) < 0.02 * static_cast<double>(path.sent() - sent));
}

TEST_CASE("BBR follows a path whose rate changes", "[cc][bbr]") {
  PathConfig config;
  config.buffer = 2 * bdp(config);
  Path path(Kind::Bbr, config);
  path.run(5s);
  SECTION("down") { path.config().rate /= 4; }
  SECTION("up") { path.config().rate *= 4; }
  path.run(12s);
  CHECK(bbr_of(path).bandwidth() == Approx(path.config().rate).epsilon(0.1));
  CHECK(path.utilisation(8s) > 0.85);
}

TEST_CASE("BBR looks for a shorter round trip time every five seconds and no longer than needed",
          "[cc][bbr]") {
  Path path(Kind::Bbr, {});
  path.run(3s);
  int visits = 0;
  bool inside = false;
  Instant entered{};
  Duration longest{};
  path.run(30s, [&] {
    const bool probing = bbr_of(path).state() == Bbr::State::ProbeRtt;
    if (probing && !inside) {
      ++visits;
      entered = path.now();
    }
    if (!probing && inside) longest = std::max(longest, path.now() - entered);
    inside = probing;
  });
  CHECK(visits >= 5);
  CHECK(visits <= 6);
  CHECK(longest < 300ms);
}

TEST_CASE("BBR learns that the round trip became longer", "[cc][bbr]") {
  PathConfig config;
  config.buffer = 10 * bdp(config);
  Path path(Kind::Bbr, config);
  path.run(4s);
  path.config().round_trip *= 3;
  path.run(20s);
  CHECK(bbr_of(path).min_rtt() >= path.config().round_trip);
  CHECK(path.utilisation(10s) > 0.9);
}

TEST_CASE("BBR goes through all phases of its cycle in their order", "[cc][bbr]") {
  using State = Bbr::State;
  Path path(Kind::Bbr, {});
  State last = State::Startup;
  std::set<std::pair<State, State>> steps;
  path.run(20s, [&] {
    const State state = bbr_of(path).state();
    if (state != last) steps.insert({last, state});
    last = state;
  });
  CHECK(steps.count({State::Startup, State::Drain}) == 1);
  CHECK(steps.count({State::Cruise, State::Refill}) == 1);
  CHECK(steps.count({State::Refill, State::Up}) == 1);
  CHECK(steps.count({State::Up, State::Down}) == 1);
  for (const auto& [from, to] : steps) {
    if (to == State::Up) CHECK(from == State::Refill);
    if (to == State::Drain) CHECK(from == State::Startup);
    CHECK(to != State::Startup);
  }
}

TEST_CASE("after a timeout BBR sends one segment, and as before when all is repaired",
          "[cc][bbr]") {
  Path path(Kind::Bbr, {});
  path.run(3s);
  const std::uint64_t before = window(path.controller());
  path.time_out();
  CHECK(window(path.controller()) == Path::kSegment);
  path.run(200ms);
  CHECK(window(path.controller()) > before / 2);
}

TEST_CASE("an undo gives BBR its window and its bounds back", "[cc][bbr]") {
  Path path(Kind::Bbr, {});
  path.run(3s);
  const std::uint64_t before = window(path.controller());
  on_timeout(path.controller(), path.now(), path.in_flight());
  on_undo(path.controller());
  CHECK(window(path.controller()) >= before);
}

TEST_CASE("two BBR senders with different seeds do not probe at the same times", "[cc][bbr]") {
  const auto waits = [](std::uint32_t seed) {
    Bbr bbr({.mss = Path::kSegment, .now = Instant(1s), .seed = seed});
    AckSample ack{.now = Instant(2s), .delivered = 1, .rtt = 10ms, .srtt = 10ms};
    std::vector<Instant> refills;
    Bbr::State last = bbr.state();
    for (int i = 0; i < 3'000; ++i) {
      ack.now += 10ms;
      ack.delivered = 100'000;
      ack.pipe = 50'000;
      ack.rate = {.total = ack.rate.total + 100'000,
                  .prior = ack.rate.total,
                  .interval = 10ms,
                  .in_flight = 100'000,
                  .has_data = true};
      bbr.on_ack(ack);
      if (bbr.state() != last && bbr.state() == Bbr::State::Refill) refills.push_back(ack.now);
      last = bbr.state();
    }
    return refills;
  };
  CHECK(waits(1) == waits(1));
  CHECK(waits(1) != waits(2));
  CHECK(waits(1).size() >= 3);
}
