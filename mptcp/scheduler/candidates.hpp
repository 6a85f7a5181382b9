#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>

#include "mptcp/scheduler/subflow_view.hpp"

namespace mptcp {

/// The subflows that may carry data now: those of the best class that is there at all, whether they
/// have room or not. A backup carries data only when no regular subflow can (RFC 8684 §3.3.8), and
/// a stale one, from which nothing may ever come back, when there is nothing else.
class Candidates {
 public:
  explicit Candidates(std::span<const SubflowView> views) : views_(views) {
    for (const SubflowView& view : views)
      class_ = std::min(class_, class_of(view));
  }

  bool has(const SubflowView& view) const { return class_of(view) == class_; }

  /// The one with the smallest round trip time for which `fits` holds; of equals the first.
  template <class Fits>
  const SubflowView* fastest(Fits fits) const {
    const SubflowView* best = nullptr;
    for (const SubflowView& view : views_) {
      if (!has(view) || !fits(view)) continue;
      if (best == nullptr || view.srtt < best->srtt) best = &view;
    }
    return best;
  }
  const SubflowView* fastest() const {
    return fastest([](const SubflowView&) { return true; });
  }

 private:
  static unsigned class_of(const SubflowView& view) {
    return (view.stale ? 2U : 0U) + (view.backup ? 1U : 0U);
  }

  std::span<const SubflowView> views_;
  unsigned class_ = 3;
};

/// What goes of `wanted` octets where there is room for `most`: all, or whole segments.
inline std::uint64_t whole_segments(std::uint64_t wanted, std::uint64_t most, std::uint32_t mss) {
  return wanted <= most ? wanted : most - most % mss;
}

/// How much of `available` octets the subflow takes: whole segments, or all that there is; nothing
/// where only a part of a segment would fit.
inline std::uint64_t burst_for(const SubflowView& view, std::uint64_t available,
                               const Demand& demand) {
  const std::uint64_t fits = std::min(view.room, std::max<std::uint64_t>(demand.burst, view.mss));
  return whole_segments(available, fits, view.mss);
}

/// How much of the waiting octets the subflow takes. Where the peer's window ends in the middle of
/// a segment it is filled up to there once it has moved (RFC 9293 §3.8.6.2.1).
inline std::uint64_t new_burst_for(const SubflowView& view, const Demand& demand) {
  return burst_for(view, whole_segments(demand.waiting, demand.window_room, view.mss), demand);
}

/// A grant of waiting octets to a subflow that takes some.
inline Grant grant_new(const SubflowView& view, const Demand& demand) {
  return {view.id, false, new_burst_for(view, demand)};
}

/// The fastest of the candidates that takes waiting octets.
inline const SubflowView* fastest_with_room(const Candidates& candidates, const Demand& demand) {
  return candidates.fastest(
      [&](const SubflowView& view) { return new_burst_for(view, demand) != 0; });
}

}  // namespace mptcp
