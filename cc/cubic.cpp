#include "cc/cubic.hpp"

#include <cmath>

namespace cc {
namespace {

constexpr double kBeta = 0.7;      ///< RFC 9438 §4.6.
constexpr double kBetaEcn = 0.85;  ///< RFC 8511 §3.1.
constexpr double kC = 0.4;         ///< Segments per cubic second (RFC 9438 §5.1).
/// Growth of W_est that gives Reno's average window with our smaller decrease (RFC 9438 §4.3).
constexpr double kAlpha = 3 * (1 - kBeta) / (1 + kBeta);

double seconds(Duration span) { return std::chrono::duration<double>(span).count(); }

std::uint64_t decreased(std::uint64_t octets, double factor = kBeta) {
  return static_cast<std::uint64_t>(static_cast<double>(octets) * factor);
}

}  // namespace

Cubic::Cubic(const ControllerConfig& config) : window_(config), last_ack_(config.now) {}

void Cubic::on_ack(const AckSample& ack) {
  if (ack.acked_bytes == 0) return;
  window_.timed_out = false;
  if (!ack.cwnd_limited) {
    pause_epoch(ack.now);
    slow_start_.on_pause();
  } else if (!ack.in_recovery) {
    if (window_.in_slow_start()) {
      slow_start_.on_ack(window_, ack);
    } else {
      if (!curve_.started) start_epoch(ack.now);
      grow_on_curve(ack);
    }
  }
  last_ack_ = ack.now;
}

void Cubic::on_loss(Instant /*now*/, std::uint64_t in_flight) {
  save();
  reduce_plateau();
  window_.reduce(decreased(window_.carried(in_flight)));
}

void Cubic::on_ecn(Instant /*now*/, std::uint64_t in_flight) {
  // Who marks has a short queue, which a smaller reduction drains (RFC 8511 §1); but slow start has
  // gone beyond it by a whole window.
  const double factor = window_.in_slow_start() ? kBeta : kBetaEcn;
  reduce_plateau();
  window_.reduce(decreased(window_.carried(in_flight), factor));
  saved_cwnd_ = 0;
}

void Cubic::on_timeout(Instant /*now*/, std::uint64_t in_flight) {
  if (!window_.timed_out) {
    save();
    curve_.prior = static_cast<float>(window_.cwnd);
  }
  window_.collapse(decreased(in_flight));
  // RFC 9438 §4.8: the stage that follows has K = 0 and its plateau where it begins.
  curve_.w_max = 0;
  curve_.started = false;
}

void Cubic::on_idle(Instant now, Duration idle, Duration rto) {
  pause_epoch(now);
  last_ack_ = std::max(last_ack_, now);
  if (idle <= rto) return;
  // A queue was seen: the next start knows where to end.
  if (slow_start_.is_conservative()) window_.ssthresh = window_.octets();
  window_.validate_after_idle(idle);
  slow_start_.restart();
  // Slow start comes first again; what is known of the plateau stays.
  if (window_.in_slow_start()) curve_.started = false;
}

void Cubic::on_undo() {
  if (saved_cwnd_ == 0) return;
  window_.cwnd = std::max(window_.cwnd, saved_cwnd_);
  window_.ssthresh = std::max(window_.ssthresh, saved_ssthresh_);
  curve_ = saved_curve_;
  w_est_ = static_cast<double>(saved_w_est_);
  saved_cwnd_ = 0;
}

void Cubic::save() {
  saved_cwnd_ = window_.cwnd;
  saved_ssthresh_ = window_.ssthresh;
  saved_curve_ = curve_;
  saved_w_est_ = static_cast<float>(w_est_);
}

void Cubic::start_epoch(Instant now) {
  const double missing = static_cast<double>(curve_.w_max) - window_.cwnd;
  if (missing > 0) {
    curve_.k = static_cast<float>(std::cbrt(missing / (kC * window_.mss)));
  } else {
    curve_.w_max = static_cast<float>(window_.cwnd);
    curve_.k = 0;
  }
  curve_.epoch = now;
  curve_.started = true;
  w_est_ = window_.cwnd;
}

double Cubic::w_cubic(Duration since_epoch) const {
  const double from_plateau = seconds(since_epoch) - static_cast<double>(curve_.k);
  return kC * window_.mss * from_plateau * from_plateau * from_plateau +
         static_cast<double>(curve_.w_max);
}

void Cubic::grow_on_curve(const AckSample& ack) {
  const Duration since_epoch = ack.now - curve_.epoch;
  const double share = static_cast<double>(ack.acked_bytes) / window_.cwnd;
  // RFC 9438 §4.3: from the window of the last event on, grow as fast as Reno does.
  w_est_ += (w_est_ < static_cast<double>(curve_.prior) ? kAlpha : 1.0) * share * window_.mss;
  if (w_cubic(since_epoch) < w_est_) {
    window_.cwnd = std::max(window_.cwnd, w_est_);
    return;
  }
  // RFC 9438 §4.4 and §4.5: towards where the curve will be in one round trip.
  const Duration round_trip = ack.srtt > Duration(0) ? ack.srtt : ack.rtt;
  const double target =
      std::clamp(w_cubic(since_epoch + round_trip), window_.cwnd, 1.5 * window_.cwnd);
  window_.cwnd += (target - window_.cwnd) * std::min(share, 1.0);
}

void Cubic::reduce_plateau() {
  const auto cwnd = static_cast<float>(window_.cwnd);
  // RFC 9438 §4.7: who did not come back to the last plateau makes room for newcomers.
  curve_.w_max = cwnd < curve_.w_max ? static_cast<float>(window_.cwnd * (1 + kBeta) / 2) : cwnd;
  curve_.prior = cwnd;
  curve_.started = false;
}

void Cubic::pause_epoch(Instant now) {
  // RFC 9438 §5.8: the curve's time stands still while the application is the limit.
  if (curve_.started && now > last_ack_) curve_.epoch += now - last_ack_;
}

}  // namespace cc
