#include "dataplane/wire/icmp.hpp"

#include "dataplane/wire/checksum.hpp"
#include "dataplane/wire/ipv4.hpp"
#include "dataplane/wire/ipv6.hpp"

namespace dataplane::wire {
namespace {

/// The type octets of one family (RFC 792, RFC 4443 §2.1).
struct Types {
  std::uint8_t echo_reply;
  std::uint8_t echo_request;
  std::uint8_t unreachable;
  std::uint8_t time_exceeded;
  std::uint8_t parameter_problem;
};
constexpr Types kV4{0, 8, 3, 11, 12};
constexpr Types kV6{129, 128, 1, 3, 4};
constexpr std::uint8_t kFragmentationNeeded = 4;  ///< A code of kV4.unreachable.
constexpr std::uint8_t kPacketTooBigV6 = 2;

IcmpMessage parse_common(const Types& types, ByteSpan octets) {
  const auto type = static_cast<std::uint8_t>(octets[0]);
  const auto code = static_cast<std::uint8_t>(octets[1]);
  const ByteSpan rest = octets.subspan(kIcmpHeaderLength);
  if ((type == types.echo_request || type == types.echo_reply) && code == 0) {
    return IcmpEcho{type == types.echo_reply, load_be<std::uint16_t>(octets.data() + 4),
                    load_be<std::uint16_t>(octets.data() + 6), rest};
  }
  if (type == types.unreachable) return IcmpUnreachable{code, rest};
  if (type == types.time_exceeded || type == types.parameter_problem)
    return IcmpProblem{type, code, rest};
  return IcmpOther{type, code};
}

void emit_common(const Types& types, const IcmpMessage& message, MutableByteSpan out) {
  ASSERT(out.size() == emitted_length(message));
  Writer writer(out);
  if (const auto* echo = std::get_if<IcmpEcho>(&message)) {
    writer.u8(echo->is_reply ? types.echo_reply : types.echo_request);
    writer.u8(0);
    writer.u16(0);
    writer.u16(echo->identifier);
    writer.u16(echo->sequence);
    writer.bytes(echo->payload);
  } else if (const auto* unreachable = std::get_if<IcmpUnreachable>(&message)) {
    writer.u8(types.unreachable);
    writer.u8(unreachable->code);
    writer.u16(0);
    writer.u32(0);
    writer.bytes(unreachable->quoted);
  }
}

}  // namespace

Result<IcmpMessage> parse_icmpv4(ByteSpan octets) {
  if (octets.size() < kIcmpHeaderLength) return Refused(Error::Truncated);
  if (checksum_of(octets) != 0) return Refused(Error::BadChecksum);
  if (octets[0] == std::byte{kV4.unreachable} && octets[1] == std::byte{kFragmentationNeeded}) {
    return IcmpPacketTooBig{load_be<std::uint16_t>(octets.data() + 6),
                            octets.subspan(kIcmpHeaderLength)};
  }
  return parse_common(kV4, octets);
}

Result<IcmpMessage> parse_icmpv6(ByteSpan octets, const Icmpv6Addresses& addresses) {
  if (octets.size() < kIcmpHeaderLength) return Refused(Error::Truncated);
  Checksum sum;
  sum.add_pseudo_header(addresses.source, addresses.destination,
                        static_cast<std::uint8_t>(IpProtocol::Icmpv6),
                        static_cast<std::uint32_t>(octets.size()));
  sum.add(octets);
  if (!sum.is_valid()) return Refused(Error::BadChecksum);
  if (octets[0] == std::byte{kPacketTooBigV6}) {
    return IcmpPacketTooBig{load_be<std::uint32_t>(octets.data() + 4),
                            octets.subspan(kIcmpHeaderLength)};
  }
  return parse_common(kV6, octets);
}

std::size_t emitted_length(const IcmpMessage& message) {
  if (const auto* echo = std::get_if<IcmpEcho>(&message))
    return kIcmpHeaderLength + echo->payload.size();
  if (const auto* unreachable = std::get_if<IcmpUnreachable>(&message))
    return kIcmpHeaderLength + unreachable->quoted.size();
  const auto* too_big = std::get_if<IcmpPacketTooBig>(&message);
  ASSERT(too_big != nullptr);
  return kIcmpHeaderLength + too_big->quoted.size();
}

void emit_icmpv4(const IcmpMessage& message, MutableByteSpan out) {
  if (const auto* too_big = std::get_if<IcmpPacketTooBig>(&message)) {
    Writer writer(out);
    writer.u8(kV4.unreachable);
    writer.u8(kFragmentationNeeded);
    writer.u32(0);
    writer.u16(static_cast<std::uint16_t>(too_big->mtu));
    writer.bytes(too_big->quoted);
  } else {
    emit_common(kV4, message, out);
  }
  store_be(out.data() + 2, checksum_of(out));
}

void emit_icmpv6(const IcmpMessage& message, const Icmpv6Addresses& addresses,
                 MutableByteSpan out) {
  if (const auto* too_big = std::get_if<IcmpPacketTooBig>(&message)) {
    Writer writer(out);
    writer.u8(kPacketTooBigV6);
    writer.u8(0);
    writer.u16(0);
    writer.u32(too_big->mtu);
    writer.bytes(too_big->quoted);
  } else {
    emit_common(kV6, message, out);
  }
  Checksum sum;
  sum.add_pseudo_header(addresses.source, addresses.destination,
                        static_cast<std::uint8_t>(IpProtocol::Icmpv6),
                        static_cast<std::uint32_t>(out.size()));
  sum.add(out);
  store_be(out.data() + 2, sum.finish());
}

bool is_port_unreachable_v4(std::uint8_t code) {
  return code == 2 || code == 3;  // Protocol, port (RFC 1122 §4.2.3.9).
}

bool is_port_unreachable_v6(std::uint8_t code) {
  return code == 1 || code == 4;  // Administratively prohibited, port (RFC 5461 §2).
}

namespace {

Result<QuotedSegment> read_quoted_tcp(ByteSpan tcp, QuotedSegment quoted) {
  if (tcp.size() < 8) return Refused(Error::Truncated);
  quoted.tuple.local.port = load_be<std::uint16_t>(tcp.data());
  quoted.tuple.remote.port = load_be<std::uint16_t>(tcp.data() + 2);
  quoted.seq = SeqNum(load_be<std::uint32_t>(tcp.data() + 4));
  return quoted;
}

}  // namespace

Result<QuotedSegment> parse_quoted_v4(ByteSpan quoted) {
  // Not parse_ipv4(): the packet is cut short, and routers changed its TTL and perhaps not its
  // checksum.
  if (quoted.size() < kIpv4HeaderLength) return Refused(Error::Truncated);
  const std::byte* at = quoted.data();
  if (static_cast<unsigned>(at[0]) >> 4 != 4) return Refused(Error::BadVersion);
  const std::size_t header_length = (static_cast<std::size_t>(at[0]) & 0xf) * 4;
  if (header_length < kIpv4HeaderLength) return Refused(Error::BadLength);
  if (header_length > quoted.size()) return Refused(Error::Truncated);
  // Only a first fragment has ports.
  if ((load_be<std::uint16_t>(at + 6) & 0x1fff) != 0) return Refused(Error::Fragment);
  if (IpProtocol{static_cast<std::uint8_t>(at[9])} != IpProtocol::Tcp)
    return Refused(Error::UnknownProtocol);
  QuotedSegment segment;
  segment.packet_length = load_be<std::uint16_t>(at + 2);
  segment.tuple.local.address = IpAddress::from_network_v4(at + 12);
  segment.tuple.remote.address = IpAddress::from_network_v4(at + 16);
  return read_quoted_tcp(quoted.subspan(header_length), segment);
}

Result<QuotedSegment> parse_quoted_v6(ByteSpan quoted) {
  if (quoted.size() < kIpv6HeaderLength) return Refused(Error::Truncated);
  const std::byte* at = quoted.data();
  if (static_cast<unsigned>(at[0]) >> 4 != 6) return Refused(Error::BadVersion);
  const auto end =
      skip_extension_headers(quoted.subspan(kIpv6HeaderLength), static_cast<std::uint8_t>(at[6]));
  if (!end) return Refused(end.error());
  if (end->protocol != IpProtocol::Tcp) return Refused(Error::UnknownProtocol);
  QuotedSegment segment;
  const std::size_t length = kIpv6HeaderLength + load_be<std::uint16_t>(at + 4);
  if (length > 0xffff) return Refused(Error::BadLength);
  segment.packet_length = static_cast<std::uint16_t>(length);
  segment.tuple.local.address = IpAddress::from_network_v6(at + 8);
  segment.tuple.remote.address = IpAddress::from_network_v6(at + 24);
  return read_quoted_tcp(quoted.subspan(kIpv6HeaderLength + end->length), segment);
}

}  // namespace dataplane::wire
