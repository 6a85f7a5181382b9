#include "cc/bbr.hpp"

#include <algorithm>

// draft-ietf-ccwg-bbr-06 §5.2 (events) and §5.3 (the state machine).
namespace cc {
namespace {

using namespace std::chrono_literals;

constexpr float kStartupPacingGain = 2.77F;
constexpr float kFullBwGrowth = 1.25F;
constexpr std::uint8_t kFullBwRounds = 3;
constexpr float kLossThresh = 0.02F;
constexpr std::uint8_t kStartupFullLossCount = 6;
constexpr std::uint32_t kDrainRounds = 3;
constexpr std::uint32_t kMostRenoRounds = 63;
constexpr Duration kMinRttFilterLength = 10s;
constexpr Duration kProbeRttInterval = 5s;
constexpr Duration kProbeRttDuration = 200ms;

bool is_inflight_too_high(const RateSample& rate) {
  return static_cast<float>(rate.lost) > static_cast<float>(rate.in_flight) * kLossThresh;
}

}  // namespace

Bbr::Bbr(const ControllerConfig& config)
    : initial_segments_(static_cast<std::uint16_t>(config.initial_window_segments)),
      mss_(config.mss),
      cwnd_(static_cast<Octets>(initial_window(config.initial_window_segments, config.mss))),
      seed_(config.seed),
      min_rtt_stamp_(config.now),
      probe_rtt_min_stamp_(config.now),
      extra_acked_start_(config.now) {}

Bbr::Gains Bbr::gains() const {
  switch (state_) {
    case State::Startup:
      return {kStartupPacingGain, 2};
    case State::Drain:
      return {0.5F, 2};
    case State::Down:
      return {0.9F, 2};
    case State::Up:
      return {1.25F, 2.25F};
    case State::ProbeRtt:
      return {1, 0.5F};
    default:
      return {1, 2};
  }
}

bool Bbr::is_probing_bw() const {
  return state_ == State::Startup || state_ == State::Refill || state_ == State::Up;
}

bool Bbr::is_in_probe_bw() const {
  return state_ == State::Down || state_ == State::Cruise || state_ == State::Refill ||
         state_ == State::Up;
}

void Bbr::on_ack(const AckSample& ack) {
  delivered_ = ack.rate.total;
  if (pacing_rate_ == 0 && ack.srtt > Duration::zero())
    pacing_rate_ = kStartupPacingGain * static_cast<float>(cwnd_) /
                   std::chrono::duration<float>(ack.srtt).count();
  note_loss(ack.loss, ack.now);
  if (repairing_ && !ack.repairing) restore_cwnd();
  repairing_ = ack.repairing;
  if (ack.rate.has_data) update_model(ack);
  bw_ = std::min(max_bw(), bounds_.bw_shortterm);
  set_pacing_rate(gains().pacing);
  set_cwnd(ack);
}

void Bbr::update_model(const AckSample& ack) {
  update_latest_delivery(ack);
  round_start_ = ack.rate.prior >= next_round_delivered_;
  cwnd_limited_round_ = cwnd_limited_round_ || ack.window_full;
  if (round_start_) {
    start_round();
    ++round_count_;
    ++rounds_since_probe_up_;
    cwnd_limited_ = cwnd_limited_round_;
    cwnd_limited_round_ = ack.window_full;
  }
  cwnd_limited_ = cwnd_limited_ || ack.window_full;
  update_congestion_signals(ack);
  update_ack_aggregation(ack);
  check_full_bw_reached(ack);
  check_startup_done(ack);
  check_drain_done(ack);
  update_probe_bw_cycle(ack);
  update_min_rtt(ack);
  check_probe_rtt(ack);
  if (loss_round_start_) {
    bw_latest_ = static_cast<float>(ack.rate.rate());
    inflight_latest_ = static_cast<Octets>(ack.rate.octets());
    loss_ranges_in_round_ = 0;
  }
}

void Bbr::on_loss(Instant /*now*/, std::uint64_t /*in_flight*/) {
  save_state_upon_loss();
  repairing_ = true;
}

void Bbr::on_timeout(Instant /*now*/, std::uint64_t /*in_flight*/) {
  save_state_upon_loss();
  repairing_ = true;
  cwnd_ = mss_;  // Nothing is held to be in flight any more.
}

void Bbr::on_idle(Instant now, Duration /*idle*/, Duration /*rto*/) {
  idle_restart_ = true;
  extra_acked_start_ = now;
  if (is_in_probe_bw()) {
    set_pacing_rate(1);
  } else if (state_ == State::ProbeRtt) {
    check_probe_rtt_done(now);
  }
}

void Bbr::on_undo() {
  restore_cwnd();
  is_loss_in_round_ = false;
  reset_full_bw();
  bounds_.bw_shortterm = std::max(bounds_.bw_shortterm, undo_bounds_.bw_shortterm);
  bounds_.inflight_shortterm =
      std::max(bounds_.inflight_shortterm, undo_bounds_.inflight_shortterm);
  bounds_.inflight_longterm = std::max(bounds_.inflight_longterm, undo_bounds_.inflight_longterm);
  if (undo_state_ == State::Startup && state_ != State::Startup) {
    full_bw_reached_ = false;
    if (state_ != State::ProbeRtt) state_ = State::Startup;
  } else if (undo_state_ == State::Up && state_ != State::Up && state_ != State::ProbeRtt) {
    start_refill();
  }
  undo_state_ = State::Drain;
}

void Bbr::set_mss(std::uint32_t mss) {
  const bool untouched = delivered_ == 0 && cwnd_ == initial_window(initial_segments_, mss_);
  mss_ = mss;
  cwnd_ = untouched ? static_cast<Octets>(initial_window(initial_segments_, mss_))
                    : std::max(cwnd_, mss_);
}

void Bbr::reset_full_bw() {
  full_bw_ = 0;
  full_bw_count_ = 0;
  full_bw_now_ = false;
}

void Bbr::check_full_bw_reached(const AckSample& ack) {
  if (full_bw_now_ || !round_start_ || is_app_limited(ack)) return;
  const auto rate = static_cast<float>(ack.rate.rate());
  if (rate >= full_bw_ * kFullBwGrowth) {
    reset_full_bw();
    full_bw_ = rate;
    return;
  }
  full_bw_now_ = ++full_bw_count_ >= kFullBwRounds;
  if (full_bw_now_) full_bw_reached_ = true;
}

void Bbr::check_startup_done(const AckSample& ack) {
  // §5.3.1.3: a round of recovery in which more was lost than chance explains.
  const bool lossy = !full_bw_reached_ && loss_round_start_ && ack.in_recovery &&
                     loss_ranges_in_round_ >= kStartupFullLossCount &&
                     is_inflight_too_high(ack.rate);
  if (lossy) {
    undo_state_ = State::Startup;
    full_bw_reached_ = true;
    bounds_.inflight_longterm = std::max(bdp(max_bw(), 1), inflight_latest_);
  }
  if (state_ != State::Startup || !full_bw_reached_) return;
  state_ = State::Drain;
  drain_start_round_ = round_count_;
}

void Bbr::check_drain_done(const AckSample& ack) {
  if (state_ != State::Drain) return;
  if (ack.pipe <= inflight(bw_, 1) || round_count_ > drain_start_round_ + kDrainRounds)
    start_down(ack.now);
}

void Bbr::update_probe_bw_cycle(const AckSample& ack) {
  if (!full_bw_reached_ || adapt_long_term_model(ack)) return;
  switch (state_) {
    case State::Down:
      if (is_time_to_probe_bw(ack.now)) return start_refill();
      if (is_time_to_cruise(ack)) state_ = State::Cruise;
      return;
    case State::Cruise:
      if (is_time_to_probe_bw(ack.now)) start_refill();
      return;
    case State::Refill:
      if (!round_start_) return;
      is_bw_probe_sample_ = true;
      return start_up(ack);
    case State::Up:
      if (!is_time_to_go_down(ack)) return;
      prev_probe_too_high_ = false;
      return start_down(ack.now);
    default:
      return;
  }
}

bool Bbr::adapt_long_term_model(const AckSample& ack) {
  if (ack_phase_ == AckPhase::Starting && round_start_) ack_phase_ = AckPhase::Feedback;
  if (ack_phase_ == AckPhase::Stopping && round_start_) {
    is_bw_probe_sample_ = false;
    ack_phase_ = AckPhase::Init;
    if (is_in_probe_bw() && !is_app_limited(ack)) max_bw_filter_ = {max_bw_filter_[1], 0};
    if (is_in_probe_bw() && prev_probe_precautionary_ && !prev_probe_too_high_) {
      start_refill();
      return true;
    }
  }
  if (is_inflight_too_high(ack.rate)) {
    if (is_bw_probe_sample_)
      handle_inflight_too_high(ack.rate.in_flight, is_app_limited(ack), ack.now);
    return false;
  }
  if (bounds_.inflight_longterm == kUnbounded) return false;
  bounds_.inflight_longterm = std::max(bounds_.inflight_longterm, ack.rate.in_flight);
  if (state_ == State::Up) probe_inflight_upward(ack);
  return false;
}

void Bbr::probe_inflight_upward(const AckSample& ack) {
  if (!cwnd_limited_ || cwnd_ < bounds_.inflight_longterm) return;
  bw_probe_up_acked_ += ack.delivered;
  const Octets steps = bw_probe_up_acked_ / probe_up_acked_per_inc_;
  bw_probe_up_acked_ -= steps * probe_up_acked_per_inc_;
  bounds_.inflight_longterm += steps * mss_;
  if (round_start_) raise_inflight_slope();
}

void Bbr::raise_inflight_slope() {
  constexpr std::uint8_t kMostDoublings = 30;
  probe_up_acked_per_inc_ = std::max(cwnd_ >> bw_probe_up_rounds_, mss_);
  if (bw_probe_up_rounds_ < kMostDoublings) ++bw_probe_up_rounds_;
}

bool Bbr::is_time_to_probe_bw(Instant now) const {
  // §5.3.3.8: as often as Reno would on a path of this size, or after some seconds.
  return now > cycle_stamp_ + bw_probe_wait_ ||
         rounds_since_probe_up_ >= std::min(target_inflight() / mss_, kMostRenoRounds);
}

bool Bbr::is_time_to_cruise(const AckSample& ack) const {
  return ack.pipe <= inflight_with_headroom() && ack.pipe <= inflight(max_bw(), 1);
}

bool Bbr::is_time_to_go_down(const AckSample& ack) {
  if (prev_probe_too_high_ && ack.pipe >= bounds_.inflight_longterm) {
    prev_probe_precautionary_ = true;
    return true;
  }
  if (cwnd_limited_ && cwnd_ >= bounds_.inflight_longterm) {
    reset_full_bw();
    full_bw_ = static_cast<float>(ack.rate.rate());
    return false;
  }
  return full_bw_now_;
}

void Bbr::start_down(Instant now) {
  is_loss_in_round_ = false;
  bw_latest_ = 0;
  inflight_latest_ = 0;
  probe_up_acked_per_inc_ = kUnbounded;
  pick_probe_wait();
  cycle_stamp_ = now;
  ack_phase_ = AckPhase::Stopping;
  start_round();
  state_ = State::Down;
}

void Bbr::start_refill() {
  bounds_.bw_shortterm = kAnyRate;
  bounds_.inflight_shortterm = kUnbounded;
  bw_probe_up_rounds_ = 0;
  bw_probe_up_acked_ = 0;
  prev_probe_precautionary_ = false;
  ack_phase_ = AckPhase::Refilling;
  start_round();
  state_ = State::Refill;
}

void Bbr::start_up(const AckSample& ack) {
  ack_phase_ = AckPhase::Starting;
  start_round();
  reset_full_bw();
  full_bw_ = static_cast<float>(ack.rate.rate());
  state_ = State::Up;
  raise_inflight_slope();
}

void Bbr::update_min_rtt(const AckSample& ack) {
  probe_rtt_expired_ = ack.now > probe_rtt_min_stamp_ + kProbeRttInterval;
  if (ack.rtt > Duration::zero() && (ack.rtt < probe_rtt_min_delay_ || probe_rtt_expired_)) {
    probe_rtt_min_delay_ = ack.rtt;
    probe_rtt_min_stamp_ = ack.now;
  }
  const bool expired = ack.now > min_rtt_stamp_ + kMinRttFilterLength;
  if (probe_rtt_min_delay_ < min_rtt_ || expired) {
    min_rtt_ = probe_rtt_min_delay_;
    min_rtt_stamp_ = probe_rtt_min_stamp_;
  }
}

void Bbr::check_probe_rtt(const AckSample& ack) {
  if (state_ != State::ProbeRtt && probe_rtt_expired_ && !idle_restart_) {
    save_cwnd();
    state_ = State::ProbeRtt;
    probe_rtt_done_stamp_ = {};
    ack_phase_ = AckPhase::Stopping;
    start_round();
  }
  if (state_ == State::ProbeRtt) handle_probe_rtt(ack);
  idle_restart_ = false;
}

void Bbr::handle_probe_rtt(const AckSample& ack) {
  slow_until_ = delivered_ + ack.pipe;
  if (probe_rtt_done_stamp_ == Instant{}) {
    if (ack.pipe > probe_rtt_cwnd()) return;
    probe_rtt_done_stamp_ = ack.now + kProbeRttDuration;
    probe_rtt_round_done_ = false;
    return start_round();
  }
  if (round_start_) probe_rtt_round_done_ = true;
  if (probe_rtt_round_done_) check_probe_rtt_done(ack.now);
}

void Bbr::check_probe_rtt_done(Instant now) {
  if (probe_rtt_done_stamp_ == Instant{} || now <= probe_rtt_done_stamp_) return;
  probe_rtt_min_stamp_ = now;
  restore_cwnd();
  bounds_.bw_shortterm = kAnyRate;
  bounds_.inflight_shortterm = kUnbounded;
  if (!full_bw_reached_) {
    state_ = State::Startup;
    return;
  }
  start_down(now);
  state_ = State::Cruise;
}

}  // namespace cc
