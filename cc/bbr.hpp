#pragma once

#include <array>
#include <cstdint>
#include <limits>

#include "cc/window.hpp"

namespace cc {

/// BBR version 3 (draft-ietf-ccwg-bbr-06): a model of the path, its bandwidth and its round trip
/// time, says how fast to send and how much may be in flight. Loss lowers the model only when it is
/// more than a path may lose by chance, or for as long as a cycle lasts. ECN is left out, and so
/// nothing that it sends is ECN-capable.
///
///      Startup -> Drain -> ProbeBW: Down -> Cruise -> Refill -> Up -> Down ...
///         any of them -> ProbeRTT -> Cruise (or Startup)
///
/// Members are named as the draft names them; §: its sections. Rates are octets per second.
class Bbr {
 public:
  explicit Bbr(const ControllerConfig& config);

  void on_ack(const AckSample& ack);
  void on_loss(Instant now, std::uint64_t in_flight);
  void on_timeout(Instant now, std::uint64_t in_flight);
  void on_idle(Instant now, Duration idle, Duration rto);
  void on_undo();
  void set_mss(std::uint32_t mss);
  std::uint64_t window() const { return cwnd_; }
  std::uint64_t ssthresh() const { return kNoThreshold; }
  std::uint64_t pacing_rate() const { return static_cast<std::uint64_t>(pacing_rate_); }

  enum class State : std::uint8_t { Startup, Drain, Down, Cruise, Refill, Up, ProbeRtt };
  State state() const { return state_; }
  /// BBR.bw.
  double bandwidth() const { return static_cast<double>(bw_); }
  Duration min_rtt() const { return min_rtt_; }

 private:
  using Octets = std::uint32_t;
  static constexpr Octets kUnbounded = std::numeric_limits<Octets>::max();
  static constexpr float kAnyRate = std::numeric_limits<float>::infinity();

  /// What an ACK says about the feedback to a bandwidth probe (§5.3.3.9).
  enum class AckPhase : std::uint8_t { Init, Refilling, Starting, Feedback, Stopping };
  struct Gains {
    float pacing, cwnd;
  };
  /// The parts of the model that bound it from above (§5.5.10).
  struct Bounds {
    float bw_shortterm = kAnyRate;
    Octets inflight_shortterm = kUnbounded;
    Octets inflight_longterm = kUnbounded;
  };

  // bbr.cpp: the state machine.
  Gains gains() const;
  bool is_probing_bw() const;
  bool is_in_probe_bw() const;
  void update_model(const AckSample& ack);
  void check_full_bw_reached(const AckSample& ack);
  void reset_full_bw();
  void check_startup_done(const AckSample& ack);
  void check_drain_done(const AckSample& ack);
  void update_probe_bw_cycle(const AckSample& ack);
  bool adapt_long_term_model(const AckSample& ack);
  void probe_inflight_upward(const AckSample& ack);
  void raise_inflight_slope();
  bool is_time_to_probe_bw(Instant now) const;
  bool is_time_to_cruise(const AckSample& ack) const;
  bool is_time_to_go_down(const AckSample& ack);
  void start_down(Instant now);
  void start_refill();
  void start_up(const AckSample& ack);
  void update_min_rtt(const AckSample& ack);
  void check_probe_rtt(const AckSample& ack);
  void handle_probe_rtt(const AckSample& ack);
  void check_probe_rtt_done(Instant now);
  void start_round() { next_round_delivered_ = delivered_; }

  // bbr_model.cpp: what is known of the path, and what follows for rate and window.
  void note_loss(const LossSample& loss, Instant now);
  void handle_inflight_too_high(Octets in_flight, bool app_limited, Instant now);
  void update_latest_delivery(const AckSample& ack);
  void update_congestion_signals(const AckSample& ack);
  void adapt_lower_bounds();
  void update_max_bw(const AckSample& ack);
  void update_ack_aggregation(const AckSample& ack);
  void save_state_upon_loss();
  void save_cwnd();
  void restore_cwnd();
  void set_pacing_rate(float gain);
  void set_cwnd(const AckSample& ack);
  bool is_app_limited(const AckSample& ack) const;
  float max_bw() const { return std::max(max_bw_filter_[0], max_bw_filter_[1]); }
  Octets bdp(float bw, float gain) const;
  Octets inflight(float bw, float gain) const;
  Octets quantization_budget(Octets inflight_cap) const;
  Octets target_inflight() const { return std::min(bdp(bw_, 1), cwnd_); }
  Octets inflight_with_headroom() const;
  Octets probe_rtt_cwnd() const;
  Octets min_pipe_cwnd() const { return 4 * mss_; }
  void pick_probe_wait();

  State state_ = State::Startup;
  State undo_state_ = State::Drain;  ///< Startup or Up: where an undo goes back to.
  AckPhase ack_phase_ = AckPhase::Init;
  bool round_start_ = false;
  bool loss_round_start_ = false;
  bool is_loss_in_round_ = false;
  bool full_bw_now_ = false;
  bool full_bw_reached_ = false;
  bool is_bw_probe_sample_ = false;
  bool prev_probe_too_high_ = false;
  bool prev_probe_precautionary_ = false;
  bool probe_rtt_expired_ = false;
  bool probe_rtt_round_done_ = false;
  bool idle_restart_ = false;
  bool repairing_ = false;
  bool cwnd_limited_ = false;        ///< At any time in this round or the one before.
  bool cwnd_limited_round_ = false;  ///< In this round.
  std::uint8_t full_bw_count_ = 0;
  std::uint8_t bw_probe_up_rounds_ = 0;
  std::uint8_t loss_ranges_in_round_ = 0;
  std::uint16_t initial_segments_;

  Octets mss_;
  Octets cwnd_;
  Octets prior_cwnd_ = 0;
  float pacing_rate_ = 0;

  // §5.5: the model.
  float bw_ = 0;
  std::array<float, 2> max_bw_filter_{};  ///< Of the cycle before, and of this one.
  float bw_latest_ = 0;
  float full_bw_ = 0;
  Octets inflight_latest_ = 0;
  Bounds bounds_;
  Bounds undo_bounds_;
  std::array<Octets, 2> extra_acked_filter_{};  ///< Of five rounds each.
  Octets extra_acked_delivered_ = 0;
  Octets bw_probe_up_acked_ = 0;
  Octets probe_up_acked_per_inc_ = kUnbounded;
  std::uint32_t round_count_ = 0;
  std::uint32_t drain_start_round_ = 0;
  std::uint32_t extra_acked_round_ = 0;
  std::uint32_t rounds_since_probe_up_ = 0;
  std::uint32_t seed_;  ///< Of the next random draw.

  std::uint64_t delivered_ = 0;  ///< C.delivered.
  std::uint64_t next_round_delivered_ = 0;
  std::uint64_t loss_round_delivered_ = 0;
  std::uint64_t slow_until_ = 0;  ///< Samples from before say nothing: sent slowly for ProbeRTT.
  Duration min_rtt_ = Duration::max();
  Duration probe_rtt_min_delay_ = Duration::max();
  Duration bw_probe_wait_{};
  Instant min_rtt_stamp_;
  Instant probe_rtt_min_stamp_;
  Instant probe_rtt_done_stamp_{};  ///< Zero: not yet.
  Instant cycle_stamp_{};
  Instant extra_acked_start_;
};

}  // namespace cc
