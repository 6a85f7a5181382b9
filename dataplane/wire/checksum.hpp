#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "dataplane/base/address.hpp"
#include "dataplane/base/byte_io.hpp"

namespace dataplane::wire {

/// Folds a sum of 16-bit words with its carries into 16 bits (RFC 1071 §2).
constexpr std::uint16_t fold_sum(std::uint64_t sum) {
  sum = (sum & 0xffff'ffff) + (sum >> 32);
  sum = (sum & 0xffff'ffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

/// How the sum over long runs of octets is computed. All give the same result; the fastest that
/// this CPU has is chosen once, at start.
struct ChecksumKernel {
  std::string_view name;
  /// The sum of `length` octets as words in memory order, an odd last octet padded with zero; to be
  /// folded.
  std::uint64_t (*sum)(const std::byte* from, std::size_t length);
  /// The same, while copying to memory that does not overlap.
  std::uint64_t (*copy_and_sum)(const std::byte* from, std::byte* to, std::size_t length);
};

/// Every kernel that this CPU can run; the plain one first, the one in use last.
std::span<const ChecksumKernel> checksum_kernels();
/// The kernel in use.
const ChecksumKernel& checksum_kernel();

/// A ones' complement sum under way (RFC 1071). Pieces follow each other as in the packet; each may
/// have any length and any alignment.
class Checksum {
 public:
  void add(ByteSpan octets) {
    take(checksum_kernel().sum(octets.data(), octets.size()), octets.size());
  }
  /// Adds the octets and copies them to `to`, in one pass over the memory.
  void add_copy(ByteSpan octets, std::byte* to) {
    take(checksum_kernel().copy_and_sum(octets.data(), to, octets.size()), octets.size());
  }
  /// Adds a header of some words of four octets, for which a call would cost more than the sum.
  void add_header(ByteSpan octets) {
    for (std::size_t i = 0; i < octets.size(); i += 4) {
      std::uint32_t word;
      std::memcpy(&word, octets.data() + i, sizeof word);
      sum_ += word;
    }
  }
  /// Adds one 16-bit field. Only after an even number of octets.
  void add_u16(std::uint16_t value) { sum_ += __builtin_bswap16(value); }
  /// The pseudo header of TCP and ICMPv6 (RFC 9293 §3.1, RFC 8200 §8.1). Only after an even number
  /// of octets.
  void add_pseudo_header(const IpAddress& source, const IpAddress& destination,
                         std::uint8_t protocol, std::uint32_t length) {
    // The words of the form ::ffff:a.b.c.d that IPv4 does not have are 0 and twice 0xffff, which is
    // 0 in ones' complement: one sum serves both families.
    add_address(source);
    add_address(destination);
    sum_ += __builtin_bswap32(length);
    add_u16(protocol);
  }

  /// The folded sum as it stands in a header with offload: not complemented.
  std::uint16_t folded() const { return __builtin_bswap16(fold_sum(sum_)); }
  /// The value of the checksum field.
  std::uint16_t finish() const { return static_cast<std::uint16_t>(~folded()); }
  /// Whether what was added, checksum field included, is consistent.
  bool is_valid() const { return fold_sum(sum_) == 0xffff; }

 private:
  void take(std::uint64_t sum, std::size_t length) {
    // A piece that starts at an odd place has its words the other way round (RFC 1071 §2B).
    const std::uint16_t folded = fold_sum(sum);
    sum_ += odd_ ? __builtin_bswap16(folded) : folded;
    odd_ ^= (length & 1) != 0;
  }
  void add_address(const IpAddress& address) {
    std::uint32_t words[4];
    std::memcpy(words, address.octets().data(), sizeof words);
    for (const std::uint32_t word : words)
      sum_ += word;
  }

  std::uint64_t sum_ = 0;
  bool odd_ = false;
};

/// The checksum field's value over one run of octets, such as an IPv4 header with a checksum field
/// of zero.
inline std::uint16_t checksum_of(ByteSpan octets) {
  Checksum sum;
  sum.add(octets);
  return sum.finish();
}

}  // namespace dataplane::wire
