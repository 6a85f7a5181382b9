#include <catch2/catch.hpp>

#include "test/dataplane/net/sent_frame.hpp"

namespace dataplane::net {
namespace {

const IpAddress own = ip("10.9.0.1");
const IpAddress peer = ip("10.9.0.2");

/// A alone on a link where the test speaks for the others.
struct Alone {
  HeapPacketPool pool{128};
  Node a{host_config(kMacA, 1), pool};

  /// Whether A knows where the peer is: then a segment leaves at once.
  bool knows_peer(const MacAddress& mac) {
    (void)a.host.send(at(0s), tuple_v4(), SegmentOf({1}).segment);
    const auto sent = a.take_sent();
    return !sent.empty() && destination_of(sent[0]) == mac && sent[0][13] == std::byte{0};
  }
};

TEST_CASE("a request for our address is answered to who asked", "[net][arp][rfc826]") {
  Alone link;
  link.a.receive(at(0s), arp_frame({wire::ArpOperation::Request, kMacC, peer, {}, own}));
  const auto sent = link.a.take_sent();
  REQUIRE(sent.size() == 1);
  CHECK(destination_of(sent[0]) == kMacC);
  CHECK(arp_in(sent[0]) == wire::ArpPacket{wire::ArpOperation::Reply, kMacA, own, kMacC, peer});
  CHECK(link.knows_peer(kMacC));
}

TEST_CASE("a request for another address is not answered, and teaches nothing new",
          "[net][arp][rfc826]") {
  Alone link;
  link.a.receive(at(0s), arp_frame({wire::ArpOperation::Request, kMacC, peer, {}, ip("10.9.0.9")}));
  CHECK(link.a.take_sent().empty());
  CHECK(link.a.refused(Error::NotForUs) == 1);
  CHECK_FALSE(link.knows_peer(kMacC));
}

TEST_CASE("a gratuitous announcement moves a neighbour that is known", "[net][arp][rfc826]") {
  Alone link;
  const auto announcement = [&](const MacAddress& mac) {
    return arp_frame({wire::ArpOperation::Request, mac, peer, {}, peer});
  };
  link.a.receive(at(0s), announcement(kMacB));
  CHECK_FALSE(link.knows_peer(kMacB));  // The frame now waits for an answer...
  link.a.receive(at(0s), announcement(kMacB));
  CHECK(link.a.take_sent().size() == 1);  // ...which any news of the neighbour is.
  link.a.receive(at(0s), announcement(kMacC));
  (void)link.a.host.send(at(0s), tuple_v4(), SegmentOf({1}).segment);
  const auto sent = link.a.take_sent();
  REQUIRE(sent.size() == 2);  // The segment, and a probe: unasked news is not proof.
  CHECK(destination_of(sent[0]) == kMacC);
  CHECK(destination_of(sent[1]) == kMacC);
}

TEST_CASE("a probe before an address is used is answered but not learned",
          "[net][arp][rfc5227-2.1]") {
  Alone link;
  link.a.receive(at(0s),
                 arp_frame({wire::ArpOperation::Request, kMacC, IpAddress::v4(0), {}, own}));
  const auto sent = link.a.take_sent();
  REQUIRE(sent.size() == 1);
  CHECK(arp_in(sent[0]).sender_ip == own);
  CHECK(link.a.host.stats().address_conflicts == 0);
}

TEST_CASE("a host that claims our address is counted, and answered once in ten seconds",
          "[net][arp][rfc5227-2.4]") {
  Alone link;
  const Octets claim = arp_frame({wire::ArpOperation::Request, kMacC, own, {}, own});
  link.a.receive(at(100s), claim);
  const auto sent = link.a.take_sent();
  REQUIRE(sent.size() == 1);
  CHECK(arp_in(sent[0]) == wire::ArpPacket{wire::ArpOperation::Request, kMacA, own, {}, own});
  link.a.receive(at(109s), claim);
  CHECK(link.a.take_sent().empty());
  link.a.receive(at(110s), claim);
  CHECK(link.a.take_sent().size() == 1);
  CHECK(link.a.host.stats().address_conflicts == 3);
}

TEST_CASE("our own frame that comes back is refused", "[net][arp]") {
  Alone link;
  link.a.host.announce(at(0s));
  for (const Octets& frame : link.a.take_sent())
    link.a.receive(at(0s), frame);
  CHECK(link.a.host.stats().address_conflicts == 0);
  CHECK(link.a.refused(Error::BadAddress) + link.a.refused(Error::NotForUs) == 2);
}

TEST_CASE("a host announces all its addresses", "[net][arp][ndp][rfc4861-7.2.6]") {
  Alone link;
  link.a.host.announce(at(0s));
  const auto sent = link.a.take_sent();
  REQUIRE(sent.size() == 2);
  CHECK(arp_in(sent[0]).target_ip == own);
  CHECK(ndp_in(sent[1]) ==
        wire::NdpMessage(wire::NeighborAdvertisement{ip("fd00::1"), kMacA, false, false, true}));
}

TEST_CASE("senders that cannot be are refused", "[net][arp]") {
  Alone link;
  const auto sender_mac = GENERATE(MacAddress{}, MacAddress::broadcast(), kMacC);
  const auto sender_ip = GENERATE(as<std::string>(), "224.0.0.1", "255.255.255.255", "10.9.0.255");
  Octets frame =
      arp_frame({wire::ArpOperation::Request, sender_mac, ip(sender_ip.c_str()), {}, own});
  wire::store_mac(frame.data() + 6, kMacC);
  link.a.receive(at(0s), frame);
  CHECK(link.a.take_sent().empty());
  CHECK(link.a.refused(Error::BadAddress) == 1);
}

TEST_CASE("a next hop that never answers fails after three requests", "[net][neighbor]") {
  const FourTuple tuple = GENERATE(tuple_v4(), tuple_v6());
  Alone link;
  REQUIRE(link.a.host.send(at(0s), tuple, SegmentOf({1}).segment));
  REQUIRE(link.a.host.send(at(0s), tuple, SegmentOf({1}).segment));
  IngressBatch batch;
  for (const auto second : {0s, 1s, 2s}) {
    link.a.host.on_deadline(at(second), batch);
    const auto sent = link.a.take_sent();
    REQUIRE(sent.size() == 1);
    CHECK(destination_of(sent[0]).is_multicast());
    CHECK(link.a.host.next_deadline() == at(second + 1s));
    link.a.host.on_deadline(at(second + 1s - 1ns), batch);
    CHECK(link.a.take_sent().empty());
  }
  CHECK(batch.events.empty());
  link.a.host.on_deadline(at(3s), batch);
  REQUIRE(batch.events.size() == 1);
  CHECK(batch.events[0].kind == PathEvent::Kind::NeighborFailed);
  CHECK(batch.events[0].tuple.remote.address == tuple.remote.address);
  CHECK(link.a.host.stats().unresolved_frames_dropped == 2);
  CHECK(link.a.host.stats().neighbors_failed == 1);
  CHECK(link.a.host.next_deadline() == kNever);
  CHECK(link.pool.available() == link.pool.capacity());
}

TEST_CASE("frames wait for a next hop in order, and the oldest gives way", "[net][neighbor]") {
  HeapPacketPool pool(128);
  HostConfig config = host_config(kMacA, 1);
  config.neighbor_queue_frames = 3;
  Node a(config, pool);
  for (std::size_t length = 1; length <= 5; ++length)
    REQUIRE(a.host.send(at(0s), tuple_v4(), SegmentOf({length}).segment));
  CHECK(a.take_sent().size() == 1);
  a.receive(at(0s), arp_frame({wire::ArpOperation::Reply, kMacC, peer, kMacA, own}, kMacA));
  const auto sent = a.take_sent();
  REQUIRE(sent.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(sent[i].size() == 14 + 20 + 32 + 3 + i);
    CHECK(destination_of(sent[i]) == kMacC);
  }
  CHECK(a.host.stats().unresolved_frames_dropped == 2);
}

TEST_CASE("all unresolved next hops together keep a bounded number of frames", "[net][neighbor]") {
  HeapPacketPool pool(128);
  HostConfig config = host_config(kMacA, 1);
  config.neighbor_total_frames = 4;
  Node a(config, pool);
  FourTuple tuple = tuple_v4();
  for (unsigned n = 10; n < 16; ++n) {
    tuple.remote.address = IpAddress::v4(0x0a09'0000 + n);
    REQUIRE(a.host.send(at(0s), tuple, SegmentOf({1}).segment));
  }
  CHECK(a.take_sent().size() == 6);
  CHECK(pool.available() == pool.capacity() - 4);
  CHECK(a.host.stats().unresolved_frames_dropped == 2);
}

TEST_CASE("a neighbour in use is asked again, by name and without a pause", "[net][neighbor]") {
  const FourTuple tuple = GENERATE(tuple_v4(), tuple_v6());
  TwoHosts link;
  link.acquaint(at(0s), tuple);
  const SegmentOf made({1});
  REQUIRE(link.a.host.send(at(29s), tuple, made.segment));
  CHECK(link.a.take_sent().size() == 1);
  REQUIRE(link.a.host.send(at(30s), tuple, made.segment));
  // The probe may pass the segment by; the answer makes the neighbour reachable for as long again.
  CHECK(TwoHosts::carry(at(30s), link.a, link.b) == 2);
  CHECK(link.b.batch.segments.size() == 1);
  CHECK(TwoHosts::carry(at(30s), link.b, link.a) == 1);
  IngressBatch batch;
  link.a.host.on_deadline(at(31s), batch);
  REQUIRE(link.a.host.send(at(59s), tuple, made.segment));
  CHECK(link.a.take_sent().size() == 1);
  CHECK(link.a.host.next_deadline() == kNever);
}

TEST_CASE("a neighbour that falls silent is probed, then everybody is asked, then it has failed",
          "[net][neighbor][rfc4861-7.3]") {
  const FourTuple tuple = GENERATE(tuple_v4(), tuple_v6());
  TwoHosts link;
  link.acquaint(at(0s), tuple);
  const SegmentOf made({1});
  REQUIRE(link.a.host.send(at(40s), tuple, made.segment));
  CHECK(link.a.take_sent().size() == 2);
  IngressBatch batch;
  for (const auto second : {41s, 42s}) {
    link.a.host.on_deadline(at(second), batch);
    CHECK(destination_of(link.a.take_sent().at(0)) == kMacB);
    REQUIRE(link.a.host.send(at(second), tuple, made.segment));
    CHECK(link.a.take_sent().size() == 1);  // It goes on meanwhile.
  }
  for (const auto second : {43s, 44s, 45s}) {
    link.a.host.on_deadline(at(second), batch);
    CHECK(destination_of(link.a.take_sent().at(0)).is_multicast());
    REQUIRE(link.a.host.send(at(second), tuple, made.segment));
    CHECK(link.a.take_sent().empty());  // Now it waits.
  }
  CHECK(batch.events.empty());
  link.a.host.on_deadline(at(46s), batch);
  CHECK(batch.events.size() == 1);
}

TEST_CASE("a full neighbour cache keeps those in use", "[net][neighbor]") {
  TwoHosts link;  // Eight neighbours at most.
  link.acquaint(at(0s), tuple_v4());
  for (unsigned n = 10; n < 60; ++n) {
    const IpAddress stranger = IpAddress::v4(0x0a09'0000 + n);
    link.a.receive(at(0s), arp_frame({wire::ArpOperation::Request, kMacC, stranger, {}, own}));
    link.a.take_sent();
    REQUIRE(link.a.host.send(at(0s), tuple_v4(), SegmentOf({1}).segment));
    const auto sent = link.a.take_sent();
    REQUIRE(sent.size() == 1);
    REQUIRE(destination_of(sent[0]) == kMacB);
  }
  CHECK(link.a.host.stats().neighbors_evicted == 43);
}

}  // namespace
}  // namespace dataplane::net
