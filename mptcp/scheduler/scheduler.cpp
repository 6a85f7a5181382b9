#include "mptcp/scheduler/scheduler.hpp"

namespace mptcp {

AnyScheduler make_scheduler(SchedulerKind kind) {
  switch (kind) {
    case SchedulerKind::MinRtt:
      return MinRtt{};
    case SchedulerKind::RoundRobin:
      return RoundRobin{};
    case SchedulerKind::Redundant:
      return Redundant{};
    case SchedulerKind::Blest:
      return Blest{};
    case SchedulerKind::Ecf:
      return Ecf{};
  }
  return MinRtt{};
}

}  // namespace mptcp
