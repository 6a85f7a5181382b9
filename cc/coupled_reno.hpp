#pragma once

#include <algorithm>

#include "cc/coupled.hpp"
#include "cc/hystart.hpp"

namespace cc {

/// The subflow that asks, as it is now.
struct Own {
  double cwnd = 0;  ///< Octets.
  double rtt = 0;   ///< Seconds.
};

/// NewReno whose growth in congestion avoidance, and perhaps its answer to a loss, heeds the other
/// subflows of the connection; slow start and timeouts are each subflow's own (RFC 6356 §3). `Rule`
/// says what is special. Alone, it is NewReno.
template <class Rule>
class CoupledReno {
 public:
  explicit CoupledReno(const ControllerConfig& config) : window_(config) {}

  void on_ack(const AckSample& ack) {
    if (ack.acked_bytes == 0) return;
    window_.timed_out = false;
    if (ack.srtt > Duration::zero()) rtt_ = std::chrono::duration<double>(ack.srtt).count();
    since_loss_ += ack.acked_bytes;
    if (ack.in_recovery || !ack.cwnd_limited) return;
    if (window_.in_slow_start()) return slow_start_.on_ack(window_, ack);
    const double per_octet = coupling_.paths < 2 || rtt_ <= 0
                                 ? 1 / window_.cwnd
                                 : Rule::increase({window_.cwnd, rtt_}, coupling_);
    window_.cwnd += per_octet * ack.acked_bytes * window_.mss;
    window_.cwnd = std::max(window_.cwnd, static_cast<double>(window_.least_threshold()));
  }
  void on_loss(Instant /*now*/, std::uint64_t in_flight) {
    save();
    const double kept = coupling_.paths < 2 || rtt_ <= 0
                            ? 0.5
                            : 1 - Rule::decrease({window_.cwnd, rtt_}, coupling_);
    window_.reduce(
        static_cast<std::uint64_t>(static_cast<double>(window_.carried(in_flight)) * kept));
  }
  /// A mark is to these algorithms what a loss is.
  void on_ecn(Instant now, std::uint64_t in_flight) {
    on_loss(now, in_flight);
    saved_cwnd_ = 0;
  }
  void on_timeout(Instant /*now*/, std::uint64_t in_flight) {
    if (!window_.timed_out) save();
    window_.collapse(in_flight / 2);
  }
  void on_idle(Instant /*now*/, Duration idle, Duration rto) {
    if (idle <= rto) return;
    window_.validate_after_idle(idle);
    slow_start_.restart();
  }
  void on_undo() {
    if (saved_cwnd_ == 0) return;
    window_.cwnd = std::max(window_.cwnd, saved_cwnd_);
    window_.ssthresh = std::max(window_.ssthresh, saved_ssthresh_);
    saved_cwnd_ = 0;
  }
  void set_mss(std::uint32_t mss) { window_.change_mss(mss); }
  std::uint64_t window() const { return window_.octets(); }
  std::uint64_t ssthresh() const { return window_.ssthresh; }
  std::uint64_t pacing_rate() const { return 0; }

  void on_coupling(const Coupling& coupling) { coupling_ = coupling; }
  Sibling sibling() const { return {window_.cwnd, rtt_, std::max(since_loss_, between_losses_)}; }

 private:
  void save() {
    saved_cwnd_ = window_.cwnd;
    saved_ssthresh_ = window_.ssthresh;
    between_losses_ = since_loss_;
    since_loss_ = 0;
  }

  Window window_;
  HyStart slow_start_;
  Coupling coupling_;
  double rtt_ = 0;             ///< Smoothed, seconds.
  double since_loss_ = 0;      ///< Octets acknowledged since the last loss.
  double between_losses_ = 0;  ///< And between the one before and that.
  /// As they were before the last reduction; a window of zero: nothing to undo.
  double saved_cwnd_ = 0;
  std::uint64_t saved_ssthresh_ = 0;
};

}  // namespace cc
