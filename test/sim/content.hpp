#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dataplane/base/byte_io.hpp"

namespace sim {

/// What the applications say to each other: any octet of any stream can be told from its position
/// alone.
///
/// A stream reads a table of random octets from a start of its own, round and round. The length of
/// the table is a prime, so octets that land a segment, a window or 2^32 away from their place
/// never match.
class Content {
 public:
  explicit Content(std::uint64_t seed);

  /// Names a stream: the port of the accepting side, and who speaks.
  static std::uint64_t key(std::uint16_t port, bool from_client) {
    return (std::uint64_t{port} * 2 + (from_client ? 1 : 0)) * 0x9e37'79b9'7f4a'7c15;
  }
  /// Up to `length` octets from `offset` on that lie in one piece.
  dataplane::ByteSpan at(std::uint64_t key, std::uint64_t offset, std::size_t length) const {
    const auto start = static_cast<std::size_t>((key % kPeriod + offset % kPeriod) % kPeriod);
    const std::size_t piece = length < kPiece ? length : kPiece;
    return {table_.data() + start, piece};
  }
  bool matches(std::uint64_t key, std::uint64_t offset, dataplane::ByteSpan octets) const;

 private:
  static constexpr std::size_t kPeriod = 131'071;
  static constexpr std::size_t kPiece = 65'536;
  std::vector<std::byte> table_;
};

}  // namespace sim
