#include "mptcp/scheduler/kind.hpp"

namespace mptcp {

std::string_view name_of(SchedulerKind kind) {
  switch (kind) {
    case SchedulerKind::MinRtt:
      return "min-rtt";
    case SchedulerKind::RoundRobin:
      return "round-robin";
    case SchedulerKind::Redundant:
      return "redundant";
    case SchedulerKind::Blest:
      return "blest";
    case SchedulerKind::Ecf:
      return "ecf";
  }
  return "unknown";
}

std::optional<SchedulerKind> scheduler_named(std::string_view name) {
  for (std::size_t i = 0; i < kSchedulerKindCount; ++i) {
    const auto kind = static_cast<SchedulerKind>(i);
    if (name_of(kind) == name) return kind;
  }
  return std::nullopt;
}

}  // namespace mptcp
