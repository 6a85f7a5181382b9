#include "cc/cubic.hpp"

#include <cmath>

#include <catch2/catch.hpp>

#include "test/cc/flow.hpp"

using namespace cc;
using namespace cc::test;

namespace {

/// A flow that has lost at `plateau` segments or a little more, and is out of recovery.
Flow reduced_flow(std::uint64_t plateau, Duration rtt = 100ms) {
  Flow flow(Kind::Cubic, rtt);
  flow.open_to(plateau);
  flow.lose();
  flow.round(true, true);
  return flow;
}

}  // namespace

TEST_CASE("a loss leaves seven tenths of the window", "[cc][cubic][rfc9438-4.6]") {
  Flow flow(Kind::Cubic);
  flow.open_to(640);
  flow.lose();
  CHECK(flow.segments() == 448);
}

TEST_CASE("the window is back at its plateau after K seconds, and slow around it",
          "[cc][cubic][rfc9438-4.2]") {
  Flow flow = reduced_flow(1280);
  const double k = std::cbrt(1280 * 0.3 / 0.4);
  const Instant epoch = flow.now();
  const auto elapsed = [&] { return std::chrono::duration<double>(flow.now() - epoch).count(); };
  double steepest_early = 0;
  double flattest = 1e9;
  while (elapsed() < 2 * k) {
    const auto before = static_cast<double>(flow.window_octets()) / kMss;
    flow.round();
    const double grown = static_cast<double>(flow.window_octets()) / kMss - before;
    if (elapsed() < 1) steepest_early = std::max(steepest_early, grown);
    flattest = std::min(flattest, grown);
    // The RFC's equation, one round trip ahead at most.
    const double now = 0.4 * std::pow(elapsed() - k, 3) + 1280;
    const double ahead = 0.4 * std::pow(elapsed() + 0.1 - k, 3) + 1280;
    REQUIRE(before + grown >= now - 0.02 * now);
    REQUIRE(before + grown <= ahead + 1);
  }
  CHECK(steepest_early > 5);
  CHECK(flattest < 0.1);
  CHECK(flow.segments() > 1600);  // Convex, in search of room.
}

TEST_CASE("who loses below the last plateau lowers it further", "[cc][cubic][rfc9438-4.7]") {
  Flow flow = reduced_flow(1280);
  for (int i = 0; i < 5; ++i)
    flow.round();
  const auto second = static_cast<double>(flow.segments());
  REQUIRE(second < 1280);
  flow.lose();
  flow.round(true, true);
  // The next plateau lies at 0.85 of where it lost, so growth stays small there.
  const double plateau = second * 0.85;
  const double k = std::cbrt((plateau - second * 0.7) / 0.4);
  for (double t = 0; t < k; t += 0.1)
    flow.round();
  CHECK(static_cast<double>(flow.segments()) == Approx(plateau).epsilon(0.02));
}

TEST_CASE("on a short path it grows at least as Reno does", "[cc][cubic][rfc9438-4.3]") {
  // With 5 ms and 40 segments the cubic curve would need seconds to move at all.
  Flow cubic(Kind::Cubic, 5ms);
  Flow reno(Kind::NewReno, 5ms);
  double cubic_sum = 0;
  double reno_sum = 0;
  for (auto [flow, sum] : {std::pair{&cubic, &cubic_sum}, std::pair{&reno, &reno_sum}}) {
    flow->open_to(40);
    for (int round = 0; round < 2000; ++round) {
      if (flow->segments() >= 40) {
        flow->lose();
        flow->round(true, true);
      }
      flow->round();
      *sum += static_cast<double>(flow->segments());
    }
  }
  CHECK(cubic_sum >= 0.95 * reno_sum);
  // And above the plateau, segment for segment.
  Flow beyond = reduced_flow(40, 5ms);
  beyond.open_to(45);
  const auto before = beyond.window_octets();
  for (int i = 0; i < 10; ++i)
    beyond.round();
  CHECK(beyond.window_octets() - before >= 9UL * kMss);
}

TEST_CASE("the window grows by at most half in a round trip", "[cc][cubic][rfc9438-4.2]") {
  Flow flow = reduced_flow(100);
  flow.round();
  flow.wait(1000s);  // An ACK that comes so late finds the curve far above.
  const auto before = static_cast<double>(flow.window_octets());
  flow.round();
  CHECK(static_cast<double>(flow.window_octets()) <= 1.66 * before);
}

TEST_CASE("the curve's time stands still while the application is the limit",
          "[cc][cubic][rfc9438-5.8]") {
  Flow paused = reduced_flow(640);
  Flow steady = paused;
  for (int i = 0; i < 20; ++i)
    paused.round(), steady.round();
  SECTION("while it sends a little") {
    for (int i = 0; i < 100; ++i)
      paused.round(false);
  }
  SECTION("while it sends nothing, for less than the RTO") {
    paused.wait(10s);
    on_idle(paused.controller(), paused.now(), 10s, 11s);
  }
  CHECK(paused.window_octets() == steady.window_octets());
  for (int i = 0; i < 20; ++i) {
    paused.round();
    steady.round();
    CHECK(std::abs(static_cast<double>(paused.window_octets()) -
                   static_cast<double>(steady.window_octets())) < 2.0 * kMss);
  }
}

TEST_CASE("after a timeout the plateau is where congestion avoidance begins",
          "[cc][cubic][rfc9438-4.8]") {
  Flow flow(Kind::Cubic);
  flow.open_to(640);
  flow.time_out();
  CHECK(flow.segments() == 1);
  CHECK(ssthresh(flow.controller()) == 448UL * kMss);
  while (flow.segments() < 448)
    flow.round();
  const Instant epoch = flow.now();
  // K = 0: convex from here on, flat at first, although the window had been larger once.
  for (int i = 0; i < 10; ++i)
    flow.round();
  CHECK(flow.segments() < 448 + 11);
  while (flow.now() < epoch + 5s)
    flow.round();
  CHECK(static_cast<double>(flow.segments()) == Approx(448 + 0.4 * 125).epsilon(0.05));
}

TEST_CASE("an undone loss leaves the curve as it was", "[cc][cubic][rfc9438-4.9]") {
  Flow disturbed = reduced_flow(640);
  for (int i = 0; i < 20; ++i)
    disturbed.round();
  Flow steady = disturbed;
  SECTION("by duplicate ACKs") { disturbed.lose(); }
  SECTION("by a timeout") { disturbed.time_out(); }
  on_undo(disturbed.controller());
  for (int i = 0; i < 100; ++i)
    disturbed.round(), steady.round();
  CHECK(disturbed.window_octets() == steady.window_octets());
}

TEST_CASE("the plateau survives a change of the segment size", "[cc][cubic]") {
  Flow flow = reduced_flow(640);
  set_mss(flow.controller(), kMss / 2);
  for (int i = 0; i < 300; ++i)
    flow.round();
  CHECK(flow.segments() > 640);
}
