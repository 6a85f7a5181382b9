#pragma once

#include "mptcp/scheduler/candidates.hpp"

namespace mptcp {

/// Blocking estimation (Ferlin, Alay, Mehani, Boreli: "BLEST", IFIP Networking 2016): the slow
/// subflow is passed over when octets on it would, for as long as they are under way, take the room
/// in the peer's window that the fast one needs.
class Blest {
 public:
  std::optional<Grant> next(std::span<const SubflowView> views, const Demand& demand);

  /// The factor on the estimate, which the paper calls delta.
  double margin() const { return margin_; }

 private:
  void learn(Duration round_trip, const Demand& demand);
  bool would_block(const SubflowView& slow, const SubflowView& fast, const Demand& demand) const;

  double margin_ = 1.0;
  Instant learned_at_{};
  std::uint64_t stalls_ = 0;
};

}  // namespace mptcp
