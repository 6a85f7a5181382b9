#include "mptcp/scheduler/blest.hpp"

namespace mptcp {
namespace {

// The steps and the bound of the authors' implementation; their paper tries steps of 0.001 to 0.02.
constexpr double kMarginAfterStall = 0.04;
constexpr double kMarginWithout = 0.01;
constexpr double kLeastMargin = 1.0;
constexpr double kGreatestMargin = 1.3;

}  // namespace

std::optional<Grant> Blest::next(std::span<const SubflowView> views, const Demand& demand) {
  const Candidates candidates(views);
  const SubflowView* const with_room = fastest_with_room(candidates, demand);
  if (with_room == nullptr) return std::nullopt;
  const SubflowView* const fast = candidates.fastest();
  if (fast->srtt < with_room->srtt) {
    learn(with_room->srtt, demand);
    if (would_block(*with_room, *fast, demand)) return std::nullopt;
  }
  return grant_new(*with_room, demand);
}

void Blest::learn(Duration round_trip, const Demand& demand) {
  if (demand.now - learned_at_ < round_trip) return;
  const double step = demand.stalls != stalls_ ? kMarginAfterStall : -kMarginWithout;
  margin_ = std::clamp(margin_ + step, kLeastMargin, kGreatestMargin);
  stalls_ = demand.stalls;
  learned_at_ = demand.now;
}

bool Blest::would_block(const SubflowView& slow, const SubflowView& fast,
                        const Demand& demand) const {
  if (fast.srtt <= Duration::zero()) return false;
  const double round_trips =
      static_cast<double>(slow.srtt.count()) / static_cast<double>(fast.srtt.count());
  // What the fast one sends while octets on the slow one are under way, its window growing by a
  // segment each round trip. A window that grows for long is halved by a loss, of which the paper's
  // model knows nothing: it doubles at most.
  const double window = static_cast<double>(fast.cwnd);
  const double growth = static_cast<double>(fast.mss) * (round_trips - 1);
  const double fast_octets = (window + std::min(growth, window) / 2) * round_trips;
  const std::uint64_t slow_octets = slow.in_flight + slow.queued + slow.mss;
  const std::uint64_t left = demand.window > slow_octets ? demand.window - slow_octets : 0;
  return fast_octets * margin_ > static_cast<double>(left);
}

}  // namespace mptcp
