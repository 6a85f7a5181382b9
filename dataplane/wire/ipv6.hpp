#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "dataplane/base/address.hpp"
#include "dataplane/base/byte_io.hpp"
#include "dataplane/base/result.hpp"
#include "dataplane/wire/ipv4.hpp"

namespace dataplane::wire {

inline constexpr std::size_t kIpv6HeaderLength = 40;
/// Extension headers that a packet may have; more is refused.
inline constexpr unsigned kMaxExtensionHeaders = 8;

/// An IPv6 header (RFC 8200 §3). Extension headers are walked when parsed and never sent.
struct Ipv6Header {
  IpAddress source;
  IpAddress destination;
  IpProtocol protocol{};  ///< Parsed: behind the extension headers.
  std::uint8_t traffic_class = 0;
  std::uint8_t hop_limit = kDefaultHopLimit;
  std::uint32_t flow_label = 0;      ///< 20 bits (RFC 6437).
  std::uint16_t payload_length = 0;  ///< Octets behind the header and its extension headers.

  friend bool operator==(const Ipv6Header&, const Ipv6Header&) = default;
};

struct ParsedIpv6 {
  Ipv6Header header;
  std::size_t header_length = 0;  ///< With extension headers: where the payload starts.
};

/// Reads the header and walks the extension headers (hop-by-hop, routing, destination, AH). Refuses
/// a fragment header, a route that is not at its end, and an option that says so (RFC 8200 §4.2).
Result<ParsedIpv6> parse_ipv6(ByteSpan octets);
/// The packet at the front of `octets`, without link padding, if its headers differ from `first`, a
/// valid header with its extension headers, in nothing but length.
std::optional<ByteSpan> continued_ipv6(ByteSpan first, ByteSpan octets);
/// Writes kIpv6HeaderLength octets.
void emit_ipv6(const Ipv6Header& header, MutableByteSpan out);

/// Where extension headers end, and what follows them.
struct ExtensionsEnd {
  std::size_t length = 0;
  IpProtocol protocol{};
};
/// Walks the extension headers at the front of `octets`, the first of which is of type `next`.
Result<ExtensionsEnd> skip_extension_headers(ByteSpan octets, std::uint8_t next);

}  // namespace dataplane::wire
