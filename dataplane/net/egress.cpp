#include "dataplane/net/egress.hpp"

#include "dataplane/wire/checksum.hpp"
#include "dataplane/wire/ipv6.hpp"

namespace dataplane::net {
namespace {

/// The header lengths of a frame, where a device with offloads looks for them.
std::uint64_t tx_offload(std::size_t l2, std::size_t l3, std::size_t l4, std::uint16_t segment) {
  return std::uint64_t{l2} << RTE_MBUF_L2_LEN_OFS | std::uint64_t{l3} << RTE_MBUF_L3_LEN_OFS |
         std::uint64_t{l4} << RTE_MBUF_L4_LEN_OFS |
         std::uint64_t{segment} << RTE_MBUF_TSO_SEGSZ_OFS;
}

void copy_payload(const wire::TxSegment& segment, std::byte* to) {
  for (const ByteSpan piece : segment.payload()) {
    if (!piece.empty()) std::memcpy(to, piece.data(), piece.size());
    to += piece.size();
  }
}

/// The TCP header, and the payload behind it, with the checksum or with what the device starts
/// from. `sum` is that of the pseudo header.
void fill_tcp(const FourTuple& tuple, const wire::TxSegment& segment, bool offload,
              wire::Checksum sum, MutableByteSpan header) {
  std::byte* const tcp = header.data();
  std::byte* to = tcp + header.size();
  wire::emit_tcp(segment.header, header);
  store_be(tcp, tuple.local.port);
  store_be(tcp + 2, tuple.remote.port);
  if (offload) {
    copy_payload(segment, to);
    store_be(tcp + 16, sum.folded());
    return;
  }
  sum.add_header(header);
  for (const ByteSpan piece : segment.payload()) {
    sum.add_copy(piece, to);
    to += piece.size();
  }
  store_be(tcp + 16, sum.finish());
}

}  // namespace

HostState::HostState(const HostConfig& host_config, PacketPool& packet_pool)
    : config(host_config),
      pool(packet_pool),
      ports([&] {
        std::vector<Interface> interfaces;
        for (const InterfaceConfig& port : host_config.ports) {
          const auto index = static_cast<std::uint16_t>(interfaces.size());
          interfaces.emplace_back(PortIndex{index}, port, host_config.tx_queue_frames);
        }
        return interfaces;
      }()),
      routes(ports),
      neighbors(host_config) {}

std::size_t Egress::ip_header_length(const Path& path) {
  return path.local.is_v4() ? wire::kIpv4HeaderLength : wire::kIpv6HeaderLength;
}

std::size_t Egress::tcp_header_length(const wire::TxSegment& segment) {
  return wire::kTcpHeaderLength + wire::emitted_length(segment.header.options);
}

Result<Egress::Path*> Egress::find_path(const IpAddress& local, const IpAddress& remote) {
  // Mixed from the ends of the addresses, where those of one subnet differ.
  const auto& l = local.octets();
  const auto& r = remote.octets();
  const auto at = static_cast<std::size_t>(l[15] * 7 + r[15] + r[14] * 3) % kPaths;
  Path& path = paths_[at];
  if (path.is_known && path.remote == remote && path.local == local) return &path;
  const auto route = host_.routes.route(local, remote);
  if (!route) return Refused(route.error());
  path = {local, remote, *route, NeighborCache::Slot::None, true};
  return &path;
}

Result<void> Egress::send(Instant now, const FourTuple& tuple, const wire::TxSegment& segment) {
  const auto found = find_path(tuple.local.address, tuple.remote.address);
  if (!found) return Refused(found.error());
  Path& path = **found;
  Interface& port = host_.ports[index_of(path.route.port)];
  const bool cut_here = segment.segment_size != 0 && !port.config().offloads.tso;
  if (port.tx().room() < (cut_here ? segment.segments() : 1)) return Refused(Error::QueueFull);

  const std::size_t headers = ip_header_length(path) + tcp_header_length(segment);
  const std::size_t longest =
      headers + (segment.segment_size != 0 ? segment.segment_size : segment.payload_length);
  if (longest > port.config().mtu || headers + segment.payload_length > 0xffff)
    return Refused(Error::BadLength);
  const MacAddress* mac =
      host_.neighbors.use(now, {path.route.port, path.route.next_hop}, path.slot, host_.actions);
  lay_out_headers(port, mac != nullptr ? *mac : MacAddress{}, path);
  return cut_here ? send_cut(tuple, segment, path, mac) : send_one(tuple, segment, path, mac);
}

Result<void> Egress::send_one(const FourTuple& tuple, const wire::TxSegment& segment, Path& path,
                              const MacAddress* mac) {
  Interface& port = host_.ports[index_of(path.route.port)];
  Packet packet = host_.pool.alloc();
  if (!packet) return Refused(Error::NoBuffers);
  if (packet.tailroom() < segment.payload_length) return Refused(Error::BadLength);
  packet.append(segment.payload_length);
  const std::size_t tcp_header = tcp_header_length(segment);
  const auto length = static_cast<std::uint16_t>(tcp_header + segment.payload_length);
  std::byte* const front =
      packet.prepend(static_cast<std::uint32_t>(path.headers_length + tcp_header));
  const bool cut_by_device = segment.segment_size != 0;
  const bool offload = port.config().offloads.tx_tcp_checksum || cut_by_device;
  emit_headers(path, length, segment.ecn, front);
  wire::Checksum sum = path.pseudo_header;
  // With segmentation the device adds the length of each segment itself.
  sum.add_u16(cut_by_device ? std::uint16_t{0} : length);
  fill_tcp(tuple, segment, offload, sum, {front + path.headers_length, tcp_header});
  if (offload) ask_device(port, path, tcp_header, segment.segment_size, packet);
  const auto sent = enqueue(port, path, mac != nullptr, std::move(packet));
  if (sent) ++host_.stats.tcp_segments_sent;
  return sent;
}

void Egress::lay_out_headers(const Interface& port, const MacAddress& destination, Path& path) {
  if (path.headers_length != 0 && path.destination == destination) return;
  constexpr auto kTcp = wire::IpProtocol::Tcp;
  const bool v4 = path.local.is_v4();
  const std::size_t link = port.link_header_length();
  const MutableByteSpan out(path.headers);
  port.emit_link_header(v4 ? wire::EtherType::Ipv4 : wire::EtherType::Ipv6, destination,
                        out.first(link));
  emit_ip_header(path, kTcp, 0, wire::Ecn::NotEct, out.subspan(link));
  if (v4) {
    store_be(path.headers.data() + link + 10, std::uint16_t{0});
    path.ip_sum = wire::Checksum();
    path.ip_sum.add_header(out.subspan(link, wire::kIpv4HeaderLength));
  }
  path.pseudo_header = wire::Checksum();
  path.pseudo_header.add_pseudo_header(path.local, path.remote, static_cast<std::uint8_t>(kTcp), 0);
  path.destination = destination;
  path.headers_length = static_cast<std::uint8_t>(link + ip_header_length(path));
}

void Egress::emit_headers(const Path& path, std::uint16_t payload_length, wire::Ecn ecn,
                          std::byte* out) {
  // What lies behind them in the packet is written later. RFC 3168 §5: the low bits of the
  // traffic class.
  std::memcpy(out, path.headers.data(), kMaxHeaders);
  const auto traffic_class = static_cast<std::uint8_t>(ecn);
  if (path.local.is_v4()) {
    std::byte* const ip = out + path.headers_length - wire::kIpv4HeaderLength;
    // All but the total length is the same for every segment of the path.
    const auto grown = static_cast<std::uint16_t>(load_be<std::uint16_t>(ip + 2) + payload_length);
    wire::Checksum sum = path.ip_sum;
    sum.add_u16(payload_length);
    sum.add_u16(traffic_class);
    ip[1] = std::byte{traffic_class};
    store_be(ip + 2, grown);
    store_be(ip + 10, sum.finish());
    return;
  }
  std::byte* const ip = out + path.headers_length - wire::kIpv6HeaderLength;
  ip[1] = std::byte{static_cast<std::uint8_t>(traffic_class << 4)};
  store_be(ip + 4, payload_length);
}

void Egress::ask_device(const Interface& port, const Path& path, std::size_t tcp_header,
                        std::uint16_t segment_size, Packet& packet) {
  const bool v4 = path.local.is_v4();
  rte_mbuf* mbuf = packet.mbuf();
  const std::size_t link = port.link_header_length();
  mbuf->ol_flags |= RTE_MBUF_F_TX_TCP_CKSUM | (v4 ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6);
  if (segment_size != 0) mbuf->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
  mbuf->tx_offload = tx_offload(link, ip_header_length(path), tcp_header, segment_size);
  // A device without this offload sends a segmented packet's header as it is, so it stays right
  // otherwise.
  if (v4 && port.config().offloads.tx_ipv4_checksum) {
    mbuf->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
    store_be(packet.begin() + link + 10, std::uint16_t{0});
  }
}

void Egress::emit_ip_header(const Path& path, wire::IpProtocol protocol,
                            std::uint16_t payload_length, wire::Ecn ecn, MutableByteSpan out) {
  if (!path.local.is_v4()) {
    wire::Ipv6Header header;
    header.source = path.local;
    header.destination = path.remote;
    header.protocol = protocol;
    header.traffic_class = static_cast<std::uint8_t>(ecn);
    header.payload_length = payload_length;
    wire::emit_ipv6(header, out);
    return;
  }
  wire::Ipv4Header header;
  header.source = path.local;
  header.destination = path.remote;
  header.protocol = protocol;
  header.traffic_class = static_cast<std::uint8_t>(ecn);
  header.payload_length = payload_length;
  wire::emit_ipv4(header, out);
}

Result<void> Egress::send_ip(Instant now, Path& path, Packet packet, wire::IpProtocol protocol,
                             wire::Ecn ecn) {
  const Interface& port = host_.ports[index_of(path.route.port)];
  const bool v4 = path.local.is_v4();
  const auto payload_length = static_cast<std::uint16_t>(packet.size());
  const auto header_length = static_cast<std::uint32_t>(ip_header_length(path));
  emit_ip_header(path, protocol, payload_length, ecn,
                 {packet.prepend(header_length), header_length});
  const MacAddress* mac =
      host_.neighbors.use(now, {path.route.port, path.route.next_hop}, path.slot, host_.actions);
  const auto link = static_cast<std::uint32_t>(port.link_header_length());
  port.emit_link_header(v4 ? wire::EtherType::Ipv4 : wire::EtherType::Ipv6,
                        mac != nullptr ? *mac : MacAddress{}, {packet.prepend(link), link});
  return enqueue(host_.ports[index_of(path.route.port)], path, mac != nullptr, std::move(packet));
}

Result<void> Egress::enqueue(Interface& port, const Path& path, bool is_resolved, Packet packet) {
  port.mark_tag(packet);
  bool is_queued = true;
  if (is_resolved)
    is_queued = port.tx().push(std::move(packet));
  else
    host_.neighbors.enqueue(path.slot, std::move(packet), host_.actions);
  if (!host_.actions.empty()) perform(host_.actions);
  if (!is_queued) return Refused(Error::QueueFull);
  return {};
}

Result<void> Egress::send_icmp(Instant now, const wire::Icmpv6Addresses& addresses,
                               const wire::IcmpMessage& message) {
  const auto path = find_path(addresses.source, addresses.destination);
  if (!path) return Refused(path.error());
  const auto length = static_cast<std::uint32_t>(wire::emitted_length(message));
  const bool v4 = addresses.source.is_v4();
  if (ip_header_length(**path) + length > (*path)->route.mtu) return Refused(Error::BadLength);
  Packet packet = host_.pool.alloc();
  if (!packet) return Refused(Error::NoBuffers);
  if (packet.tailroom() < length) return Refused(Error::BadLength);
  const MutableByteSpan out{packet.append(length), length};
  if (v4) {
    wire::emit_icmpv4(message, out);
  } else {
    wire::emit_icmpv6(message, addresses, out);
  }
  return send_ip(now, **path, std::move(packet),
                 v4 ? wire::IpProtocol::Icmp : wire::IpProtocol::Icmpv6, wire::Ecn::NotEct);
}

void Egress::transmit(Interface& port, Packet frame) {
  if (!port.tx().push(std::move(frame))) ++host_.stats.of(Error::QueueFull);
}

void Egress::send_arp(Interface& port, const wire::ArpPacket& arp, const MacAddress& destination) {
  Packet packet = host_.pool.alloc();
  if (!packet) {
    ++host_.stats.of(Error::NoBuffers);
    return;
  }
  wire::emit_arp(arp, {packet.append(wire::kArpLength), wire::kArpLength});
  port.add_link_header(packet, wire::EtherType::Arp, destination);
  transmit(port, std::move(packet));
}

void Egress::send_ndp(Interface& port, const wire::Icmpv6Addresses& addresses,
                      const wire::NdpMessage& message, const MacAddress& destination) {
  Packet packet = host_.pool.alloc();
  if (!packet) {
    ++host_.stats.of(Error::NoBuffers);
    return;
  }
  const auto length = static_cast<std::uint32_t>(wire::emitted_length(message));
  wire::emit_ndp(message, addresses, {packet.append(length), length});
  wire::Ipv6Header header;
  header.source = addresses.source;
  header.destination = addresses.destination;
  header.protocol = wire::IpProtocol::Icmpv6;
  header.hop_limit = wire::kNdpHopLimit;
  header.payload_length = static_cast<std::uint16_t>(length);
  std::byte* at = packet.prepend(wire::kIpv6HeaderLength);
  wire::emit_ipv6(header, {at, wire::kIpv6HeaderLength});
  port.add_link_header(packet, wire::EtherType::Ipv6, destination);
  transmit(port, std::move(packet));
}

void Egress::announce(Interface& port, const IpAddress& address) {
  ++host_.stats.advertisements_sent;
  if (address.is_v4()) {
    send_arp(port, {wire::ArpOperation::Request, port.config().mac, address, {}, address},
             MacAddress::broadcast());
    return;
  }
  const wire::NeighborAdvertisement message{address, port.config().mac, false, false, true};
  send_ndp(port, {address, wire::all_nodes()}, message, wire::multicast_mac(wire::all_nodes()));
}

void Egress::solicit(const NeighborActions::Solicitation& solicitation) {
  const IpAddress& target = solicitation.neighbor.address;
  Interface& port = host_.ports[index_of(solicitation.neighbor.port)];
  const IpAddress* own = port.address_towards(target);
  if (own == nullptr) return;  // A gateway of a family that the port has no address of.
  ++host_.stats.solicitations_sent;
  const MacAddress& mac = port.config().mac;
  if (target.is_v4()) {
    send_arp(port, {wire::ArpOperation::Request, mac, *own, {}, target},
             solicitation.mac.value_or(MacAddress::broadcast()));
    return;
  }
  // RFC 4861 §7.2.2: to the solicited-node group, or to the neighbour itself when it is probed.
  const IpAddress to = solicitation.mac ? target : wire::solicited_node(target);
  send_ndp(port, {*own, to}, wire::NeighborSolicitation{target, mac},
           solicitation.mac.value_or(wire::multicast_mac(to)));
}

void Egress::perform(NeighborActions& actions) {
  for (const auto& solicitation : actions.solicitations)
    solicit(solicitation);
  for (auto& released : actions.released) {
    wire::store_mac(released.frame.begin(), released.destination);
    transmit(host_.ports[index_of(released.port)], std::move(released.frame));
  }
  host_.stats.unresolved_frames_dropped += actions.frames_dropped;
  host_.stats.neighbors_evicted += actions.evicted;
  host_.stats.neighbors_failed += actions.failed.size();
  actions.clear();
}

}  // namespace dataplane::net
