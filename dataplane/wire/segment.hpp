#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/base/address.hpp"
#include "dataplane/base/packet.hpp"
#include "dataplane/wire/tcp_header.hpp"

namespace dataplane::wire {

/// The two ECN bits of the IP header (RFC 3168 §5).
enum class Ecn : std::uint8_t { NotEct = 0, Ect1 = 1, Ect0 = 2, Ce = 3 };

/// A received segment: the parsed header, and the packet trimmed to the payload.
/// header.options.mptcp points into the packet's octets before the payload and lives as long as it.
struct TcpSegment {
  TcpHeader header;
  Packet payload;  ///< Holds the mbuf even when there are no payload octets; may be empty in tests.
  Ecn ecn = Ecn::NotEct;
  /// It came for what its options say to who reads them: no duplicate ACK (RFC 8684 §3).
  bool is_signal = false;

  std::uint32_t payload_length() const { return payload.size(); }
  /// SEG.LEN: payload, and one for each of SYN and FIN (RFC 9293 §3.4).
  std::uint32_t length() const {
    return payload.size() + (has(header.flags, TcpFlags::Syn) ? 1U : 0U) +
           (has(header.flags, TcpFlags::Fin) ? 1U : 0U);
  }
};

/// A received segment with the addresses that it came with.
struct ReceivedSegment {
  FourTuple tuple;  ///< `local` is the destination of the segment.
  TcpSegment segment;
  PortIndex port{};
  /// Octets of headers before the payload: Packet::prepend() of as many gives the frame back.
  std::uint16_t header_length = 0;
  std::uint16_t tcp_at = 0;  ///< Where in them the TCP header starts,
  std::uint8_t ip_at = 0;    ///< and where the IP header does.
  /// Segments that continue this one and differ from it in nothing but that, and PSH. All but the
  /// last have as much payload as this one. They lie in net::IngressBatch::continued, from
  /// `continued_at` on.
  std::uint16_t continued = 0;
  std::uint32_t continued_at = 0;
};

/// A segment to send: the header, and payload by reference to at most kMaxPieces places in the send
/// buffer. The pieces stay valid until the next call into the connection that produced them, so the
/// receiver of this value (net::Egress) copies them at once into the packet, fused with the
/// checksum where the port cannot do it.
struct TxSegment {
  static constexpr std::size_t kMaxPieces = 4;
  /// Segments that one value may stand for, and their payload: with its headers it is the longest
  /// IP packet, which full segments of Ethernet fill with so many.
  static constexpr std::uint32_t kMostSegments = 44;
  static constexpr std::uint32_t kMostOctets = 65'000;

  TcpHeader header;
  std::array<ByteSpan, kMaxPieces> pieces{};
  std::uint8_t piece_count = 0;
  Ecn ecn = Ecn::NotEct;
  std::uint32_t payload_length = 0;  ///< The sum of the pieces.
  /// 0, or the payload of one segment when the whole is to be cut, by the device or on the way to
  /// it; then payload_length is a multiple of it. All get the same options, the last one FIN and
  /// PSH.
  std::uint16_t segment_size = 0;

  std::uint32_t segments() const { return segment_size == 0 ? 1 : payload_length / segment_size; }
  std::span<const ByteSpan> payload() const { return {pieces.data(), piece_count}; }
};

}  // namespace dataplane::wire
