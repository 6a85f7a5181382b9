#pragma once

#include <algorithm>
#include <cstdint>

#include "dataplane/base/time.hpp"

namespace dataplane::tcp {

/// Spreads segments over time at a given rate, in bursts: what a millisecond carries may leave at
/// once. A path whose round trip is shorter is governed by its window and never waits here.
class Pacer {
 public:
  /// Octets per second; 0: no pacing.
  void set_rate(std::uint64_t rate) {
    if (rate == rate_) return;
    rate_ = rate;
    ns_per_octet_ = rate == 0 ? 0 : 1e9 / static_cast<double>(rate);
  }
  std::uint64_t rate() const { return rate_; }
  /// A rate counts from now on: time before was not used for it.
  void restart(Instant now) { due_ = now; }
  bool allows(Instant now) const { return rate_ == 0 || due_ <= now; }
  /// Octets that may leave now before allows() says no.
  std::uint64_t allowance(Instant now) const {
    if (rate_ == 0) return UINT32_MAX;
    if (due_ > now) return 0;
    const auto unused = static_cast<double>((now - std::max(due_, now - kBurst)).count());
    return static_cast<std::uint64_t>(unused / ns_per_octet_) + 1;
  }
  void on_sent(Instant now, std::uint32_t octets) {
    if (rate_ == 0) return;
    // Time that was not used is kept for one burst and no more.
    due_ = std::max(due_, now - kBurst) +
           Duration(static_cast<Duration::rep>(static_cast<double>(octets) * ns_per_octet_));
  }
  /// When to come back if allows() says no: late enough to find the time for several segments.
  Instant next_visit() const { return due_ + kBurst / 2; }

 private:
  static constexpr Duration kBurst = 1ms;

  std::uint64_t rate_ = 0;
  double ns_per_octet_ = 0;
  Instant due_{};  ///< When all that was sent has had its time.
};

}  // namespace dataplane::tcp
