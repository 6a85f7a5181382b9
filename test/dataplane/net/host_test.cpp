#include <catch2/catch.hpp>

#include "dataplane/wire/checksum.hpp"
#include "test/dataplane/net/sent_frame.hpp"

namespace dataplane::net {
namespace {

struct Alone {
  explicit Alone(const HostConfig& config = host_config(kMacA, 1)) : a(config, pool) {}
  HeapPacketPool pool{128};
  Node a;
};

/// A bare segment to A, with a right checksum.
Octets segment_frame(const IpAddress& from, const IpAddress& to, const MacAddress& mac = kMacA) {
  wire::TcpHeader header;
  header.source_port = 1;
  header.destination_port = 2;
  Octets tcp(wire::kTcpHeaderLength);
  wire::emit_tcp(header, tcp);
  wire::Checksum sum;
  sum.add_pseudo_header(from, to, 6, wire::kTcpHeaderLength);
  sum.add(tcp);
  store_be(tcp.data() + 16, sum.finish());
  return ip_frame(from, to, wire::IpProtocol::Tcp, tcp, mac);
}

TEST_CASE("only what is addressed to us is taken", "[net][ingress]") {
  Alone link;
  const IpAddress peer = ip("10.9.0.2");
  link.a.receive(at(0s), segment_frame(peer, ip("10.9.0.1")));
  CHECK(link.a.batch.segments.size() == 1);
  link.a.receive(at(0s), segment_frame(peer, ip("10.9.0.1"), kMacB));
  link.a.receive(at(0s), segment_frame(peer, ip("10.9.0.3")));
  link.a.receive(at(0s), segment_frame(peer, ip("10.9.0.255")));
  link.a.receive(at(0s), segment_frame(peer, ip("224.0.0.1")));
  link.a.receive(at(0s), segment_frame(ip("fd00::2"), ip("ff02::1")));
  CHECK(link.a.refused(Error::NotForUs) == 5);
  // To our address, but to everybody on the link.
  link.a.receive(at(0s), segment_frame(peer, ip("10.9.0.1"), MacAddress::broadcast()));
  CHECK(link.a.refused(Error::BadAddress) == 1);
  CHECK(link.a.batch.segments.empty());
}

TEST_CASE("sources that no host may have are refused", "[net][ingress][rfc1122-3.2.1.3]") {
  const auto source =
      GENERATE(as<std::string>(), "0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1", "240.0.0.1",
               "255.255.255.255", "10.9.0.255", "10.9.0.1", "::", "::1", "ff02::2", "fd00::1");
  const IpAddress from = ip(source.c_str());
  Alone link;
  link.a.receive(at(0s), segment_frame(from, ip(from.is_v4() ? "10.9.0.1" : "fd00::1")));
  CHECK(link.a.batch.segments.empty());
  CHECK(link.a.refused(Error::BadAddress) == 1);
}

TEST_CASE("what we do not speak is refused under its name", "[net][ingress]") {
  Alone link;
  link.a.receive(at(0s), framed(kMacC, kMacA, wire::EtherType{0x88cc}, Octets(46)));
  link.a.receive(at(0s), ip_frame(ip("10.9.0.2"), ip("10.9.0.1"), wire::IpProtocol{17}, Octets(8)));
  link.a.receive(at(0s), ip_frame(ip("fd00::2"), ip("fd00::1"), wire::IpProtocol{59}, Octets(8)));
  CHECK(link.a.refused(Error::UnknownProtocol) == 3);
  Octets fragment = segment_frame(ip("10.9.0.2"), ip("10.9.0.1"));
  store_be(fragment.data() + 14 + 6, std::uint16_t{0x2000});
  link.a.receive(at(0s), fragment, RTE_MBUF_F_RX_IP_CKSUM_GOOD);
  CHECK(link.a.refused(Error::Fragment) == 1);
  link.a.receive(at(0s), fragment);
  CHECK(link.a.refused(Error::BadChecksum) == 1);
  CHECK(link.pool.available() == link.pool.capacity());
}

TEST_CASE("a port in a VLAN takes frames of that VLAN only", "[net][vlan]") {
  HostConfig config = host_config(kMacA, 1);
  config.ports[0].vlan = 7;
  Alone link(config);
  Octets untagged = segment_frame(ip("10.9.0.2"), ip("10.9.0.1"));
  const auto tagged = [&](unsigned tag) {
    Octets frame = untagged;
    const Octets extra = octets_of({0x81, 0, 0x60, tag});
    frame.insert(frame.begin() + 12, extra.begin(), extra.end());
    return frame;
  };
  const auto stripped = [&](std::uint16_t tci) {
    Packet packet = link.pool.alloc();
    std::copy(untagged.begin(), untagged.end(),
              packet.append(static_cast<std::uint32_t>(untagged.size())));
    packet.mbuf()->ol_flags = RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
    packet.mbuf()->vlan_tci = tci;
    link.a.receive(at(0s), std::move(packet));
    return link.a.batch.segments.size();
  };
  link.a.receive(at(0s), tagged(7));
  CHECK(link.a.batch.segments.size() == 1);
  CHECK(stripped(0xe007) == 1);
  link.a.receive(at(0s), tagged(8));
  CHECK(link.a.batch.segments.empty());
  link.a.receive(at(0s), untagged);
  CHECK(link.a.batch.segments.empty());
  CHECK(stripped(8) == 0);
  CHECK(link.a.refused(Error::UnknownVlan) == 3);
}

TEST_CASE("a port in no VLAN takes no tag but a priority", "[net][vlan]") {
  Alone link;
  Octets frame = segment_frame(ip("10.9.0.2"), ip("10.9.0.1"));
  const unsigned tag = GENERATE(0U, 1U);
  const Octets extra = octets_of({0x81, 0, 0x60, tag});
  frame.insert(frame.begin() + 12, extra.begin(), extra.end());
  link.a.receive(at(0s), frame);
  CHECK(link.a.batch.segments.size() == (tag == 0 ? 1 : 0));
  CHECK(link.a.refused(Error::UnknownVlan) == tag);
}

TEST_CASE("a device that inserts tags is given the tag beside the frame", "[net][vlan]") {
  HostConfig config = host_config(kMacA, 1);
  config.ports[0].vlan = 7;
  config.ports[0].offloads.tx_vlan = true;
  Alone link(config);
  link.a.host.announce(at(0s));
  Packet packet = link.a.host.tx_queue(kPort).pop();
  CHECK(packet.size() == 42);
  CHECK((packet.mbuf()->ol_flags & RTE_MBUF_F_TX_VLAN) != 0);
  CHECK(packet.mbuf()->vlan_tci == 7);
}

TEST_CASE("a device with offloads is told what to fill in", "[net][egress][offload]") {
  const bool v4 = GENERATE(true, false);
  const bool tso = GENERATE(false, true);
  const FourTuple tuple = v4 ? tuple_v4() : tuple_v6();
  HostConfig config = host_config(kMacA, 1);
  config.ports[0].offloads.tx_tcp_checksum = true;
  config.ports[0].offloads.tso = true;
  config.ports[0].offloads.tx_ipv4_checksum = GENERATE(false, true);
  TwoHosts link(config);
  link.acquaint(at(0s), tuple);
  SegmentOf made({1000, 900});
  if (!tso) made = SegmentOf({100});
  made.segment.pieces[0] = ByteSpan(made.payload).first(made.segment.pieces[0].size());
  made.segment.pieces[1] = ByteSpan(made.payload).subspan(made.segment.pieces[0].size());
  if (tso) made.segment.segment_size = 1000;
  REQUIRE(link.a.host.send(at(0s), tuple, made.segment));
  Packet packet = link.a.host.tx_queue(kPort).pop();
  REQUIRE(packet.mbuf() != nullptr);
  const rte_mbuf* mbuf = packet.mbuf();
  CHECK((mbuf->ol_flags & RTE_MBUF_F_TX_TCP_CKSUM) != 0);
  CHECK((mbuf->ol_flags & (v4 ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6)) != 0);
  CHECK(((mbuf->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0) == tso);
  CHECK(mbuf->l2_len == 14);
  CHECK(mbuf->l3_len == (v4 ? 20 : 40));
  CHECK(mbuf->l4_len == 32);
  CHECK(mbuf->tso_segsz == (tso ? 1000 : 0));

  const std::size_t tcp = 14U + mbuf->l3_len;
  wire::Checksum pseudo;
  pseudo.add_pseudo_header(tuple.local.address, tuple.remote.address, 6,
                           tso ? 0 : static_cast<std::uint32_t>(packet.size() - tcp));
  CHECK(load_be<std::uint16_t>(packet.begin() + tcp + 16) == pseudo.folded());
  const bool ip_offload = v4 && config.ports[0].offloads.tx_ipv4_checksum;
  CHECK(((mbuf->ol_flags & RTE_MBUF_F_TX_IP_CKSUM) != 0) == ip_offload);
  if (v4) {
    const ByteSpan header{packet.begin() + 14, 20};
    CHECK((wire::checksum_of(header) == 0) != ip_offload);
  }
}

TEST_CASE("the source address decides the port and its next hop", "[net][route]") {
  HostConfig config = host_config(kMacA, 1);
  InterfaceConfig second;
  second.mac = kMacB;
  second.addresses = {*Prefix::parse("10.8.0.1/24"), *Prefix::parse("10.7.0.1/30")};
  second.gateway_v4 = ip("10.8.0.254");
  second.mtu = 9000;
  config.ports.push_back(second);
  Alone link(config);
  const Host& host = link.a.host;

  CHECK(host.route(ip("10.9.0.1"), ip("10.9.0.7"))->next_hop == ip("10.9.0.7"));
  CHECK(host.route(ip("10.9.0.1"), ip("192.0.2.1")).error() == Error::NoRoute);
  const auto far = host.route(ip("10.7.0.1"), ip("192.0.2.1"));
  REQUIRE(far);
  CHECK(index_of(far->port) == 1);
  CHECK(far->next_hop == ip("10.8.0.254"));
  CHECK(far->mtu == 9000);
  CHECK(host.route(ip("10.7.0.1"), ip("10.8.0.9"))->next_hop == ip("10.8.0.9"));
  CHECK(host.route(ip("10.8.0.1"), ip("10.9.0.9"))->next_hop == ip("10.8.0.254"));
  CHECK(host.route(ip("10.9.0.1"), ip("fd00::2")).error() == Error::NoRoute);
  CHECK(host.route(ip("10.1.1.1"), ip("10.9.0.7")).error() == Error::NoRoute);
  CHECK(host.route(ip("fd00::1"), ip("fe80::9"))->next_hop == ip("fe80::9"));

  CHECK(host.source_for(ip("10.7.0.2")) == ip("10.7.0.1"));
  CHECK(host.source_for(ip("192.0.2.1")) == ip("10.8.0.1"));
  CHECK(host.source_for(ip("fd00::9")) == ip("fd00::1"));
  CHECK_FALSE(host.source_for(ip("2001:db8::1")));
  CHECK(host.is_local(ip("10.7.0.1")));
  CHECK_FALSE(host.is_local(ip("10.7.0.2")));
}

TEST_CASE("a segment that cannot be sent now is refused under its name", "[net][egress]") {
  HostConfig config = host_config(kMacA, 1);
  config.tx_queue_frames = 2;
  TwoHosts link(config);
  link.acquaint(at(0s), tuple_v4());
  const SegmentOf made({1});
  FourTuple foreign = tuple_v4();
  foreign.local.address = ip("10.9.0.9");
  CHECK(link.a.host.send(at(0s), foreign, made.segment).error() == Error::NoRoute);
  REQUIRE(link.a.host.send(at(0s), tuple_v4(), made.segment));
  CHECK(link.a.host.tx_room(kPort) == 1);
  CHECK(link.a.host.tx_backlog(kPort) == 1);
  REQUIRE(link.a.host.send(at(0s), tuple_v4(), made.segment));
  CHECK(link.a.host.send(at(0s), tuple_v4(), made.segment).error() == Error::QueueFull);
  link.a.take_sent();
  std::vector<Packet> all;
  while (Packet packet = link.pool.alloc())
    all.push_back(std::move(packet));
  CHECK(link.a.host.send(at(0s), tuple_v4(), made.segment).error() == Error::NoBuffers);
  CHECK(link.a.refused() == 3);
}

TEST_CASE("what every core must see is handed out, and teaches the others in silence",
          "[net][cores]") {
  HeapPacketPool pool(64);
  HostConfig config = host_config(kMacA, 1);
  config.core_count = 2;
  Node first(config, pool);
  Node second(config, pool);
  first.receive(
      at(0s), arp_frame({wire::ArpOperation::Request, kMacC, ip("10.9.0.2"), {}, ip("10.9.0.1")}));
  CHECK(first.take_sent().size() == 1);
  REQUIRE(first.batch.for_all_cores.size() == 1);
  Packet copy = copy_frame(first.batch.for_all_cores[0], pool);
  second.host.on_shared_frames(at(0s), kPort, {&copy, 1}, second.batch);
  CHECK(second.take_sent().empty());
  CHECK(second.batch.for_all_cores.empty());
  REQUIRE(second.host.send(at(0s), tuple_v4(), SegmentOf({1}).segment));
  CHECK(destination_of(second.take_sent().at(0)) == kMacC);

  const Octets quoted = quoted_segment(tuple_v4(), 5);
  first.receive(at(0s),
                icmp_frame(ip("10.9.0.2"), ip("10.9.0.1"), wire::IcmpUnreachable{1, quoted}));
  REQUIRE(first.batch.for_all_cores.size() == 1);
  copy = copy_frame(first.batch.for_all_cores[0], pool);
  second.host.on_shared_frames(at(0s), kPort, {&copy, 1}, second.batch);
  CHECK(second.batch.events.size() == 1);

  first.receive(at(0s), segment_frame(ip("10.9.0.2"), ip("10.9.0.1")));
  CHECK(first.batch.for_all_cores.empty());
}

TEST_CASE("every counter has a name of its own", "[net][stats]") {
  HostStats stats;
  stats.of(Error::UnknownVlan) = 3;
  stats.address_conflicts = 4;
  const auto counters = counters_of(stats);
  CHECK(counters.size() * sizeof(std::uint64_t) == sizeof(HostStats));
  for (std::size_t i = 0; i < kErrorCount; ++i) {
    const auto name = "refused_" + std::string(name_of(Error{static_cast<std::uint8_t>(i)}));
    CHECK(std::count_if(counters.begin(), counters.end(),
                        [&](const Counter& counter) { return counter.name == name; }) == 1);
  }
  CHECK(counters.back().value == 3);
}

TEST_CASE("a frame queue keeps order and frees what it cannot take", "[net][frame_queue]") {
  HeapPacketPool pool(8);
  FrameQueue queue(4);
  const auto numbered = [&](std::uint32_t n) {
    Packet packet = pool.alloc();
    packet.append(n);
    return packet;
  };
  for (std::uint32_t n = 1; n <= 3; ++n)
    CHECK(queue.push(numbered(n)));
  CHECK(queue.front().size() == 3);
  CHECK(queue.pop().size() == 1);
  for (std::uint32_t n = 4; n <= 5; ++n)
    CHECK(queue.push(numbered(n)));
  CHECK_FALSE(queue.push(numbered(6)));
  CHECK(pool.available() == 4);
  CHECK(queue.front().size() == 3);  // Up to where the ring ends.
  FrameQueue moved = std::move(queue);
  CHECK(queue.empty());
  CHECK(moved.size() == 4);
  for (std::uint32_t n = 2; n <= 4; ++n)
    CHECK(moved.pop().size() == n);
}

}  // namespace
}  // namespace dataplane::net
