#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>

#include "dataplane/base/address.hpp"
#include "dataplane/base/byte_io.hpp"
#include "dataplane/base/result.hpp"
#include "dataplane/base/seq.hpp"

namespace dataplane::wire {

inline constexpr std::size_t kIcmpHeaderLength = 8;

/// Echo request or reply (RFC 792, RFC 4443 §4).
struct IcmpEcho {
  bool is_reply = false;
  std::uint16_t identifier = 0;
  std::uint16_t sequence = 0;
  ByteSpan payload;
};

/// A packet of ours did not arrive (ICMP type 3 other than code 4, ICMPv6 type 1).
struct IcmpUnreachable {
  std::uint8_t code = 0;
  ByteSpan quoted;  ///< The front of that packet, from its IP header on.
};

/// A packet of ours was too long for a link (ICMP type 3 code 4, RFC 1191 §4; ICMPv6 type 2).
struct IcmpPacketTooBig {
  std::uint32_t mtu = 0;  ///< Octets that pass; 0 from a router that does not say.
  ByteSpan quoted;
};

/// Time exceeded or parameter problem: like unreachable, a soft error to TCP (RFC 1122 §4.2.3.9).
struct IcmpProblem {
  std::uint8_t type = 0;
  std::uint8_t code = 0;
  ByteSpan quoted;
};

/// A type that we do not speak; ICMPv6: Neighbor Discovery among them, which wire/ndp.hpp reads.
struct IcmpOther {
  std::uint8_t type = 0;
  std::uint8_t code = 0;
};

using IcmpMessage =
    std::variant<IcmpEcho, IcmpUnreachable, IcmpPacketTooBig, IcmpProblem, IcmpOther>;

/// The addresses of an ICMPv6 message, which its checksum covers (RFC 4443 §2.3).
struct Icmpv6Addresses {
  IpAddress source;
  IpAddress destination;
};

/// Reads an ICMP message: the whole payload of its IP packet, whose checksum is verified. Spans
/// point into it.
Result<IcmpMessage> parse_icmpv4(ByteSpan octets);
Result<IcmpMessage> parse_icmpv6(ByteSpan octets, const Icmpv6Addresses& addresses);

/// Octets that the emit functions write. IcmpProblem and IcmpOther are never sent.
std::size_t emitted_length(const IcmpMessage& message);
void emit_icmpv4(const IcmpMessage& message, MutableByteSpan out);
void emit_icmpv6(const IcmpMessage& message, const Icmpv6Addresses& addresses, MutableByteSpan out);

/// Whether the code of an IcmpUnreachable says that the protocol or port is closed or forbidden.
bool is_port_unreachable_v4(std::uint8_t code);
bool is_port_unreachable_v6(std::uint8_t code);

/// What an ICMP error says of the TCP segment of ours that it quotes.
struct QuotedSegment {
  FourTuple tuple;  ///< `local` sent it.
  SeqNum seq;
  std::uint16_t packet_length = 0;  ///< Of the whole IP packet, as its header says.
};

/// Reads a quoted packet, of which eight octets behind the IP header are enough (RFC 1122 §3.2.2).
/// UnknownProtocol: not TCP.
Result<QuotedSegment> parse_quoted_v4(ByteSpan quoted);
Result<QuotedSegment> parse_quoted_v6(ByteSpan quoted);

}  // namespace dataplane::wire
