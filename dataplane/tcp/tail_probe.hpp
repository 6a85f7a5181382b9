#pragma once

#include <algorithm>
#include <optional>

#include "dataplane/base/seq.hpp"
#include "dataplane/base/time.hpp"

namespace dataplane::tcp {

/// Tail Loss Probe (RFC 8985 §7): when a whole flight's end stays without an ACK, one segment asks
/// for it before the retransmission timer gives all up for lost.
class TailProbe {
 public:
  /// §7.2 TLP_calc_PTO.
  static Duration timeout(Duration srtt, bool one_segment) {
    // The peer may wait for a second segment before it acknowledges a single one.
    constexpr Duration kMaxAckDelay = 50ms;
    return std::max<Duration>(2 * srtt + (one_segment ? kMaxAckDelay : 0ms), 1ms);
  }
  /// §7.3: a probe leaves; SND.NXT behind it.
  void start(SeqNum snd_nxt, bool is_retransmission) {
    end_ = snd_nxt;
    is_retransmission_ = is_retransmission;
  }
  bool is_out() const { return end_.has_value(); }
  void stop() { end_.reset(); }
  /// §7.4.2: an ACK. True when the probe repaired a loss that nothing else has shown.
  bool on_ack(SeqNum ack, bool duplicate_reported, bool says_nothing_new) {
    if (!end_ || ack < *end_) return false;
    const bool repaired = is_retransmission_ && !duplicate_reported && ack > *end_;
    if (!is_retransmission_ || duplicate_reported || repaired || says_nothing_new) stop();
    return repaired;
  }

 private:
  std::optional<SeqNum> end_;
  bool is_retransmission_ = false;
};

}  // namespace dataplane::tcp
