#pragma once

#include "cc/new_reno.hpp"

namespace cc {

/// Data Center TCP (RFC 8257): a mark takes from the window half of the share of octets that are
/// marked, so that a queue stays as short as the routers want it. To losses, and where nobody
/// marks, it is NewReno (§3.5). For networks that are managed as a whole (§5).
class Dctcp {
 public:
  explicit Dctcp(const ControllerConfig& config) : reno_(config) {}

  void on_ack(const AckSample& ack);
  void on_loss(Instant now, std::uint64_t in_flight) { reno_.on_loss(now, in_flight); }
  void on_ecn(Instant now, std::uint64_t in_flight);
  void on_timeout(Instant now, std::uint64_t in_flight) { reno_.on_timeout(now, in_flight); }
  void on_idle(Instant now, Duration idle, Duration rto) { reno_.on_idle(now, idle, rto); }
  void on_undo() { reno_.on_undo(); }
  void set_mss(std::uint32_t mss) { reno_.set_mss(mss); }
  std::uint64_t window() const { return reno_.window(); }
  std::uint64_t ssthresh() const { return reno_.ssthresh(); }
  std::uint64_t pacing_rate() const { return 0; }

  /// DCTCP.Alpha: the share of octets that are marked, in [0, 1].
  double alpha() const { return alpha_; }

 private:
  NewReno reno_;
  double alpha_ = 1;             ///< RFC 8257 §4.2: careful until something is known.
  std::uint64_t round_end_ = 0;  ///< Octets delivered when the observation window began (§3.3).
  std::uint64_t acked_ = 0;      ///< DCTCP.BytesAcked.
  std::uint64_t marked_ = 0;     ///< DCTCP.BytesMarked.
};

}  // namespace cc
