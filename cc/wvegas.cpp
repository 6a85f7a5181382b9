#include "cc/wvegas.hpp"

#include <algorithm>

namespace cc {
namespace {

// Segments in queues.
constexpr double kTotalAlpha = 10;  ///< Of all subflows together.
constexpr double kLeastAlpha = 2;   ///< Of a subflow at the least.
/// Of the window: slow start is over when more than this waits.
constexpr double kLeastShare = 0.1;
/// Round trip times of which a mean says something.
constexpr double kLeastSamples = 3;
/// How long a least round trip time is believed that does not come again.
constexpr Duration kBaseLifetime = std::chrono::seconds(10);

}  // namespace

void Wvegas::on_ack(const AckSample& ack) {
  if (ack.rtt > Duration::zero()) note_rtt(ack);
  if (ack.acked_bytes == 0) return;
  window_.timed_out = false;
  const bool may_change = !ack.in_recovery && ack.cwnd_limited;
  if (may_change && window_.in_slow_start()) window_.grow_in_slow_start(ack.acked_bytes);
  if (!ack.rate.has_data || ack.rate.prior < round_end_) return;
  round_end_ = ack.rate.total;
  if (samples_ >= kLeastSamples) {
    end_round(ack, may_change);
  } else if (may_change && !window_.in_slow_start()) {
    window_.cwnd += window_.mss;  // As Reno: so small a window says nothing about queues.
  }
  sum_ = samples_ = 0;
}

void Wvegas::note_rtt(const AckSample& ack) {
  const double rtt = std::chrono::duration<double>(ack.rtt).count();
  sum_ += rtt;
  ++samples_;
  if (base_rtt_ != 0 && rtt > base_rtt_) return;
  base_rtt_ = rtt;
  base_until_ = ack.now + kBaseLifetime;
}

void Wvegas::end_round(const AckSample& ack, bool may_change) {
  rtt_ = sum_ / samples_;
  if (!may_change) return;
  if (window_.in_slow_start()) return leave_slow_start(ack);
  const double queued = queued_for(rtt_);
  approach_target(queued);
  if (must_drain(ack.now, queued)) drain();
  window_.cwnd = std::max(window_.cwnd, static_cast<double>(window_.least_threshold()));
}

void Wvegas::leave_slow_start(const AckSample& ack) {
  // Its bursts make queues of their own, an eighth of the window on the way to a full path; so,
  // unlike in the draft, one segment is not enough. What follows a pause is a burst, too.
  const double queued = queued_for(rtt_);
  if (ack.rate.app_limited || queued <= std::max(target(), window_.cwnd * kLeastShare)) return;
  window_.reduce(static_cast<std::uint64_t>(window_.cwnd - queued));
}

double Wvegas::target() const {
  const bool is_coupled = coupling_.paths >= 2 && coupling_.rate > 0 && rtt_ > 0;
  const double weight = is_coupled ? std::min(window_.cwnd / rtt_ / coupling_.rate, 1.0) : 1;
  return std::max(kLeastAlpha, weight * kTotalAlpha) * window_.mss;
}

void Wvegas::approach_target(double queued) {
  // By a segment, or less where that would go beyond it. Unlike in the draft half of what is far
  // too much goes at once, as the end of slow start leaves a long queue.
  const double missing = target() - queued;
  const double most = std::max<double>(window_.mss, -missing / 2);
  window_.cwnd += std::clamp<double>(missing, -most, window_.mss);
  window_.ssthresh = std::min(window_.ssthresh, window_.octets());
}

bool Wvegas::must_drain(Instant now, double queued) {
  // Unlike in the draft: the path may have become longer, which would look like a queue for ever.
  if (now >= base_until_) {
    base_until_ = now + kBaseLifetime;
    // What looks like so long a queue may have cost most of the window.
    if (rtt_ > 1.5 * base_rtt_) window_.ssthresh = kNoThreshold;
    base_rtt_ = rtt_;
    return true;
  }
  // Queues of others that have grown are to be seen empty once. Unlike in the draft, the rounds
  // that are on their way to the target do not count: twice next to nothing is next to nothing.
  if (queued < target()) return false;
  const double wait = rtt_ - base_rtt_;
  least_wait_ = least_wait_ == 0 ? wait : std::min(least_wait_, wait);
  return wait >= 2 * least_wait_;
}

void Wvegas::drain() {
  window_.cwnd *= base_rtt_ / (2 * rtt_);
  least_wait_ = 0;
}

void Wvegas::on_loss(Instant /*now*/, std::uint64_t in_flight) {
  save();
  window_.reduce(window_.carried(in_flight) / 2);
}

void Wvegas::on_ecn(Instant now, std::uint64_t in_flight) {
  on_loss(now, in_flight);
  saved_cwnd_ = 0;
}

void Wvegas::on_timeout(Instant /*now*/, std::uint64_t in_flight) {
  if (!window_.timed_out) save();
  window_.collapse(in_flight / 2);
  forget_path();
}

void Wvegas::on_idle(Instant /*now*/, Duration idle, Duration rto) {
  if (idle <= rto) return;
  window_.validate_after_idle(idle);
  forget_path();
}

void Wvegas::forget_path() {
  // It may be another one by now.
  base_rtt_ = sum_ = samples_ = least_wait_ = 0;
}

void Wvegas::on_undo() {
  if (saved_cwnd_ == 0) return;
  window_.cwnd = std::max(window_.cwnd, saved_cwnd_);
  window_.ssthresh = std::max(window_.ssthresh, saved_ssthresh_);
  saved_cwnd_ = 0;
}

void Wvegas::save() {
  saved_cwnd_ = window_.cwnd;
  saved_ssthresh_ = window_.ssthresh;
}

}  // namespace cc
