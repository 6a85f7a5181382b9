#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/base/address.hpp"
#include "dataplane/base/packet.hpp"
#include "dataplane/base/seq.hpp"
#include "dataplane/wire/segment.hpp"

namespace dataplane::net {

/// What the network said about a flow or an address; for the connections above.
struct PathEvent {
  enum class Kind : std::uint8_t {
    /// ICMP type 3 code 4, or ICMPv6 type 2: `mtu` octets pass (RFC 1191 §4, RFC 8201 §4).
    PacketTooBig,
    /// ICMP type 3 or ICMPv6 type 1, other codes, and types that are no harder (RFC 5461 §2): a
    /// soft error.
    Unreachable,
    /// ICMP type 3 codes 2, 3; ICMPv6 type 1 codes 1, 4.
    PortUnreachable,
    /// `tuple.remote.address` is a next hop that answered no solicitation; the ports are unset.
    NeighborFailed,
  };
  Kind kind{};
  FourTuple tuple;    ///< Of the segment of ours that the message quotes.
  SeqNum quoted_seq;  ///< Its sequence number, to be checked against the window (RFC 5927 §4.1).
  std::uint16_t mtu = 0;
  PortIndex port{};  ///< That owns tuple.local, or has the next hop.
};

/// What a burst of frames turned into. Reused from burst to burst.
struct IngressBatch {
  std::vector<wire::ReceivedSegment> segments;
  /// The payload of segments that continue one of `segments`, trimmed as theirs.
  std::vector<Packet> continued;
  std::vector<PathEvent> events;
  /// Frames that every core must see: ARP, neighbour messages, ICMP errors. Filled only with
  /// several cores; the others get a copy_frame() each, into Host::on_shared_frames().
  std::vector<Packet> for_all_cores;

  std::span<Packet> continued_of(const wire::ReceivedSegment& first) {
    return std::span(continued).subspan(first.continued_at, first.continued);
  }
  void clear() {
    segments.clear();
    continued.clear();
    events.clear();
    for_all_cores.clear();
  }
};

/// A copy for another core, from its pool: octets and what the device said about them. Empty if
/// there is no buffer.
Packet copy_frame(const Packet& frame, PacketPool& pool);

}  // namespace dataplane::net
