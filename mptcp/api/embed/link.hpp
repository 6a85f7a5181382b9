#pragma once

#include <optional>

#include "dataplane/base/address.hpp"
#include "dataplane/base/packet.hpp"

/// The link under a core whose caller knows of IP packets only: an Ethernet with one neighbour, who
/// answers for every address.
namespace mptcp::api::embed {

/// The MAC address of a port.
dataplane::MacAddress port_mac(std::size_t port);
/// Gateways that nobody uses as addresses: all that is off the link goes to the neighbour, too.
dataplane::IpAddress gateway_v4();
dataplane::IpAddress gateway_v6();

/// Octets of the link header.
inline constexpr std::uint32_t kLinkHeader = 14;

/// Where an IP packet goes to; nothing if it is none.
std::optional<dataplane::IpAddress> destination_of(dataplane::ByteSpan packet);
/// Puts a link header before an IP packet from the neighbour to a port.
void add_link_header(dataplane::Packet& packet, std::size_t port);
/// The IP packet in a frame that a core sends; empty if it is none, or a message between neighbours
/// (ARP, NDP).
dataplane::ByteSpan ip_packet_of(const dataplane::Packet& frame);
/// From where to where an IP packet with a TCP segment goes; nothing for others.
std::optional<dataplane::FourTuple> tuple_of(dataplane::ByteSpan packet);
/// Writes the traffic class, but for the bits of ECN, and the hop limit of an IP packet.
void mark_packet(dataplane::MutableByteSpan packet, int traffic_class, int hop_limit);
/// Makes of a frame that asks for a neighbour's MAC address the answer, in the same packet; false
/// if the frame asks for nothing.
bool answer_solicitation(dataplane::Packet& frame, std::size_t port);

}  // namespace mptcp::api::embed
