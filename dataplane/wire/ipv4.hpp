#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "dataplane/base/address.hpp"
#include "dataplane/base/byte_io.hpp"
#include "dataplane/base/result.hpp"

namespace dataplane::wire {

inline constexpr std::size_t kIpv4HeaderLength = 20;  ///< Without options.
inline constexpr std::uint8_t kDefaultHopLimit = 64;

/// What an IP packet carries (the numbers that we name).
enum class IpProtocol : std::uint8_t { Icmp = 1, Tcp = 6, Icmpv6 = 58 };

/// An IPv4 header (RFC 791 §3.1). Options are skipped when parsed and never sent.
struct Ipv4Header {
  IpAddress source = IpAddress::v4(0);
  IpAddress destination = IpAddress::v4(0);
  IpProtocol protocol{};           ///< Any value; those without a name are not ours.
  std::uint8_t traffic_class = 0;  ///< DSCP and, in its low two bits, ECN (RFC 3168 §5).
  std::uint8_t hop_limit = kDefaultHopLimit;
  bool dont_fragment = true;
  std::uint16_t identification = 0;  ///< May be 0 with dont_fragment (RFC 6864 §4.1).
  std::uint16_t payload_length = 0;  ///< Octets behind the header.

  friend bool operator==(const Ipv4Header&, const Ipv4Header&) = default;
};

struct ParsedIpv4 {
  Ipv4Header header;
  std::size_t header_length = 0;  ///< With options: where the payload starts.
};

/// Whether a parser looks at the checksum, or the device already did.
enum class ChecksumCheck : bool { Skip, Verify };

/// Reads a header at the front of a packet; what lies behind its total length is link padding.
/// Fragments are refused.
Result<ParsedIpv4> parse_ipv4(ByteSpan octets, ChecksumCheck check);
/// The packet at the front of `octets`, without link padding, if its header differs from the valid
/// header `first` in nothing but length, identification and checksum, and is as valid.
std::optional<ByteSpan> continued_ipv4(ByteSpan first, ByteSpan octets, ChecksumCheck check);
/// Writes kIpv4HeaderLength octets with their checksum.
void emit_ipv4(const Ipv4Header& header, MutableByteSpan out);

}  // namespace dataplane::wire
