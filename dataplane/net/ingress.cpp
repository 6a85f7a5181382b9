#include "dataplane/net/ingress.hpp"

#include <cstring>
#include <optional>

#include "dataplane/wire/checksum.hpp"
#include "dataplane/wire/ipv6.hpp"

namespace dataplane::net {
namespace {

/// What is left to look at in the checksum of an IPv4 header.
wire::ChecksumCheck check_of(const Packet& packet) {
  const std::uint64_t flags = packet.mbuf()->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;
  const bool verified =
      flags == RTE_MBUF_F_RX_IP_CKSUM_GOOD || flags == RTE_MBUF_F_RX_IP_CKSUM_NONE;
  return verified ? wire::ChecksumCheck::Skip : wire::ChecksumCheck::Verify;
}

/// NONE: a peer on this machine sent it without a checksum, and no wire has touched it since. A
/// checksum that the device calls bad is looked at again, as some devices do so for what they
/// cannot parse.
bool is_tcp_checksum_verified(const Packet& packet) {
  const std::uint64_t flags = packet.mbuf()->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;
  return flags == RTE_MBUF_F_RX_L4_CKSUM_GOOD || flags == RTE_MBUF_F_RX_L4_CKSUM_NONE;
}

wire::Ecn ecn_of(std::uint8_t traffic_class) {
  return wire::Ecn{static_cast<std::uint8_t>(traffic_class & 3)};
}

/// The packet with all cut away but `payload`, which lies in it: headers, and what the link added
/// to a short frame.
Packet take_payload(Packet& packet, ByteSpan payload) {
  packet.trim_front(static_cast<std::uint32_t>(payload.data() - packet.begin()));
  packet.trim_back(packet.size() - static_cast<std::uint32_t>(payload.size()));
  return std::move(packet);
}

/// Whether the device took the same VLAN tag from both, or none.
bool have_same_tag(const Packet& a, const Packet& b) {
  const std::uint64_t stripped = a.mbuf()->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED;
  return stripped == (b.mbuf()->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) &&
         (stripped == 0 || a.mbuf()->vlan_tci == b.mbuf()->vlan_tci);
}

/// The IP packet in `frame`, if its headers continue those of `first`, which are `known`.
std::optional<ByteSpan> continued_ip(const wire::ReceivedSegment& first, ByteSpan known,
                                     const Packet& frame) {
  const ByteSpan header = known.first(first.tcp_at).subspan(first.ip_at);
  const ByteSpan octets = frame.data().subspan(first.ip_at);
  return first.tuple.local.address.is_v4() ? wire::continued_ipv4(header, octets, check_of(frame))
                                           : wire::continued_ipv6(header, octets);
}

/// Sources that no packet may have (RFC 1122 §3.2.1.3, RFC 4291 §2.7 and §2.5.3).
bool is_martian(const IpAddress& source) {
  if (!source.is_v4())
    return source.is_multicast() || source.is_loopback() || source.is_unspecified();
  const std::uint32_t first = source.v4_host_order() >> 24;
  return first == 0 || first == 127 || first >= 224;
}

}  // namespace

void Ingress::on_frames(Instant now, Interface& port, std::span<Packet> frames, Origin origin,
                        IngressBatch& out) {
  // The headers of the whole burst are on their way while the first is read.
  for (const Packet& packet : frames) {
    __builtin_prefetch(packet.begin());
    __builtin_prefetch(packet.begin() + 64);
  }
  host_.stats.frames_received += frames.size();
  for (Packet& packet : frames) {
    Frame frame{now, port, packet, origin, out};
    const auto accepted = on_frame(frame);
    if (!accepted) ++host_.stats.of(accepted.error());
    if (!host_.actions.empty()) egress_.perform(host_.actions);
    if (frame.is_shared && origin == Origin::Device && host_.config.core_count > 1)
      out.for_all_cores.push_back(std::move(packet));
    else
      packet.reset();
  }
}

Result<wire::EthernetHeader> Ingress::check_link(Frame& frame) const {
  const auto link = wire::parse_ethernet(frame.packet.data());
  if (!link) return link;
  std::optional<std::uint16_t> vlan = link->vlan;
  const rte_mbuf* mbuf = frame.packet.mbuf();
  if ((mbuf->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0) {
    if (vlan) return Refused(Error::UnknownVlan);
    vlan = static_cast<std::uint16_t>(mbuf->vlan_tci & 0x0fff);
  }
  if (vlan == std::uint16_t{0}) vlan.reset();  // A priority tag names no VLAN.
  const InterfaceConfig& config = frame.port.config();
  if (vlan != config.vlan) return Refused(Error::UnknownVlan);
  frame.is_group = link->destination.is_multicast();
  if (frame.is_group ? !frame.port.hears(link->destination) : link->destination != config.mac)
    return Refused(Error::NotForUs);
  // From a group: forbidden. From ourselves: our own frame that came back.
  if (link->source.is_multicast() || link->source == config.mac) return Refused(Error::BadAddress);
  frame.source_mac = link->source;
  return link;
}

Result<void> Ingress::on_frame(Frame& frame) {
  if (join_last(frame)) return {};
  const auto link = check_link(frame);
  if (!link) return Refused(link.error());
  const ByteSpan octets = static_cast<const Packet&>(frame.packet).data().subspan(link->length());
  switch (link->type) {
    case wire::EtherType::Ipv4:
      return on_ipv4(frame, octets);
    case wire::EtherType::Ipv6:
      return on_ipv6(frame, octets);
    case wire::EtherType::Arp:
      return on_arp(frame, octets);
    default:
      return Refused(Error::UnknownProtocol);
  }
}

Result<void> Ingress::check_addresses(const Frame& frame, const Ip& ip) const {
  if (!frame.port.owns(ip.destination)) return Refused(Error::NotForUs);
  if (is_martian(ip.source) || frame.port.owns(ip.source) || frame.port.is_broadcast(ip.source))
    return Refused(Error::BadAddress);
  // Unicast in a group frame: an attempt to have many hosts answer (RFC 1122 §3.3.6).
  if (frame.is_group) return Refused(Error::BadAddress);
  return {};
}

template <class Parsed>
Ingress::Ip Ingress::ip_of(const Parsed& parsed, ByteSpan octets) {
  const auto& header = parsed.header;
  return {header.source,
          header.destination,
          header.protocol,
          header.traffic_class,
          header.hop_limit,
          octets.data(),
          octets.subspan(parsed.header_length, header.payload_length)};
}

Result<void> Ingress::on_ipv4(Frame& frame, ByteSpan octets) {
  const auto parsed = wire::parse_ipv4(octets, check_of(frame.packet));
  if (!parsed) return Refused(parsed.error());
  const Ip ip = ip_of(*parsed, octets);
  if (const auto checked = check_addresses(frame, ip); !checked) return checked;
  if (ip.protocol == wire::IpProtocol::Tcp) return on_tcp(frame, ip);
  if (ip.protocol == wire::IpProtocol::Icmp) return on_icmp(frame, ip);
  return Refused(Error::UnknownProtocol);
}

Result<void> Ingress::on_ipv6(Frame& frame, ByteSpan octets) {
  const auto parsed = wire::parse_ipv6(octets);
  if (!parsed) return Refused(parsed.error());
  const Ip ip = ip_of(*parsed, octets);
  if (ip.protocol == wire::IpProtocol::Icmpv6) return on_icmp(frame, ip);
  if (const auto checked = check_addresses(frame, ip); !checked) return checked;
  if (ip.protocol == wire::IpProtocol::Tcp) return on_tcp(frame, ip);
  return Refused(Error::UnknownProtocol);
}

bool Ingress::is_intact(const Packet& packet, const IpAddress& source, const IpAddress& destination,
                        ByteSpan tcp) {
  if (is_tcp_checksum_verified(packet)) return true;
  ++host_.stats.tcp_checksums_verified;
  wire::Checksum sum;
  sum.add_pseudo_header(source, destination, static_cast<std::uint8_t>(wire::IpProtocol::Tcp),
                        static_cast<std::uint32_t>(tcp.size()));
  sum.add(tcp);
  return sum.is_valid();
}

Result<void> Ingress::on_tcp(Frame& frame, const Ip& ip) {
  if (frame.origin == Origin::OtherCore) return Refused(Error::UnknownProtocol);
  if (!is_intact(frame.packet, ip.source, ip.destination, ip.payload))
    return Refused(Error::BadChecksum);
  wire::ReceivedSegment& received = frame.out.segments.emplace_back();
  wire::TcpSegment& segment = received.segment;
  const auto header_length = wire::parse_tcp_into(ip.payload, segment.header);
  if (!header_length) {
    frame.out.segments.pop_back();
    return Refused(header_length.error());
  }
  received.tuple = {{ip.destination, segment.header.destination_port},
                    {ip.source, segment.header.source_port}};
  received.port = frame.port.index();
  segment.ecn = ecn_of(ip.traffic_class);
  const std::byte* const frame_begin = frame.packet.begin();
  received.ip_at = static_cast<std::uint8_t>(ip.header - frame_begin);
  received.tcp_at = static_cast<std::uint16_t>(ip.payload.data() - frame_begin);
  segment.payload = take_payload(frame.packet, ip.payload.subspan(*header_length));
  received.header_length = static_cast<std::uint16_t>(segment.payload.begin() - frame_begin);
  ++host_.stats.tcp_segments_received;
  return {};
}

bool Ingress::join_last(Frame& frame) {
  std::vector<wire::ReceivedSegment>& segments = frame.out.segments;
  if (segments.empty() || frame.origin == Origin::OtherCore) return false;
  wire::ReceivedSegment& first = segments.back();
  const Packet& payload = first.segment.payload;
  const std::uint32_t size = payload.size();
  const ByteSpan octets = static_cast<const Packet&>(frame.packet).data();
  if (size == 0 || first.port != frame.port.index() || octets.size() <= first.header_length ||
      !have_same_tag(payload, frame.packet))
    return false;
  const std::span<Packet> before = frame.out.continued_of(first);
  if (!before.empty() && before.back().size() != size) return false;
  // The headers lie before the payload, as they came.
  const ByteSpan known(payload.begin() - first.header_length, first.header_length);
  const SeqNum next = first.segment.header.seq + size * (1U + first.continued);
  if (!wire::continues(known.subspan(first.tcp_at),
                       octets.first(first.header_length).subspan(first.tcp_at), next) ||
      std::memcmp(known.data(), octets.data(), first.ip_at) != 0)
    return false;
  const auto ip = continued_ip(first, known, frame.packet);
  const std::size_t headers = known.subspan(first.ip_at).size();
  if (!ip || ip->size() <= headers || ip->size() - headers > size ||
      !is_intact(frame.packet, first.tuple.remote.address, first.tuple.local.address,
                 ip->subspan(std::size_t{first.tcp_at} - first.ip_at)))
    return false;
  if (before.empty()) first.continued_at = static_cast<std::uint32_t>(frame.out.continued.size());
  ++first.continued;
  frame.out.continued.push_back(take_payload(frame.packet, ip->subspan(headers)));
  ++host_.stats.tcp_segments_received;
  return true;
}

}  // namespace dataplane::net
