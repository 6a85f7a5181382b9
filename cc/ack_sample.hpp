#pragma once

#include <cstdint>

#include "dataplane/base/time.hpp"

namespace cc {

using dataplane::Duration;
using dataplane::Instant;

/// How fast the path delivers, told by the segment that was sent last of those that one ACK
/// acknowledges (draft-ietf-ccwg-bbr §4.1).
struct RateSample {
  std::uint64_t total = 0;      ///< C.delivered: octets delivered in the connection's life.
  std::uint64_t prior = 0;      ///< RS.prior_delivered: that count when the segment was sent.
  Duration interval{};          ///< RS.interval; zero: too short to be believed.
  std::uint32_t in_flight = 0;  ///< RS.tx_in_flight: octets in flight when it was sent, with it.
  std::uint32_t lost = 0;       ///< RS.lost: octets held to be lost since it was sent.
  bool app_limited = false;     ///< The application was the limit then.
  bool has_data = false;        ///< The ACK acknowledged something new.

  /// RS.delivered.
  std::uint64_t octets() const { return has_data ? total - prior : 0; }
  /// RS.delivery_rate, octets per second; 0: none.
  double rate() const {
    if (interval <= Duration::zero()) return 0;
    return static_cast<double>(octets()) / std::chrono::duration<double>(interval).count();
  }
};

/// What was newly held to be lost; the last of it stands for all.
struct LossSample {
  std::uint32_t octets = 0;
  std::uint32_t ranges = 0;     ///< Runs of octets that do not touch each other.
  std::uint32_t in_flight = 0;  ///< P.tx_in_flight of the last segment.
  std::uint32_t lost = 0;       ///< Octets held to be lost since the last segment was sent.
  bool app_limited = false;
};

/// What one ACK that acknowledges something new tells a controller.
struct AckSample {
  Instant now;
  std::uint32_t acked_bytes = 0;  ///< Newly acknowledged cumulatively; 0: by SACK only.
  std::uint32_t delivered = 0;    ///< Newly acknowledged, cumulatively or selectively.
  std::uint32_t marked = 0;       ///< Those of them whose ACK says that there was a mark (ECE).
  std::uint64_t in_flight = 0;    ///< Octets in the network before this ACK came.
  std::uint64_t pipe = 0;         ///< Octets in the network after it.
  Duration rtt{};                 ///< Measured by this ACK; zero: none.
  Duration srtt{};                ///< RFC 6298 §2; zero: no measurement yet.
  /// Whether the window was what kept the sender from sending more; otherwise it does not grow (RFC
  /// 9438 §5.8).
  bool cwnd_limited = false;
  /// The same in the strict sense: at the last attempt to send, the window left no room.
  bool window_full = false;
  /// In fast recovery (RFC 6675 §5), which lasts until all that was in flight at the loss is
  /// acknowledged, or as long after a mark was answered. Not set in the slow start that follows a
  /// timeout.
  bool in_recovery = false;
  /// In fast recovery or what follows a timeout, until all that was in flight is acknowledged.
  bool repairing = false;
  RateSample rate{};
  LossSample loss{};
};

}  // namespace cc
