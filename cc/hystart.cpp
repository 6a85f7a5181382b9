#include "cc/hystart.hpp"

#include <algorithm>

namespace cc {
namespace {

// RFC 9406 §4.2 and §4.3.
constexpr std::uint32_t kMinThresholdUs = 4'000;
constexpr std::uint32_t kMaxThresholdUs = 16'000;
constexpr std::uint32_t kDelayDivisor = 8;
constexpr std::uint8_t kSamples = 8;
constexpr std::uint32_t kGrowthDivisor = 4;
constexpr std::uint8_t kConservativeRounds = 5;

}  // namespace

void HyStart::on_ack(Window& window, const AckSample& ack) {
  if (window.ssthresh != kNoThreshold) return window.grow_in_slow_start(ack.acked_bytes);
  const auto ended = [&] {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(ack.rate.prior) - round_end_) >= 0;
  };
  if (ack.rate.has_data && ended()) start_round(window, ack.rate.total);
  window.grow_in_slow_start(ack.acked_bytes, is_conservative() ? kGrowthDivisor : 1);
  if (ack.rtt <= Duration::zero()) return;
  current_min_us_ =
      std::min(current_min_us_, static_cast<std::uint32_t>(ack.rtt / std::chrono::microseconds(1)));
  if (samples_ < kSamples) ++samples_;
  if (samples_ == kSamples) look_at_delay();
}

void HyStart::look_at_delay() {
  if (is_conservative()) {
    // The delay went down again: it was no queue of ours.
    if (current_min_us_ < baseline_us_ && !paused_) baseline_us_ = kNone;
    return;
  }
  if (last_min_us_ == kNone) return;
  const std::uint32_t threshold =
      std::clamp(last_min_us_ / kDelayDivisor, kMinThresholdUs, kMaxThresholdUs);
  if (current_min_us_ < last_min_us_ + threshold) return;
  baseline_us_ = current_min_us_;
  conservative_rounds_ = 0;
  paused_ = false;
}

void HyStart::start_round(Window& window, std::uint64_t delivered) {
  round_end_ = static_cast<std::uint32_t>(delivered);
  last_min_us_ = current_min_us_;
  current_min_us_ = kNone;
  samples_ = 0;
  // The round in which it began counts as the first.
  if (is_conservative() && ++conservative_rounds_ >= kConservativeRounds)
    window.ssthresh = window.octets();
}

}  // namespace cc
