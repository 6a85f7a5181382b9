#pragma once

#include <chrono>
#include <cstdint>

namespace dataplane {

/// The engines' clock. It has no now(): time is always an argument.
struct EngineClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<EngineClock>;
  // NOLINTNEXTLINE(readability-identifier-naming): the standard's name.
  static constexpr bool is_steady = true;
};

using Duration = EngineClock::duration;
/// Nanoseconds since an arbitrary start. Time never goes backwards between two calls into an
/// engine.
using Instant = EngineClock::time_point;

/// Later than every instant that occurs: "no deadline" where an optional would cost.
inline constexpr Instant kNever = Instant::max();

using namespace std::chrono_literals;

}  // namespace dataplane
