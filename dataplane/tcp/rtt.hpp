#pragma once

#include <algorithm>
#include <cstdint>

#include "dataplane/base/time.hpp"

namespace dataplane::tcp {

/// Round-trip time and retransmission timeout (RFC 6298).
class RttEstimator {
 public:
  RttEstimator(Duration initial, Duration min, Duration max)
      : rto_(initial), rto_min_(min), rto_max_(max) {}

  /// RFC 6298 §2.2, §2.3. A sample from a segment that was sent once, or from a timestamp (§3).
  void on_sample(Duration rtt) {
    if (srtt_ == Duration::zero()) {
      srtt_ = rtt;
      rttvar_ = rtt / 2;
      min_rtt_ = rtt;
    } else {
      const Duration error = srtt_ > rtt ? srtt_ - rtt : rtt - srtt_;
      rttvar_ += (error - rttvar_) / 4;
      srtt_ += (rtt - srtt_) / 8;
      min_rtt_ = std::min(min_rtt_, rtt);
    }
    srtt_ = std::max<Duration>(srtt_, 1ns);
    // A steady path shows no variation, and then any queue looks like a loss: the least timeout is
    // the least variation as well (as Linux has it).
    rto_ = bounded(srtt_ + std::max({rttvar_ * 4, kGranularity, rto_min_}));
    backoff_ = 0;
  }
  /// RFC 6298 §5.5: after a timeout the timer doubles.
  void on_timeout() {
    backoff_ = std::min<std::uint8_t>(static_cast<std::uint8_t>(backoff_ + 1), kMostBackoff);
  }
  /// New data was acknowledged: the backed-off value no longer stands (RFC 6298 §5.7 with Karn's
  /// rule of §3 kept by the sampling).
  void on_progress() { backoff_ = 0; }

  bool has_sample() const { return srtt_ != Duration::zero(); }
  Duration srtt() const { return srtt_; }
  Duration rttvar() const { return rttvar_; }
  Duration min_rtt() const { return min_rtt_; }
  /// No back-off goes beyond it from now on.
  void limit(Duration longest) { rto_max_ = longest; }
  /// With the back-off applied, within the bounds.
  Duration rto() const {
    if (!has_sample()) return persist_interval();
    // Deviation: RFC 6298 §5.5 doubles the timer at each timeout, and RFC 6298 §2.5 has no bound
    // below 60 s. A path that was known and is cut would then be asked for the first time when it
    // has been back for as long as it was away. One segment in a second is what RFC 6298 §2.4 lets
    // the first timeout of any connection send; the timer always doubles once; and after a minute
    // without an answer it doubles again.
    const int beyond = std::clamp(backoff_ - kProbes, 0, kMostShift);
    const Duration bound = std::max<Duration>(2 * rto_, kProbeInterval);
    return std::min(persist_interval(), bound * (std::int64_t{1} << beyond));
  }
  /// The same for a peer that lives and takes nothing: there is nothing to find out soon, and each
  /// timeout doubles it (RFC 9293 §3.8.6.1).
  Duration persist_interval() const {
    return std::min(rto_max_, rto_ * (std::int64_t{1} << std::min<int>(backoff_, kMostShift)));
  }
  std::uint8_t backoff() const { return backoff_; }
  /// RFC 6298 §5.7: after a SYN had to be sent again without a sample, data starts at 3 seconds.
  void on_syn_retransmitted() {
    if (!has_sample()) rto_ = bounded(3s);
  }

 private:
  /// G of RFC 6298 §2: what one turn of the poll loop may add.
  static constexpr Duration kGranularity = 1ms;

  static constexpr Duration kProbeInterval = 1s;
  static constexpr int kProbes = 64;  ///< Timeouts after which the timer doubles without bound.
  static constexpr int kMostShift = 16;
  static constexpr std::uint8_t kMostBackoff = kProbes + kMostShift;

  Duration bounded(Duration rto) const { return std::clamp(rto, rto_min_, rto_max_); }

  Duration srtt_{};
  Duration rttvar_{};
  Duration min_rtt_{};
  Duration rto_;
  Duration rto_min_;
  Duration rto_max_;
  std::uint8_t backoff_ = 0;
};

}  // namespace dataplane::tcp
