#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "cc/ack_sample.hpp"

namespace cc {

struct ControllerConfig {
  std::uint32_t mss = 536;                     ///< Payload octets of a full segment.
  std::uint32_t initial_window_segments = 10;  ///< RFC 6928 §2.
  Instant now{};
  std::uint32_t seed = 0;  ///< From which all randomness of the controller comes.
  /// Segments by which one ACK may open the window in slow start. RFC 3465 §2.2 says 2 for
  /// receivers that acknowledge each second segment. Ours and the kernel's acknowledge whole
  /// bursts, and 2 would make slow start linear: RFC 9406 §4.2 has 8 for senders without pacing.
  std::uint32_t slow_start_limit_segments = 8;
};

/// RFC 6928 §2, octets.
std::uint64_t initial_window(std::uint64_t segments, std::uint64_t mss);

/// No slow start threshold yet (RFC 5681 §3.1: arbitrarily high).
inline constexpr std::uint64_t kNoThreshold = std::numeric_limits<std::uint64_t>::max();

/// The two variables of RFC 5681 §3.1 and the rules that all loss-based controllers share.
struct Window {
  /// Octets. A fraction matters where growth is a fraction of an octet per ACK.
  double cwnd = 0;
  std::uint64_t ssthresh = kNoThreshold;
  std::uint32_t mss = 0;
  std::uint16_t initial_segments = 0;
  std::uint8_t slow_start_limit = 0;
  /// A timeout happened and nothing was acknowledged since.
  bool timed_out = false;

  explicit Window(const ControllerConfig& config);

  bool in_slow_start() const { return cwnd < static_cast<double>(ssthresh); }
  std::uint64_t octets() const { return static_cast<std::uint64_t>(cwnd); }
  /// RFC 6928 §2.
  std::uint64_t initial() const;
  /// Two segments, below which no threshold goes (RFC 5681 §3.1, equation 4).
  std::uint64_t least_threshold() const { return 2ULL * mss; }

  /// What a reduction starts from: FlightSize, without the segments that limited transmit or an
  /// older, larger window has put there.
  std::uint64_t carried(std::uint64_t in_flight) const { return std::min(in_flight, octets()); }

  /// RFC 3465 §2.2, up to the threshold; by a part of that (RFC 9406 §4.2).
  void grow_in_slow_start(std::uint32_t acked_bytes, std::uint32_t divisor = 1);
  /// A loss that duplicate ACKs showed: both variables become `threshold`.
  void reduce(std::uint64_t threshold);
  /// A retransmission timeout. `threshold` counts for the first one only; a segment that is lost
  /// again says nothing new about the path (RFC 5681 §3.1).
  void collapse(std::uint64_t threshold);
  /// After `idle` with nothing in flight. The window stays for five minutes, being filled by a
  /// pacer (RFC 7661 §4.3, §4.4.2); then half of it is left, and the threshold remembers three
  /// quarters (RFC 7661 §4.4.3).
  void validate_after_idle(Duration idle);
  void change_mss(std::uint32_t octets);
};

}  // namespace cc
