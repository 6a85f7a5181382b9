#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "dataplane/base/byte_io.hpp"

namespace apps::hawser {

using dataplane::ByteSpan;

/// The payload of perf: the octet at a position depends on the position modulo a prime. So data
/// that is lost, doubled or moved by any distance that a segment or a buffer could have is seen,
/// and both ends work from a table.
class PerfPattern {
 public:
  PerfPattern();

  /// Octets from `position` on, as many as the table has in one piece; at least kPeriod.
  ByteSpan from(std::uint64_t position) const {
    return ByteSpan(table_).subspan(static_cast<std::size_t>(position % kPeriod));
  }
  /// How many of the octets are not those that belong from `position` on.
  std::uint64_t count_mismatches(std::uint64_t position, ByteSpan octets) const;

  static constexpr std::size_t kPeriod = 65'521;  ///< The largest prime below 64 Ki.

 private:
  std::vector<std::byte> table_;  ///< Two periods, so that every position has a whole one ahead.
};

/// Receives a stream of which the last `kTail` octets are not payload, and nobody knows where it
/// ends before it does.
class PerfReceiver {
 public:
  /// `pattern` may be null: nothing is checked. With `has_tail` unset all is payload.
  PerfReceiver(const PerfPattern* pattern, bool has_tail)
      : pattern_(pattern), has_tail_(has_tail) {}

  void on_octets(ByteSpan octets);

  /// Payload octets, of what is certain to be payload.
  std::uint64_t payload() const { return payload_; }
  std::uint64_t mismatches() const { return mismatches_; }
  /// The last octets that came; all kTail of them once the stream had so many.
  ByteSpan tail() const { return ByteSpan(tail_).first(tail_size_); }

  static constexpr std::size_t kTail = 64;

 private:
  void accept(ByteSpan octets);

  const PerfPattern* pattern_;
  bool has_tail_;
  std::uint64_t payload_ = 0;
  std::uint64_t mismatches_ = 0;
  std::array<std::byte, kTail> tail_{};
  std::size_t tail_size_ = 0;
};

}  // namespace apps::hawser
