#pragma once

#include "dataplane/wire/icmp.hpp"
#include "dataplane/wire/ipv4.hpp"
#include "dataplane/wire/ipv6.hpp"
#include "dataplane/wire/ndp.hpp"
#include "test/dataplane/net/two_hosts.hpp"

namespace dataplane::net {

/// Frames as others on the link would send them, and what is in those that a host sent.

inline Octets framed(const MacAddress& from, const MacAddress& to, wire::EtherType type,
                     const Octets& payload) {
  const wire::EthernetHeader header{to, from, type, std::nullopt};
  Octets frame(header.length());
  wire::emit_ethernet(header, frame);
  frame.insert(frame.end(), payload.begin(), payload.end());
  return frame;
}

inline Octets arp_frame(const wire::ArpPacket& packet,
                        const MacAddress& to = MacAddress::broadcast()) {
  Octets payload(wire::kArpLength);
  wire::emit_arp(packet, payload);
  return framed(packet.sender_mac, to, wire::EtherType::Arp, payload);
}

inline wire::ArpPacket arp_in(const Octets& frame) {
  const auto packet = wire::parse_arp(ByteSpan(frame).subspan(wire::kEthernetHeaderLength));
  return packet ? *packet : wire::ArpPacket{};
}

inline MacAddress destination_of(const Octets& frame) { return wire::load_mac(frame.data()); }

/// An IP packet of either family from C, or from another host's address.
inline Octets ip_frame(const IpAddress& from, const IpAddress& to, wire::IpProtocol protocol,
                       const Octets& payload, const MacAddress& mac = kMacA) {
  const auto length = static_cast<std::uint16_t>(payload.size());
  Octets packet;
  if (to.is_v4()) {
    packet.resize(wire::kIpv4HeaderLength);
    wire::emit_ipv4({from, to, protocol, 0, 64, true, 0, length}, packet);
  } else {
    const std::uint8_t hops = protocol == wire::IpProtocol::Icmpv6 ? 255 : 64;
    packet.resize(wire::kIpv6HeaderLength);
    wire::emit_ipv6({from, to, protocol, 0, hops, 0, length}, packet);
  }
  packet.insert(packet.end(), payload.begin(), payload.end());
  return framed(kMacC, mac, to.is_v4() ? wire::EtherType::Ipv4 : wire::EtherType::Ipv6, packet);
}

inline Octets icmp_frame(const IpAddress& from, const IpAddress& to,
                         const wire::IcmpMessage& message, const MacAddress& mac = kMacA) {
  Octets payload(wire::emitted_length(message));
  if (to.is_v4()) {
    wire::emit_icmpv4(message, payload);
    return ip_frame(from, to, wire::IpProtocol::Icmp, payload, mac);
  }
  wire::emit_icmpv6(message, {from, to}, payload);
  return ip_frame(from, to, wire::IpProtocol::Icmpv6, payload, mac);
}

inline Octets ndp_frame(const IpAddress& from, const IpAddress& to, const wire::NdpMessage& message,
                        const MacAddress& mac = kMacA) {
  Octets payload(wire::emitted_length(message));
  wire::emit_ndp(message, {from, to}, payload);
  return ip_frame(from, to, wire::IpProtocol::Icmpv6, payload, mac);
}

/// The neighbor message in a frame that a host sent.
inline wire::NdpMessage ndp_in(const Octets& frame) {
  const auto message = wire::parse_ndp(ByteSpan(frame).subspan(54));
  return message ? *message : wire::NdpMessage(wire::RouterMessage{});
}

/// The front of a segment of A's, as an ICMP error quotes it.
inline Octets quoted_segment(const FourTuple& tuple, std::uint32_t seq,
                             std::uint16_t payload = 1000) {
  const bool v4 = tuple.local.address.is_v4();
  Octets quoted(v4 ? wire::kIpv4HeaderLength : wire::kIpv6HeaderLength);
  if (v4)
    wire::emit_ipv4(
        {tuple.local.address, tuple.remote.address, wire::IpProtocol::Tcp, 0, 60, true, 0, payload},
        quoted);
  else
    wire::emit_ipv6(
        {tuple.local.address, tuple.remote.address, wire::IpProtocol::Tcp, 0, 60, 0, payload},
        quoted);
  Octets ports(8);
  store_be(ports.data(), tuple.local.port);
  store_be(ports.data() + 2, tuple.remote.port);
  store_be(ports.data() + 4, seq);
  quoted.insert(quoted.end(), ports.begin(), ports.end());
  return quoted;
}

}  // namespace dataplane::net
