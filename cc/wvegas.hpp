#pragma once

#include "cc/coupled.hpp"
#include "cc/window.hpp"

namespace cc {

/// Weighted Vegas (draft-xu-mptcp-congestion-control): delay instead of loss tells each subflow how
/// many octets of it wait in queues. All subflows of a connection together are to keep a few
/// segments there, shared out by their rates; so traffic moves to the paths with the shorter
/// queues. Slow start and losses are each subflow's own. Alone, it is Vegas.
///
/// Times are seconds and windows octets, as doubles: a queue of a segment is 0.1 us at 100 Gbit/s.
class Wvegas {
 public:
  explicit Wvegas(const ControllerConfig& config) : window_(config) {}

  void on_ack(const AckSample& ack);
  void on_loss(Instant now, std::uint64_t in_flight);
  /// A mark is a loss that did not happen.
  void on_ecn(Instant now, std::uint64_t in_flight);
  void on_timeout(Instant now, std::uint64_t in_flight);
  void on_idle(Instant now, Duration idle, Duration rto);
  void on_undo();
  void set_mss(std::uint32_t mss) { window_.change_mss(mss); }
  std::uint64_t window() const { return window_.octets(); }
  std::uint64_t ssthresh() const { return window_.ssthresh; }
  std::uint64_t pacing_rate() const { return 0; }

  void on_coupling(const Coupling& coupling) { coupling_ = coupling; }
  Sibling sibling() const { return {window_.cwnd, rtt_, 0}; }

 private:
  /// Ends a round trip: its mean says what waits in queues.
  void end_round(const AckSample& ack, bool may_change);
  void note_rtt(const AckSample& ack);
  void leave_slow_start(const AckSample& ack);
  void approach_target(double queued);
  bool must_drain(Instant now, double queued);
  void drain();
  double target() const;
  /// Octets of the window that wait when a round trip takes `rtt`.
  double queued_for(double rtt) const { return window_.cwnd * (rtt - base_rtt_) / rtt; }
  void forget_path();
  void save();

  Window window_;
  Coupling coupling_;
  double base_rtt_ = 0;  ///< The least round trip time; 0: not measured.
  double rtt_ = 0;       ///< The mean of the last round trip; 0: not measured.
  double sum_ = 0;       ///< Of the round trip times in this one.
  double samples_ = 0;   ///< And how many they are.
  /// The least time in queues since they were drained and filled up to the target; 0: not known.
  double least_wait_ = 0;
  Instant base_until_{};         ///< When base_rtt_ is to be measured anew.
  std::uint64_t round_end_ = 0;  ///< Octets delivered when the round trip began.
  /// As they were before the last reduction; a window of zero: nothing to undo.
  double saved_cwnd_ = 0;
  std::uint64_t saved_ssthresh_ = 0;
};

}  // namespace cc
