#include "cc/dctcp.hpp"

namespace cc {
namespace {

constexpr double kGain = 1.0 / 16;  ///< g (RFC 8257 §4.2).

}  // namespace

void Dctcp::on_ack(const AckSample& ack) {
  acked_ += ack.delivered;
  marked_ += ack.marked;
  // Once per round trip (§3.3).
  if (ack.rate.has_data && ack.rate.prior >= round_end_ && acked_ != 0) {
    alpha_ += kGain * (static_cast<double>(marked_) / static_cast<double>(acked_) - alpha_);
    acked_ = marked_ = 0;
    round_end_ = ack.rate.total;
  }
  reno_.on_ack(ack);
}

void Dctcp::on_ecn(Instant /*now*/, std::uint64_t /*in_flight*/) {
  // Of the window and not of what is in flight: a segment more or less would be more than alpha.
  reno_.reduce_to(
      static_cast<std::uint64_t>(static_cast<double>(reno_.window()) * (1 - alpha_ / 2)));
}

}  // namespace cc
