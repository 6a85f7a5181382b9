#pragma once

#include "mptcp/scheduler/candidates.hpp"

namespace mptcp {

/// One burst after another to the subflows in turn; one without room is passed over.
class RoundRobin {
 public:
  std::optional<Grant> next(std::span<const SubflowView> views, const Demand& demand) {
    const Candidates candidates(views);
    const SubflowView* chosen = nullptr;
    for (const SubflowView& view : views) {
      if (!candidates.has(view) || new_burst_for(view, demand) == 0) continue;
      if (chosen == nullptr || turns_until(view) < turns_until(*chosen)) chosen = &view;
    }
    if (chosen == nullptr) return std::nullopt;
    last_ = chosen->id;
    return grant_new(*chosen, demand);
  }

 private:
  /// Places between the last one served and this one, which itself comes last again.
  std::size_t turns_until(const SubflowView& view) const {
    return (view.id + kMaxSubflows - last_ - 1) % kMaxSubflows;
  }

  std::uint8_t last_ = kMaxSubflows - 1;
};

}  // namespace mptcp
