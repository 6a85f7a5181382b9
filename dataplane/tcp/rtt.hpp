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
    backoff_ = std::min<std::uint8_t>(static_cast<std::uint8_t>(backoff_ + 1), 16);
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
  Duration rto() const { return std::min(rto_max_, rto_ * (std::int64_t{1} << backoff_)); }
  std::uint8_t backoff() const { return backoff_; }
  /// RFC 6298 §5.7: after a SYN had to be sent again without a sample, data starts at 3 seconds.
  void on_syn_retransmitted() {
    if (!has_sample()) rto_ = bounded(3s);
  }

 private:
  /// G of RFC 6298 §2: what one turn of the poll loop may add.
  static constexpr Duration kGranularity = 1ms;

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
