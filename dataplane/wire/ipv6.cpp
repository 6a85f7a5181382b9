#include "dataplane/wire/ipv6.hpp"

namespace dataplane::wire {
namespace {

// Types of extension headers (RFC 8200 §4, RFC 4302 §2).
constexpr std::uint8_t kHopByHop = 0;
constexpr std::uint8_t kRouting = 43;
constexpr std::uint8_t kFragment = 44;
constexpr std::uint8_t kAuthentication = 51;
constexpr std::uint8_t kDestination = 60;

/// Looks at the options of a hop-by-hop or destination header. None means anything to us, so the
/// two high bits of each type decide: 00 is skipped, the others forbid to go on (RFC 8200 §4.2).
Result<void> check_options(ByteSpan octets) {
  Reader in(octets);
  while (in.remaining() != 0) {
    const std::uint8_t type = in.u8();
    if (type == 0) continue;  // Pad1 has no length octet.
    in.skip(in.u8());
    if (!in.ok()) return Refused(Error::BadLength);
    if ((type & 0xc0) != 0) return Refused(Error::BadHeader);
  }
  return {};
}

/// Checks one extension header that is there with its whole `length`.
Result<void> check_extension(std::uint8_t type, ByteSpan header) {
  if (type == kHopByHop || type == kDestination) return check_options(header.subspan(2));
  // We are never a stop on a route, so a route with stops left is an error (RFC 8200 §4.4, RFC 5095
  // §3).
  if (type == kRouting && header[3] != std::byte{0}) return Refused(Error::BadHeader);
  return {};
}

bool is_extension(std::uint8_t type) {
  return type == kHopByHop || type == kRouting || type == kAuthentication || type == kDestination;
}

}  // namespace

Result<ExtensionsEnd> skip_extension_headers(ByteSpan octets, std::uint8_t next) {
  std::size_t at = 0;
  for (unsigned count = 0; is_extension(next); ++count) {
    // Hop-by-hop options stand first or nowhere (RFC 8200 §4.1).
    if (count == kMaxExtensionHeaders || (next == kHopByHop && count != 0))
      return Refused(Error::BadHeader);
    const ByteSpan rest = octets.subspan(at);
    if (rest.size() < 8) return Refused(Error::Truncated);
    const auto units = static_cast<std::size_t>(rest[1]);
    // The authentication header alone counts in words of 4 octets, less 2 (RFC 4302 §2.2).
    const std::size_t length = next == kAuthentication ? (units + 2) * 4 : (units + 1) * 8;
    if (length > rest.size()) return Refused(Error::Truncated);
    if (const auto checked = check_extension(next, rest.first(length)); !checked)
      return Refused(checked.error());
    next = static_cast<std::uint8_t>(rest[0]);
    at += length;
  }
  if (next == kFragment) return Refused(Error::Fragment);
  return ExtensionsEnd{at, IpProtocol{next}};
}

Result<ParsedIpv6> parse_ipv6(ByteSpan octets) {
  if (octets.size() < kIpv6HeaderLength) return Refused(Error::Truncated);
  const std::byte* at = octets.data();
  const auto first_word = load_be<std::uint32_t>(at);
  if (first_word >> 28 != 6) return Refused(Error::BadVersion);
  const std::size_t payload_length = load_be<std::uint16_t>(at + 4);
  if (kIpv6HeaderLength + payload_length > octets.size()) return Refused(Error::Truncated);
  const auto next = static_cast<std::uint8_t>(at[6]);
  std::size_t extensions = 0;
  IpProtocol protocol{next};
  if (protocol != IpProtocol::Tcp) {
    const auto end =
        skip_extension_headers(octets.subspan(kIpv6HeaderLength, payload_length), next);
    if (!end) return Refused(end.error());
    extensions = end->length;
    protocol = end->protocol;
  }

  ParsedIpv6 parsed;
  parsed.header_length = kIpv6HeaderLength + extensions;
  Ipv6Header& header = parsed.header;
  header.source = IpAddress::from_network_v6(at + 8);
  header.destination = IpAddress::from_network_v6(at + 24);
  // IPv4 in this form never stands on a wire (RFC 4942 §2.2), and would pass for IPv4 with us.
  if (header.source.is_v4() || header.destination.is_v4()) return Refused(Error::BadAddress);
  header.protocol = protocol;
  header.traffic_class = static_cast<std::uint8_t>(first_word >> 20 & 0xff);
  header.hop_limit = static_cast<std::uint8_t>(at[7]);
  header.flow_label = first_word & 0xf'ffff;
  header.payload_length = static_cast<std::uint16_t>(payload_length - extensions);
  return parsed;
}

std::optional<ByteSpan> continued_ipv6(ByteSpan first, ByteSpan octets) {
  if (octets.size() < first.size()) return std::nullopt;
  constexpr std::size_t kBehindLength = 6;
  const std::byte* const at = octets.data();
  const std::size_t length = kIpv6HeaderLength + load_be<std::uint16_t>(at + 4);
  if (std::memcmp(first.data(), at, 4) != 0 ||
      std::memcmp(first.data() + kBehindLength, at + kBehindLength, first.size() - kBehindLength) !=
          0 ||
      length < first.size() || length > octets.size())
    return std::nullopt;
  return octets.first(length);
}

void emit_ipv6(const Ipv6Header& header, MutableByteSpan out) {
  ASSERT(out.size() >= kIpv6HeaderLength);
  std::byte* at = out.data();
  store_be(at,
           6U << 28 | std::uint32_t{header.traffic_class} << 20 | (header.flow_label & 0xf'ffff));
  store_be(at + 4, header.payload_length);
  at[6] = std::byte{static_cast<std::uint8_t>(header.protocol)};
  at[7] = std::byte{header.hop_limit};
  std::memcpy(at + 8, header.source.octets().data(), 16);
  std::memcpy(at + 24, header.destination.octets().data(), 16);
}

}  // namespace dataplane::wire
