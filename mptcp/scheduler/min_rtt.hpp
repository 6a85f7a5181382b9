#pragma once

#include "mptcp/scheduler/candidates.hpp"

namespace mptcp {

/// The subflow with the smallest round trip time among those that have room: fills the fast ones
/// first, and all of them when there is enough to send.
class MinRtt {
 public:
  std::optional<Grant> next(std::span<const SubflowView> views, const Demand& demand) {
    const SubflowView* best = fastest_with_room(Candidates(views), demand);
    if (best == nullptr) return std::nullopt;
    return grant_new(*best, demand);
  }
};

}  // namespace mptcp
