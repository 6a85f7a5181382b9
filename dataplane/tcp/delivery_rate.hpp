#pragma once

#include <algorithm>
#include <cstdint>

#include "cc/ack_sample.hpp"
#include "dataplane/base/time.hpp"

namespace dataplane::tcp {

/// Delivery rate estimation (draft-ietf-ccwg-bbr §4.1): each segment remembers how much had been
/// delivered when it was sent, and its ACK tells how much was delivered in between.
class DeliveryRate {
 public:
  /// What a segment remembers of the moment at which it was sent. Counts are the low halves of
  /// ours; times are distances, in units of 16 ns that end at 68 s.
  struct Snapshot {
    std::uint32_t delivered = 0;
    std::uint32_t lost = 0;
    std::uint32_t in_flight = 0;
    std::uint32_t since_delivered = 0;   ///< P.send_time - P.delivered_time.
    std::uint32_t since_first_sent = 0;  ///< P.send_time - P.first_send_time.
  };

  /// `in_flight` counts the segment itself; `first`: nothing else was in flight.
  Snapshot on_sent(Instant now, std::uint32_t in_flight, bool first) {
    if (first) first_sent_at_ = delivered_at_ = now;
    return {.delivered = static_cast<std::uint32_t>(delivered_),
            .lost = static_cast<std::uint32_t>(lost_),
            .in_flight = in_flight,
            .since_delivered = packed(now - delivered_at_),
            .since_first_sent = packed(now - first_sent_at_)};
  }
  /// §4.1.2.3 UpdateRateSample: before each ACK start with an empty sample.
  void on_delivered(const Snapshot& sent, Instant sent_at, bool app_limited, std::uint32_t length,
                    Instant now, cc::RateSample& out) {
    delivered_ += length;
    delivered_at_ = now;
    if (out.has_data && sent_at < first_sent_at_) return;
    out.has_data = true;
    out.prior = delivered_ - (static_cast<std::uint32_t>(delivered_) - sent.delivered);
    out.in_flight = sent.in_flight;
    out.lost = static_cast<std::uint32_t>(lost_) - sent.lost;
    out.app_limited = app_limited;
    // The longer of both ways to count: neither a burst of ACKs nor one of segments is a rate.
    const Duration ack_elapsed = now - sent_at + unpacked(sent.since_delivered);
    out.interval = std::max(ack_elapsed, unpacked(sent.since_first_sent));
    first_sent_at_ = sent_at;
  }
  /// Completes the sample of one ACK. An interval shorter than any round trip comes from an ACK of
  /// the first transmission of what was sent twice.
  void finish(cc::RateSample& out, Duration min_rtt) {
    out.total = delivered_;
    if (app_limited_until_ != 0 && delivered_ > app_limited_until_) app_limited_until_ = 0;
    if (out.interval < min_rtt) out.interval = Duration::zero();
  }
  void on_lost(std::uint32_t octets) { lost_ += octets; }
  std::uint32_t lost_since(const Snapshot& sent) const {
    return static_cast<std::uint32_t>(lost_) - sent.lost;
  }

  /// The application has nothing to send where it might: what is sent until all of `in_flight` is
  /// delivered says nothing about the path.
  void on_app_limited(std::uint32_t in_flight) {
    app_limited_until_ = std::max<std::uint64_t>(delivered_ + in_flight, 1);
  }
  bool is_app_limited() const { return app_limited_until_ != 0; }

 private:
  static constexpr unsigned kUnitShift = 4;

  static std::uint32_t packed(Duration span) {
    return static_cast<std::uint32_t>(
        std::min<std::int64_t>(span.count() >> kUnitShift, 0xffff'ffff));
  }
  static Duration unpacked(std::uint32_t units) {
    return Duration(std::int64_t{units} << kUnitShift);
  }

  std::uint64_t delivered_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t app_limited_until_ = 0;  ///< C.app_limited; 0: it is not.
  Instant delivered_at_{};
  Instant first_sent_at_{};
};

}  // namespace dataplane::tcp
