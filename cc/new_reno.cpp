#include "cc/new_reno.hpp"

namespace cc {
namespace {

constexpr double kBetaEcn = 0.8;  ///< RFC 8511 §3.1.

}  // namespace

NewReno::NewReno(const ControllerConfig& config) : window_(config) {}

void NewReno::on_ack(const AckSample& ack) {
  if (ack.acked_bytes == 0) return;
  window_.timed_out = false;
  if (ack.in_recovery || !ack.cwnd_limited) return;
  if (window_.in_slow_start()) return slow_start_.on_ack(window_, ack);
  // One segment per window of acknowledged octets (RFC 3465 §2.1).
  acked_ += ack.acked_bytes;
  if (acked_ < window_.cwnd) return;
  acked_ -= window_.cwnd;
  window_.cwnd += window_.mss;
}

void NewReno::on_loss(Instant /*now*/, std::uint64_t in_flight) {
  save();
  window_.reduce(window_.carried(in_flight) / 2);
  acked_ = 0;
}

void NewReno::on_ecn(Instant /*now*/, std::uint64_t in_flight) {
  // The smaller reduction is for congestion avoidance (RFC 8511 §1): slow start has gone beyond the
  // queue by a whole window.
  const double kept = window_.in_slow_start() ? 0.5 : kBetaEcn;
  reduce_to(static_cast<std::uint64_t>(static_cast<double>(window_.carried(in_flight)) * kept));
}

void NewReno::reduce_to(std::uint64_t octets) {
  window_.reduce(octets);
  acked_ = 0;
  saved_cwnd_ = 0;
}

void NewReno::on_timeout(Instant /*now*/, std::uint64_t in_flight) {
  if (!window_.timed_out) save();
  window_.collapse(in_flight / 2);
  acked_ = 0;
}

void NewReno::on_idle(Instant /*now*/, Duration idle, Duration rto) {
  if (idle <= rto) return;
  window_.validate_after_idle(idle);
  slow_start_.restart();
}

void NewReno::on_undo() {
  if (saved_cwnd_ == 0) return;
  window_.cwnd = std::max(window_.cwnd, saved_cwnd_);
  window_.ssthresh = std::max(window_.ssthresh, saved_ssthresh_);
  saved_cwnd_ = 0;
}

void NewReno::save() {
  saved_cwnd_ = window_.cwnd;
  saved_ssthresh_ = window_.ssthresh;
}

}  // namespace cc
