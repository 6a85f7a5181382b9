#pragma once

#include "cc/hystart.hpp"

namespace cc {

/// Slow start and congestion avoidance of RFC 5681 with the byte counting of RFC 3465. Which
/// segments to send in recovery is TCP's business (RFC 6582, RFC 6675); here are the windows only.
class NewReno {
 public:
  explicit NewReno(const ControllerConfig& config);

  void on_ack(const AckSample& ack);
  void on_loss(Instant now, std::uint64_t in_flight);
  void on_ecn(Instant now, std::uint64_t in_flight);
  void on_timeout(Instant now, std::uint64_t in_flight);
  void on_idle(Instant now, Duration idle, Duration rto);
  void on_undo();
  void set_mss(std::uint32_t mss) { window_.change_mss(mss); }
  std::uint64_t window() const { return window_.octets(); }
  std::uint64_t ssthresh() const { return window_.ssthresh; }
  std::uint64_t pacing_rate() const { return 0; }

  /// Reduces both variables to `octets`; no undo takes that back.
  void reduce_to(std::uint64_t octets);

 private:
  void save();

  Window window_;
  HyStart slow_start_;
  double acked_ = 0;  ///< Octets acknowledged since the window last grew in congestion avoidance.
  /// As they were before the last reduction; a window of zero: nothing to undo.
  double saved_cwnd_ = 0;
  std::uint64_t saved_ssthresh_ = 0;
};

}  // namespace cc
