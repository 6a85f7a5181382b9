#include "cc/controller.hpp"

#include <catch2/catch.hpp>

#include "test/cc/flow.hpp"

using namespace cc;
using namespace cc::test;

namespace {

Kind generate_kind() {
  return GENERATE(Kind::NewReno, Kind::Cubic, Kind::Lia, Kind::Olia, Kind::Balia, Kind::Dctcp);
}

}  // namespace

TEST_CASE("a controller is found by the name in the configuration", "[cc][controller]") {
  const Kind kind = generate_kind();
  CHECK(kind_named(name_of(kind)) == kind);
  CHECK_FALSE(kind_named("vegas"));
  CHECK_FALSE(kind_named(""));
  const auto made = make_controller(kind, Flow::config());
  CHECK(made.index() == static_cast<std::size_t>(kind));
}

TEST_CASE("the first window is that of RFC 6928", "[cc][controller][rfc6928-2]") {
  const Kind kind = generate_kind();
  const auto first = [&](std::uint32_t mss, std::uint32_t segments) {
    return window(make_controller(kind, {.mss = mss, .initial_window_segments = segments}));
  };
  CHECK(first(1448, 10) == 14'480);
  CHECK(first(536, 10) == 5'360);
  CHECK(first(8'948, 10) == 17'896);  // Two segments: jumbo frames would make ten a burst.
  CHECK(first(1448, 1) == 1448);
  CHECK(ssthresh(make_controller(kind, Flow::config())) == kNoThreshold);
}

TEST_CASE("the first window follows the segment size until something happened",
          "[cc][controller][rfc5681-3.1]") {
  Flow flow(generate_kind());
  set_mss(flow.controller(), 536);
  CHECK(flow.window_octets() == 5'360);
  set_mss(flow.controller(), kMss);
  flow.open_to(100);
  const auto before = flow.window_octets();
  set_mss(flow.controller(), 1'200);
  CHECK(flow.window_octets() == before);
}

TEST_CASE("the window does not grow when it is not the limit", "[cc][controller][rfc9438-5.8]") {
  Flow flow(generate_kind());
  flow.round(false);
  CHECK(flow.segments() == 10);
  flow.open_to(100);
  flow.lose();
  const auto before = flow.window_octets();
  for (int i = 0; i < 50; ++i)
    flow.round(false);
  CHECK(flow.window_octets() == before);
}

TEST_CASE("the window stands still in recovery", "[cc][controller][rfc6675-5]") {
  Flow flow(generate_kind());
  flow.open_to(100);
  flow.lose();
  const auto before = flow.window_octets();
  CHECK(before == ssthresh(flow.controller()));
  flow.round(true, true);
  CHECK(flow.window_octets() == before);
}

TEST_CASE("windows never fall below their floors", "[cc][controller][rfc5681-3.1]") {
  const Kind kind = generate_kind();
  Flow flow(kind);
  for (int i = 0; i < 30; ++i)
    flow.lose();
  CHECK(flow.segments() == 2);
  on_loss(flow.controller(), flow.now(), 0);
  CHECK(flow.segments() == 2);
  flow.time_out();
  CHECK(flow.segments() == 1);
  CHECK(ssthresh(flow.controller()) == 2UL * kMss);
}

TEST_CASE("a reduction starts from what was in flight and not from an unused window",
          "[cc][controller]") {
  Flow flow(generate_kind());
  flow.open_to(640);
  on_loss(flow.controller(), flow.now(), 20UL * kMss);
  CHECK(flow.segments() < 20);
}

TEST_CASE("a reduction does not grow a window that is smaller than the flight",
          "[cc][controller]") {
  Flow flow(generate_kind());
  flow.open_to(100);
  flow.time_out();
  flow.round();
  flow.round();
  const auto before = flow.window_octets();
  on_loss(flow.controller(), flow.now(), 1'000UL * kMss);
  CHECK(flow.window_octets() < before);
}

TEST_CASE("a second timeout of the same segment leaves the threshold",
          "[cc][controller][rfc5681-3.1]") {
  Flow flow(generate_kind());
  flow.open_to(100);
  flow.time_out();
  const auto threshold = ssthresh(flow.controller());
  CHECK(threshold >= 50UL * kMss);
  flow.time_out();
  flow.time_out();
  CHECK(ssthresh(flow.controller()) == threshold);
  flow.ack(kMss);
  flow.time_out();
  CHECK(ssthresh(flow.controller()) == 2UL * kMss);
}

TEST_CASE("undoing a reduction brings the windows back once", "[cc][controller][rfc9438-4.9]") {
  Flow flow(generate_kind());
  flow.open_to(100);
  const auto cwnd = flow.window_octets();
  const auto threshold = ssthresh(flow.controller());
  SECTION("after a loss") { flow.lose(); }
  SECTION("after a timeout") { flow.time_out(); }
  SECTION("after several timeouts in a row") {
    flow.time_out();
    flow.time_out();
  }
  CHECK(flow.window_octets() < cwnd);
  on_undo(flow.controller());
  CHECK(flow.window_octets() == cwnd);
  CHECK(ssthresh(flow.controller()) == threshold);
  flow.lose();
  on_undo(flow.controller());
  flow.lose();
  const auto reduced = flow.window_octets();
  on_undo(flow.controller());
  on_undo(flow.controller());
  CHECK(flow.window_octets() > reduced);
}

TEST_CASE("an undo without a reduction does nothing", "[cc][controller]") {
  Flow flow(generate_kind());
  flow.round();
  const auto cwnd = flow.window_octets();
  on_undo(flow.controller());
  CHECK(flow.window_octets() == cwnd);
}

TEST_CASE("an idle time leaves the window as it is for five minutes, and half of it after them",
          "[cc][controller][rfc7661-4.4]") {
  Flow flow(generate_kind());
  flow.open_to(100);
  flow.lose();
  for (int i = 0; i < 5; ++i)
    flow.round();
  const auto before = flow.segments();
  flow.wait(150ms);
  on_idle(flow.controller(), flow.now(), 150ms, 200ms);
  CHECK(flow.segments() == before);
  flow.wait(5s);
  on_idle(flow.controller(), flow.now(), 5s, 200ms);
  CHECK(flow.segments() == before);
  flow.wait(301s);
  on_idle(flow.controller(), flow.now(), 301s, 200ms);
  CHECK(flow.segments() == before / 2);
  CHECK(ssthresh(flow.controller()) >= before * kMss / 4 * 3 - 3);
  // Slow start then finds most of it again.
  for (int i = 0; i < 4; ++i)
    flow.round();
  CHECK(flow.segments() >= before * 3 / 4);
}

TEST_CASE("an idle time does not open a small window", "[cc][controller][rfc5681-4.1]") {
  Flow flow(generate_kind());
  flow.open_to(20);
  flow.time_out();
  flow.wait(5s);
  on_idle(flow.controller(), flow.now(), 5s, 1s);
  CHECK(flow.segments() == 1);
}
