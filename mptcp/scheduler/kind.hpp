#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace mptcp {

/// Which scheduler. A new one is a file, a line here, a line in scheduler.hpp and one in
/// scheduler.cpp.
enum class SchedulerKind : std::uint8_t { MinRtt, RoundRobin, Redundant, Blest, Ecf };
inline constexpr std::size_t kSchedulerKindCount = 5;

/// As in a configuration file: "min-rtt", "round-robin", "redundant", "blest", "ecf".
std::string_view name_of(SchedulerKind kind);
std::optional<SchedulerKind> scheduler_named(std::string_view name);

}  // namespace mptcp
