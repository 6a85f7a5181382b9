#include "mptcp/api/embed/link.hpp"

#include <variant>

#include "dataplane/wire/arp.hpp"
#include "dataplane/wire/checksum.hpp"
#include "dataplane/wire/ethernet.hpp"
#include "dataplane/wire/icmp.hpp"
#include "dataplane/wire/ipv4.hpp"
#include "dataplane/wire/ipv6.hpp"
#include "dataplane/wire/ndp.hpp"

namespace mptcp::api::embed {
namespace {

namespace wire = dataplane::wire;
using dataplane::ByteSpan;
using dataplane::IpAddress;
using dataplane::MacAddress;
using dataplane::Packet;

constexpr MacAddress kNeighbor{{2, 0, 0, 0xff, 0xff, 0xfe}};

void put_link_header(Packet& packet, const MacAddress& destination, wire::EtherType type) {
  const wire::EthernetHeader header{destination, kNeighbor, type, std::nullopt};
  wire::emit_ethernet(header, {packet.prepend(kLinkHeader), kLinkHeader});
}

/// Keeps nothing but a room of `length` octets at the front of an emptied packet.
dataplane::MutableByteSpan refill(Packet& packet, std::uint32_t length) {
  packet.trim_front(kLinkHeader);
  packet.trim_back(packet.size());
  return {packet.append(length), length};
}

bool answer_arp(Packet& frame, std::size_t port) {
  const auto asked = wire::parse_arp(frame.data().subspan(kLinkHeader));
  if (!asked || asked->operation != wire::ArpOperation::Request) return false;
  if (asked->sender_ip == asked->target_ip) return false;  // An announcement.
  const wire::ArpPacket answer{wire::ArpOperation::Reply, kNeighbor, asked->target_ip,
                               asked->sender_mac, asked->sender_ip};
  wire::emit_arp(answer, refill(frame, wire::kArpLength));
  put_link_header(frame, port_mac(port), wire::EtherType::Arp);
  return true;
}

std::optional<wire::NdpMessage> ndp_of(ByteSpan packet, wire::Ipv6Header& header) {
  const auto ip = wire::parse_ipv6(packet);
  if (!ip || ip->header.protocol != wire::IpProtocol::Icmpv6) return std::nullopt;
  header = ip->header;
  const auto message = wire::parse_ndp(packet.subspan(ip->header_length));
  if (!message) return std::nullopt;
  return *message;
}

bool answer_ndp(Packet& frame, std::size_t port) {
  wire::Ipv6Header asked;
  const auto message = ndp_of(std::as_const(frame).data().subspan(kLinkHeader), asked);
  if (!message) return false;
  const auto* solicitation = std::get_if<wire::NeighborSolicitation>(&*message);
  if (solicitation == nullptr) return false;
  const wire::NeighborAdvertisement said{solicitation->target, kNeighbor, false, true, true};
  const auto length = static_cast<std::uint32_t>(wire::emitted_length(said));
  wire::Ipv6Header header;
  header.source = solicitation->target;
  header.destination = asked.source;
  header.protocol = wire::IpProtocol::Icmpv6;
  header.hop_limit = wire::kNdpHopLimit;
  header.payload_length = static_cast<std::uint16_t>(length);
  wire::emit_ndp(said, {header.source, header.destination}, refill(frame, length));
  wire::emit_ipv6(header, {frame.prepend(wire::kIpv6HeaderLength), wire::kIpv6HeaderLength});
  put_link_header(frame, port_mac(port), wire::EtherType::Ipv6);
  return true;
}

}  // namespace

MacAddress port_mac(std::size_t port) {
  return {{2, 0, 0, 1, static_cast<std::uint8_t>(port >> 8), static_cast<std::uint8_t>(port)}};
}

IpAddress gateway_v4() { return *IpAddress::parse("192.0.0.8"); }  // RFC 7600 §6: nobody's.
IpAddress gateway_v6() { return *IpAddress::parse("fe80::ffff:fffe"); }

std::optional<IpAddress> destination_of(ByteSpan packet) {
  if (packet.size() < 20) return std::nullopt;
  const auto version = std::to_integer<unsigned>(packet[0]) >> 4;
  if (version == 4) return IpAddress::from_network_v4(packet.data() + 16);
  if (version == 6 && packet.size() >= wire::kIpv6HeaderLength)
    return IpAddress::from_network_v6(packet.data() + 24);
  return std::nullopt;
}

void add_link_header(Packet& packet, std::size_t port) {
  const bool v4 = std::to_integer<unsigned>(packet.data()[0]) >> 4 == 4;
  put_link_header(packet, port_mac(port), v4 ? wire::EtherType::Ipv4 : wire::EtherType::Ipv6);
}

ByteSpan ip_packet_of(const Packet& frame) {
  const auto link = wire::parse_ethernet(frame.data());
  if (!link || link->type == wire::EtherType::Arp) return {};
  const ByteSpan packet = frame.data().subspan(kLinkHeader);
  wire::Ipv6Header header;
  if (link->type == wire::EtherType::Ipv6 && ndp_of(packet, header)) return {};
  return packet;
}

std::optional<dataplane::FourTuple> tuple_of(ByteSpan packet) {
  constexpr auto kTcp = static_cast<std::byte>(wire::IpProtocol::Tcp);
  const bool v4 = std::to_integer<unsigned>(packet[0]) >> 4 == 4;
  // Our own packets have no IP options and no extension headers.
  const std::size_t length = v4 ? wire::kIpv4HeaderLength : wire::kIpv6HeaderLength;
  if (packet.size() < length + 4 || packet[v4 ? 9 : 6] != kTcp) return std::nullopt;
  const std::byte* const at = packet.data();
  const auto port = [&](std::size_t from) {
    return dataplane::load_be<std::uint16_t>(at + length + from);
  };
  const IpAddress source =
      v4 ? IpAddress::from_network_v4(at + 12) : IpAddress::from_network_v6(at + 8);
  return dataplane::FourTuple{{source, port(0)}, {*destination_of(packet), port(2)}};
}

void mark_packet(dataplane::MutableByteSpan packet, int traffic_class, int hop_limit) {
  const auto both = static_cast<std::byte>(traffic_class);
  const auto hops = static_cast<std::byte>(hop_limit);
  if (std::to_integer<unsigned>(packet[0]) >> 4 == 6) {
    packet[0] = (packet[0] & std::byte{0xf0}) | both >> 4;
    packet[1] = (packet[1] & std::byte{0x3f}) | (both & std::byte{0x0f}) << 4;
    packet[7] = hops;
    return;
  }
  packet[1] = (packet[1] & std::byte{3}) | both;
  packet[8] = hops;
  dataplane::store_be(packet.data() + 10, std::uint16_t{0});
  wire::Checksum sum;
  sum.add_header(packet.first(wire::kIpv4HeaderLength));
  dataplane::store_be(packet.data() + 10, sum.finish());
}

bool answer_solicitation(Packet& frame, std::size_t port) {
  const auto link = wire::parse_ethernet(frame.data());
  if (!link) return false;
  if (link->type == wire::EtherType::Arp) return answer_arp(frame, port);
  return link->type == wire::EtherType::Ipv6 && answer_ndp(frame, port);
}

}  // namespace mptcp::api::embed
