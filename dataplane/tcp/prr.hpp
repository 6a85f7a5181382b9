#pragma once

#include <algorithm>
#include <cstdint>

namespace dataplane::tcp {

/// Proportional Rate Reduction (RFC 6937, and its successor's conservative bound): while a window's
/// losses are repaired, sending goes on in proportion to what arrives, and ends at the threshold;
/// there is neither a silence at the start nor a burst at the end.
class Prr {
 public:
  /// `flight`: octets in the network before the ACK that showed the loss.
  void start(std::uint64_t flight) {
    flight_ = std::max<std::uint64_t>(flight, 1);
    delivered_ = sent_ = window_ = 0;
  }
  /// An ACK in recovery. `advanced`: it acknowledged cumulatively and showed no further loss.
  void on_ack(std::uint64_t delivered, std::uint64_t pipe, std::uint64_t threshold,
              std::uint32_t mss, bool advanced) {
    delivered_ += delivered;
    std::uint64_t allowance = 0;
    if (pipe > threshold) {
      const std::uint64_t due = (delivered_ * threshold + flight_ - 1) / flight_;
      allowance = due - std::min(due, sent_);
    } else {
      allowance = std::max(delivered_ - std::min(delivered_, sent_), delivered);
      if (advanced) allowance += mss;
      allowance = std::min(allowance, threshold - pipe);
    }
    window_ = pipe + allowance;
  }
  void on_sent(std::uint64_t octets) { sent_ += octets; }
  /// What may be in the network until the next ACK.
  std::uint64_t window() const { return window_; }

 private:
  std::uint64_t flight_ = 1;     ///< RecoverFS.
  std::uint64_t delivered_ = 0;  ///< prr_delivered.
  std::uint64_t sent_ = 0;       ///< prr_out.
  std::uint64_t window_ = 0;
};

}  // namespace dataplane::tcp
