#pragma once

#include "mptcp/scheduler/candidates.hpp"

namespace mptcp {

/// Every octet on every subflow: a subflow goes through the connection's octets at its own pace,
/// and skips what has been acknowledged meanwhile. The delay is that of the best path at each
/// moment, and so is the rate.
class Redundant {
 public:
  std::optional<Grant> next(std::span<const SubflowView> views, const Demand& demand) {
    const Candidates candidates(views);
    const SubflowView* best = candidates.fastest(
        [&](const SubflowView& view) { return grant_for(view, demand).octets != 0; });
    if (best == nullptr) return std::nullopt;
    return grant_for(*best, demand);
  }

 private:
  static Grant grant_for(const SubflowView& view, const Demand& demand) {
    if (view.behind != 0) return {view.id, true, burst_for(view, view.behind, demand)};
    return grant_new(view, demand);
  }
};

}  // namespace mptcp
