#include "mptcp/scheduler/ecf.hpp"

namespace mptcp {
namespace {

/// The paper's beta: who waits already goes on waiting a little longer.
constexpr double kHysteresis = 0.25;

double ns(Duration time) { return static_cast<double>(time.count()); }

/// Windows that so many octets fill.
double windows(std::uint64_t octets, const SubflowView& view) {
  return static_cast<double>(octets) /
         static_cast<double>(std::max<std::uint64_t>(view.cwnd, view.mss));
}

}  // namespace

std::optional<Grant> Ecf::next(std::span<const SubflowView> views, const Demand& demand) {
  const Candidates candidates(views);
  const SubflowView* const with_room = fastest_with_room(candidates, demand);
  if (with_room == nullptr) return std::nullopt;
  const SubflowView* const fast = candidates.fastest();
  if (fast->srtt < with_room->srtt && is_better_to_wait(*with_room, *fast, demand))
    return std::nullopt;
  return grant_new(*with_room, demand);
}

bool Ecf::is_better_to_wait(const SubflowView& slow, const SubflowView& fast,
                            const Demand& demand) {
  if (fast.srtt <= Duration::zero()) return false;
  const double spread = ns(std::max(slow.rttvar, fast.rttvar));
  // All of it on the fast one: one round trip until it has room, and one per window.
  const double on_fast = (1 + windows(demand.waiting, fast)) * ns(fast.srtt);
  const double patience = waiting_ ? 1 + kHysteresis : 1;
  if (on_fast >= patience * (ns(slow.srtt) + spread)) {
    waiting_ = false;
    return false;
  }
  // A slow one that is done before the fast one could have been is used all the same.
  if (windows(demand.waiting, slow) * ns(slow.srtt) < 2 * ns(fast.srtt) + spread) return false;
  waiting_ = true;
  return true;
}

}  // namespace mptcp
