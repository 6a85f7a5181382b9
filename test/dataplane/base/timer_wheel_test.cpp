#include "dataplane/base/timer_wheel.hpp"

#include <map>
#include <vector>

#include <catch2/catch.hpp>

#include "dataplane/base/rng.hpp"

using namespace dataplane;

namespace {

constexpr Duration kTick{1 << TimerWheel::kDefaultTickShift};

Instant at(Duration since_start) { return Instant(since_start); }

/// Everything that fires by `now`, as a poll loop would collect it over some turns.
std::vector<std::uint32_t> drain(TimerWheel& wheel, Instant now) {
  std::vector<std::uint32_t> fired;
  do {
    while (const auto id = wheel.pop_expired(now))
      fired.push_back(*id);
  } while (wheel.next_deadline() <= now);
  return fired;
}

}  // namespace

TEST_CASE("an empty wheel never expires", "[base][timer_wheel]") {
  TimerWheel wheel(at(5s));
  wheel.resize(4);
  CHECK(wheel.next_deadline() == kNever);
  CHECK_FALSE(wheel.pop_expired(at(std::chrono::hours(100'000))));
  CHECK_FALSE(wheel.armed(3));
}

TEST_CASE("a timer fires not before its deadline and at most one tick after",
          "[base][timer_wheel]") {
  const Duration delay =
      GENERATE(Duration(0), Duration(1), kTick - 1ns, kTick, kTick + 1ns, 63 * kTick, 64 * kTick,
               65 * kTick, 4096 * kTick - 1ns, 4096 * kTick, Duration(1s), Duration(120s),
               Duration(std::chrono::hours(48)), Duration(std::chrono::hours(24 * 365 * 100)));
  const Instant start = at(GENERATE(Duration(0), Duration(12'345'678'901), 64 * 64 * kTick - 1ns));
  TimerWheel wheel(start);
  wheel.resize(1);
  const Instant deadline = start + delay;
  wheel.arm(0, deadline);
  CHECK(wheel.armed(0) == deadline);
  CHECK(wheel.next_deadline() < deadline + kTick);
  if (delay > 0ns) CHECK(drain(wheel, deadline - 1ns).empty());
  CHECK(wheel.next_deadline() < deadline + kTick);
  CHECK(drain(wheel, deadline + kTick - 1ns) == std::vector<std::uint32_t>{0});
  CHECK_FALSE(wheel.armed(0));
  CHECK(wheel.next_deadline() == kNever);
}

TEST_CASE("calling at next_deadline() alone fires every timer within its tick",
          "[base][timer_wheel]") {
  // As the simulator does, which has nothing but this to find out when to go on.
  TimerWheel wheel(at(0s));
  constexpr std::uint32_t kCount = 500;
  wheel.resize(kCount);
  Rng rng(1);
  std::map<std::uint32_t, Instant> expected;
  for (std::uint32_t id = 0; id < kCount; ++id) {
    const Instant deadline = at(Duration(rng.below(1ULL << (10 + rng.below(40)))));
    wheel.arm(id, deadline);
    expected[id] = deadline;
  }
  int calls = 0;
  Instant now = at(0s);
  while (wheel.next_deadline() != kNever) {
    now = std::max(now, wheel.next_deadline());
    REQUIRE(++calls < 10'000);
    while (const auto id = wheel.pop_expired(now)) {
      REQUIRE(expected.at(*id) <= now);
      REQUIRE(now < expected.at(*id) + kTick);
      expected.erase(*id);
    }
  }
  CHECK(expected.empty());
}

TEST_CASE("timers fire in the order of their ticks over a jump of days", "[base][timer_wheel]") {
  TimerWheel wheel(at(1s));
  wheel.resize(5);
  wheel.arm(0, at(std::chrono::hours(30)));
  wheel.arm(1, at(2s));
  wheel.arm(2, at(std::chrono::hours(29)));
  wheel.arm(3, at(1001ms));
  wheel.arm(4, at(std::chrono::hours(2000)));
  CHECK(drain(wheel, at(std::chrono::hours(72))) == std::vector<std::uint32_t>{3, 1, 2, 0});
  CHECK(wheel.armed_count() == 1);
}

TEST_CASE("a re-armed timer fires once, at its last deadline", "[base][timer_wheel]") {
  TimerWheel wheel(at(0s));
  wheel.resize(1);
  wheel.arm(0, at(10ms));
  SECTION("moved to a later time") {
    wheel.arm(0, at(50ms));
    CHECK(drain(wheel, at(49ms)).empty());
    CHECK(drain(wheel, at(51ms)).size() == 1);
  }
  SECTION("moved to an earlier time") {
    wheel.arm(0, at(5ms));
    CHECK(drain(wheel, at(6ms)).size() == 1);
  }
  SECTION("moved to a later time and back") {
    wheel.arm(0, at(50ms));
    wheel.arm(0, at(20ms));
    CHECK(drain(wheel, at(19ms)).empty());
    CHECK(drain(wheel, at(21ms)).size() == 1);
  }
  SECTION("moved while it is due") {
    wheel.resize(2);
    wheel.arm(1, at(10ms));
    CHECK(wheel.pop_expired(at(11ms)) == std::optional<std::uint32_t>(0));
    wheel.arm(1, at(30ms));
    CHECK(drain(wheel, at(29ms)).empty());
    CHECK(drain(wheel, at(31ms)) == std::vector<std::uint32_t>{1});
  }
  SECTION("disarmed") {
    wheel.disarm(0);
    wheel.disarm(0);
    CHECK(wheel.next_deadline() == kNever);
  }
  SECTION("armed for never") {
    wheel.arm(0, kNever);
    CHECK_FALSE(wheel.armed(0));
  }
  CHECK(drain(wheel, at(1s)).empty());
  CHECK(wheel.armed_count() == 0);
}

TEST_CASE("a deadline in the past is due at once", "[base][timer_wheel]") {
  TimerWheel wheel(at(10s));
  wheel.resize(1);
  wheel.arm(0, at(1s));
  CHECK(wheel.next_deadline() <= at(10s));
  CHECK(wheel.pop_expired(at(10s)) == std::optional<std::uint32_t>(0));
}

TEST_CASE("a caller with a limit finds the rest in its next turn", "[base][timer_wheel]") {
  TimerWheel wheel(at(0s));
  wheel.resize(10);
  for (std::uint32_t id = 0; id < 10; ++id)
    wheel.arm(id, at(1ms));
  for (int i = 0; i < 4; ++i)
    CHECK(wheel.pop_expired(at(2ms)));
  CHECK(wheel.next_deadline() <= at(2ms));
  CHECK(drain(wheel, at(2ms)).size() == 6);
}

TEST_CASE("one call moves a bounded number of timers and says that there is more",
          "[base][timer_wheel]") {
  TimerWheel wheel(at(0s));
  constexpr std::uint32_t kCount = 10'000;
  wheel.resize(kCount);
  for (std::uint32_t id = 0; id < kCount; ++id)
    wheel.arm(id, at(1s) + Duration(id * 1000));
  const Instant reached = wheel.next_deadline();
  CHECK_FALSE(wheel.pop_expired(reached));
  CHECK(wheel.next_deadline() <= reached);
  CHECK(drain(wheel, at(2s)).size() == kCount);
}

TEST_CASE("a wheel behaves like a sorted list of deadlines", "[base][timer_wheel]") {
  const std::uint64_t seed = GENERATE(1U, 2U, 3U, 4U);
  Rng rng(seed);
  constexpr std::uint32_t kCount = 64;
  Instant now = at(Duration(rng.below(1ULL << 40)));
  TimerWheel wheel(now);
  wheel.resize(kCount);
  std::map<std::uint32_t, Instant> model;
  for (int step = 0; step < 20'000; ++step) {
    const auto id = static_cast<std::uint32_t>(rng.below(kCount));
    const Duration span(rng.below(1ULL << (8 + rng.below(36))));
    switch (rng.below(4)) {
      case 0:
      case 1:
        wheel.arm(id, now + span);
        model[id] = now + span;
        break;
      case 2:
        wheel.disarm(id);
        model.erase(id);
        break;
      default:
        now += span;
        for (const std::uint32_t fired : drain(wheel, now)) {
          REQUIRE(model.count(fired) == 1);
          REQUIRE(model.at(fired) <= now);
          model.erase(fired);
        }
        for (const auto& [left, deadline] : model)
          REQUIRE(deadline + kTick > now);
    }
    REQUIRE(wheel.armed_count() == model.size());
    for (const auto& [armed, deadline] : model)
      REQUIRE(wheel.next_deadline() < deadline + kTick);
  }
}
