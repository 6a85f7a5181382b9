#pragma once

#include "cc/hystart.hpp"

namespace cc {

/// CUBIC (RFC 9438). Windows are kept in octets where the RFC has segments, so that a change of the
/// segment size needs no conversion; floats hold what is only compared and never summed up.
///
/// An epoch is one stage of congestion avoidance. It begins with the first ACK that may grow the
/// window after recovery or slow start, and ends with the next congestion event.
class Cubic {
 public:
  explicit Cubic(const ControllerConfig& config);

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

 private:
  /// What a congestion event changes beside the window, and an undo brings back (RFC 9438 §4.9).
  struct Curve {
    Instant
        epoch{};  ///< t_epoch, moved forward by the times in which the application was the limit.
    float w_max = 0;       ///< Octets at the plateau; 0: the next epoch starts at its own.
    float k = 0;           ///< Seconds from the epoch's start to the plateau.
    float prior = 0;       ///< cwnd_prior: the window just before the last reduction, octets.
    bool started = false;  ///< Whether the epoch has begun.
  };

  void save();
  void start_epoch(Instant now);
  double w_cubic(Duration since_epoch) const;
  void grow_on_curve(const AckSample& ack);
  void reduce_plateau();
  void pause_epoch(Instant now);

  Window window_;
  HyStart slow_start_;
  Curve curve_;
  double w_est_ = 0;  ///< What Reno would have, octets (RFC 9438 §4.3).
  Instant last_ack_;
  // As they were before the last reduction; a window of zero: nothing to undo.
  Curve saved_curve_;
  double saved_cwnd_ = 0;
  std::uint64_t saved_ssthresh_ = 0;
  float saved_w_est_ = 0;
};

}  // namespace cc
