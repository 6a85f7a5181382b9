#include <algorithm>

#include "cc/bbr.hpp"
#include "dataplane/base/rng.hpp"

// draft-ietf-ccwg-bbr-06 §5.5 (the model of the path) and §5.6 (control parameters).
namespace cc {
namespace {

constexpr float kLossThresh = 0.02F;
constexpr float kBeta = 0.7F;
constexpr float kHeadroom = 0.15F;
constexpr float kPacingMargin = 0.01F;
constexpr float kProbeRttCwndGain = 0.5F;
constexpr std::uint32_t kExtraAckedRounds = 5;  ///< Two slots of these are ExtraAckedFilterLen.
constexpr std::uint32_t kMaxSendQuantum = 64 * 1024;

float seconds(Duration span) { return std::chrono::duration<float>(span).count(); }

std::uint32_t octets_of(float value) {
  return value >= 4e9F ? std::numeric_limits<std::uint32_t>::max()
                       : static_cast<std::uint32_t>(std::max(value, 0.0F));
}

}  // namespace

bool Bbr::is_app_limited(const AckSample& ack) const {
  return ack.rate.app_limited || ack.rate.prior < slow_until_;
}

void Bbr::pick_probe_wait() {
  constexpr std::uint64_t kSpreadMs = 1'000;
  dataplane::Rng rng(seed_);
  seed_ = static_cast<std::uint32_t>(rng.next());
  rounds_since_probe_up_ = static_cast<std::uint32_t>(rng.below(2));
  bw_probe_wait_ = std::chrono::milliseconds(2'000 + rng.below(kSpreadMs));
}

void Bbr::note_loss(const LossSample& loss, Instant now) {
  if (loss.octets == 0) return;
  if (!is_loss_in_round_) {
    loss_round_delivered_ = delivered_;
    save_state_upon_loss();
  }
  is_loss_in_round_ = true;
  loss_ranges_in_round_ =
      static_cast<std::uint8_t>(std::min<std::uint32_t>(loss_ranges_in_round_ + loss.ranges, 0xff));
  if (!is_bw_probe_sample_) return;
  const auto in_flight = static_cast<float>(loss.in_flight);
  const auto lost = static_cast<float>(loss.lost);
  if (lost <= in_flight * kLossThresh) return;
  // §5.5.10.2 InflightAtLoss: how much of what was lost now was too much.
  const auto size = static_cast<float>(loss.octets);
  const float inflight_prev = std::max(in_flight - size, 0.0F);
  const float lost_prev = std::max(lost - size, 0.0F);
  const float lost_prefix =
      std::max((kLossThresh * inflight_prev - lost_prev) / (1 - kLossThresh), 0.0F);
  handle_inflight_too_high(octets_of(inflight_prev + lost_prefix), loss.app_limited, now);
}

void Bbr::handle_inflight_too_high(Octets in_flight, bool app_limited, Instant now) {
  prev_probe_too_high_ = true;
  is_bw_probe_sample_ = false;  // Once for each probe.
  if (!app_limited) {
    const auto floor = octets_of(static_cast<float>(target_inflight()) * kBeta);
    bounds_.inflight_longterm = std::max(in_flight, floor);
  }
  if (state_ != State::Up) return;
  undo_state_ = State::Up;
  start_down(now);
}

void Bbr::update_latest_delivery(const AckSample& ack) {
  bw_latest_ = std::max(bw_latest_, static_cast<float>(ack.rate.rate()));
  inflight_latest_ = std::max(inflight_latest_, static_cast<Octets>(ack.rate.octets()));
  loss_round_start_ = ack.rate.prior >= loss_round_delivered_;
  if (loss_round_start_) loss_round_delivered_ = delivered_;
}

void Bbr::update_congestion_signals(const AckSample& ack) {
  update_max_bw(ack);
  if (!loss_round_start_) return;
  // Unlike in the draft: what follows ProbeRTT was sent slowly, and is no measure for the path.
  if (ack.rate.prior >= slow_until_) adapt_lower_bounds();
  is_loss_in_round_ = false;
}

void Bbr::adapt_lower_bounds() {
  if (is_probing_bw() || !is_loss_in_round_) return;
  if (bounds_.bw_shortterm == kAnyRate) bounds_.bw_shortterm = max_bw();
  if (bounds_.inflight_shortterm == kUnbounded) bounds_.inflight_shortterm = cwnd_;
  // Unlike in the draft (§5.5.10.3), which takes what was delivered as it is: where segments were
  // paced below the bound, that much less arrives, and each round with a single loss would lower
  // the bound by it, however small the share of what is lost.
  const float sent_share = std::min(gains().pacing, 1.0F) * (1 - kPacingMargin);
  bounds_.bw_shortterm = std::max(bw_latest_ / sent_share, kBeta * bounds_.bw_shortterm);
  bounds_.inflight_shortterm =
      octets_of(std::max(static_cast<float>(inflight_latest_) / sent_share,
                         kBeta * static_cast<float>(bounds_.inflight_shortterm)));
}

void Bbr::update_max_bw(const AckSample& ack) {
  const auto rate = static_cast<float>(ack.rate.rate());
  if (rate > 0 && (rate >= max_bw() || !is_app_limited(ack)))
    max_bw_filter_[1] = std::max(max_bw_filter_[1], rate);
}

void Bbr::update_ack_aggregation(const AckSample& ack) {
  auto expected = octets_of(bw_ * seconds(ack.now - extra_acked_start_));
  if (extra_acked_delivered_ <= expected) {
    extra_acked_delivered_ = 0;
    extra_acked_start_ = ack.now;
    expected = 0;
  }
  extra_acked_delivered_ += ack.delivered;
  const Octets extra = std::min(extra_acked_delivered_ - expected, cwnd_);
  // In Startup one round is remembered, afterwards ten.
  if (round_start_ &&
      round_count_ - extra_acked_round_ >= (full_bw_reached_ ? kExtraAckedRounds : 1)) {
    extra_acked_filter_ = {full_bw_reached_ ? extra_acked_filter_[1] : 0, 0};
    extra_acked_round_ = round_count_;
  }
  extra_acked_filter_[1] = std::max(extra_acked_filter_[1], extra);
}

void Bbr::save_state_upon_loss() {
  save_cwnd();
  undo_state_ = State::Drain;
  undo_bounds_ = bounds_;
}

void Bbr::save_cwnd() {
  const bool normal = !repairing_ && state_ != State::ProbeRtt;
  prior_cwnd_ = normal ? cwnd_ : std::max(prior_cwnd_, cwnd_);
}

void Bbr::restore_cwnd() { cwnd_ = std::max(cwnd_, prior_cwnd_); }

void Bbr::set_pacing_rate(float gain) {
  const float rate = gain * bw_ * (1 - kPacingMargin);
  if (rate > 0 && (full_bw_reached_ || rate > pacing_rate_)) pacing_rate_ = rate;
}

Bbr::Octets Bbr::bdp(float bw, float gain) const {
  if (min_rtt_ == Duration::max())
    return static_cast<Octets>(initial_window(initial_segments_, mss_));
  return octets_of(gain * bw * seconds(min_rtt_));
}

Bbr::Octets Bbr::quantization_budget(Octets inflight_cap) const {
  // §5.5.8.1: three bursts: one that leaves, one on the way, one that waits for its ACK.
  const Octets quantum = std::clamp(octets_of(pacing_rate_ / 1000), 2 * mss_, kMaxSendQuantum);
  inflight_cap = std::max({inflight_cap, 3 * quantum, min_pipe_cwnd()});
  return state_ == State::Up ? inflight_cap + 2 * mss_ : inflight_cap;
}

Bbr::Octets Bbr::inflight(float bw, float gain) const { return quantization_budget(bdp(bw, gain)); }

Bbr::Octets Bbr::inflight_with_headroom() const {
  if (bounds_.inflight_longterm == kUnbounded) return kUnbounded;
  const auto longterm = static_cast<float>(bounds_.inflight_longterm);
  const float headroom = std::max(static_cast<float>(mss_), kHeadroom * longterm);
  return std::max(octets_of(longterm - headroom), min_pipe_cwnd());
}

Bbr::Octets Bbr::probe_rtt_cwnd() const {
  return std::max(bdp(bw_, kProbeRttCwndGain), min_pipe_cwnd());
}

void Bbr::set_cwnd(const AckSample& ack) {
  const Octets extra_acked = std::max(extra_acked_filter_[0], extra_acked_filter_[1]);
  const Octets most = quantization_budget(bdp(bw_, gains().cwnd) + extra_acked);
  const std::uint64_t initial = initial_window(initial_segments_, mss_);
  if (full_bw_reached_) {
    cwnd_ = std::min(cwnd_ + ack.delivered, most);
  } else if (cwnd_ < most || delivered_ < initial) {
    cwnd_ += ack.delivered;
  }
  cwnd_ = std::max(cwnd_, min_pipe_cwnd());
  if (state_ == State::ProbeRtt) cwnd_ = std::min(cwnd_, probe_rtt_cwnd());
  // §5.6.4.7.
  Octets cap = kUnbounded;
  if (state_ == State::ProbeRtt || state_ == State::Cruise) {
    cap = inflight_with_headroom();
  } else if (is_in_probe_bw()) {
    cap = bounds_.inflight_longterm;
  }
  cap = std::max(std::min(cap, bounds_.inflight_shortterm), min_pipe_cwnd());
  cwnd_ = std::min(cwnd_, cap);
}

}  // namespace cc
