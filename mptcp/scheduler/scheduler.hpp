#pragma once

#include <concepts>
#include <optional>
#include <span>
#include <variant>

#include "mptcp/scheduler/blest.hpp"
#include "mptcp/scheduler/ecf.hpp"
#include "mptcp/scheduler/kind.hpp"
#include "mptcp/scheduler/min_rtt.hpp"
#include "mptcp/scheduler/redundant.hpp"
#include "mptcp/scheduler/round_robin.hpp"

namespace mptcp {

/// A scheduler is a plain value that says which subflow gets how many octets. Nothing means: wait
/// for an ACK, a timeout, more octets or more window, and ask again. What is sent a second time
/// because it seems lost is not its question.
template <class S>
concept Scheduler = std::copyable<S> && std::default_initializable<S> &&
    requires(S s, std::span<const SubflowView> views, const Demand& demand) {
  { s.next(views, demand) } -> std::same_as<std::optional<Grant>>;
};

/// In the order of SchedulerKind.
using AnyScheduler = std::variant<MinRtt, RoundRobin, Redundant, Blest, Ecf>;
static_assert(Scheduler<MinRtt> && Scheduler<RoundRobin> && Scheduler<Redundant> &&
              Scheduler<Blest> && Scheduler<Ecf>);
static_assert(std::variant_size_v<AnyScheduler> == kSchedulerKindCount);

AnyScheduler make_scheduler(SchedulerKind kind);

/// The next grant; ask until there is none, with `views` and `demand` renewed after each.
inline std::optional<Grant> next_grant(AnyScheduler& any, std::span<const SubflowView> views,
                                       const Demand& demand) {
  return std::visit([&](Scheduler auto& scheduler) { return scheduler.next(views, demand); }, any);
}

}  // namespace mptcp
