#include <catch2/catch.hpp>

#include "dataplane/wire/checksum.hpp"
#include "test/dataplane/net/sent_frame.hpp"

namespace dataplane::net {
namespace {

const IpAddress own = ip("fd00::1");
const IpAddress peer = ip("fd00::2");
const IpAddress group = wire::solicited_node(own);
const MacAddress group_mac = wire::multicast_mac(group);

struct Alone {
  HeapPacketPool pool{128};
  Node a{host_config(kMacA, 1), pool};

  Octets send_segment() {
    (void)a.host.send(at(0s), tuple_v6(), SegmentOf({1}).segment);
    const auto sent = a.take_sent();
    return sent.empty() ? Octets(14) : sent[0];
  }
  void advertise(const MacAddress& mac, bool solicited, bool override_entry) {
    a.receive(at(0s),
              ndp_frame(peer, own,
                        wire::NeighborAdvertisement{peer, mac, false, solicited, override_entry}));
  }
};

TEST_CASE("a solicitation is answered to its sender", "[net][ndp][rfc4861-7.2.4]") {
  Alone link;
  const bool with_mac = GENERATE(true, false);
  const auto mac = with_mac ? std::optional(kMacB) : std::nullopt;
  link.a.receive(at(0s), ndp_frame(peer, group, wire::NeighborSolicitation{own, mac}, group_mac));
  const auto sent = link.a.take_sent();
  REQUIRE(sent.size() == 1);
  CHECK(destination_of(sent[0]) == (with_mac ? kMacB : kMacC));
  CHECK(ndp_in(sent[0]) ==
        wire::NdpMessage(wire::NeighborAdvertisement{own, kMacA, false, true, true}));
  CHECK(sent[0][21] == std::byte{255});
  if (with_mac) CHECK(destination_of(link.send_segment()) == kMacB);
}

TEST_CASE("a solicitation for another address, or for a group that we are not in, is refused",
          "[net][ndp]") {
  Alone link;
  const IpAddress other = ip("fd00::99:1");
  link.a.receive(at(0s), ndp_frame(peer, own, wire::NeighborSolicitation{other, kMacC}));
  link.a.receive(at(0s), ndp_frame(peer, wire::solicited_node(other),
                                   wire::NeighborSolicitation{other, kMacC}));
  CHECK(link.a.take_sent().empty());
  CHECK(link.a.refused(Error::NotForUs) == 2);
}

TEST_CASE("a neighbour message that passed a router is refused", "[net][ndp][rfc4861-7.1]") {
  Alone link;
  Octets frame = ndp_frame(peer, own, wire::NeighborSolicitation{own, kMacC});
  frame[14 + 7] = std::byte{254};
  link.a.receive(at(0s), frame);
  CHECK(link.a.take_sent().empty());
  CHECK(link.a.refused(Error::BadHeader) == 1);
}

TEST_CASE("a host that checks whether our address is free is told that it is not",
          "[net][ndp][rfc4862-5.4.3]") {
  Alone link;
  link.a.receive(at(0s), ndp_frame(IpAddress{}, group,
                                   wire::NeighborSolicitation{own, std::nullopt}, group_mac));
  const auto sent = link.a.take_sent();
  REQUIRE(sent.size() == 1);
  CHECK(destination_of(sent[0]) == wire::multicast_mac(wire::all_nodes()));
  CHECK(ndp_in(sent[0]) ==
        wire::NdpMessage(wire::NeighborAdvertisement{own, kMacA, false, false, true}));
  CHECK(link.a.host.stats().address_conflicts == 1);
}

TEST_CASE("an advertisement of our own address is a conflict", "[net][ndp]") {
  Alone link;
  link.a.receive(at(0s),
                 ndp_frame(peer, own, wire::NeighborAdvertisement{own, kMacC, false, false, true}));
  CHECK(link.a.host.stats().address_conflicts == 1);
}

TEST_CASE("an advertisement that nobody asked for makes no entry", "[net][ndp][rfc4861-7.2.5]") {
  Alone link;
  link.advertise(kMacC, true, true);
  CHECK(ndp_in(link.send_segment()) == wire::NdpMessage(wire::NeighborSolicitation{peer, kMacA}));
}

TEST_CASE("another link address counts only if it overrides", "[net][ndp][rfc4861-7.2.5]") {
  Alone link;
  link.send_segment();
  link.advertise(kMacB, true, false);
  CHECK(link.a.take_sent().size() == 1);
  CHECK(destination_of(link.send_segment()) == kMacB);
  SECTION("without override the old one is used, but doubted") {
    link.advertise(kMacC, false, false);
    (void)link.a.host.send(at(0s), tuple_v6(), SegmentOf({1}).segment);
    const auto sent = link.a.take_sent();
    REQUIRE(sent.size() == 2);
    CHECK(destination_of(sent[0]) == kMacB);
    CHECK(ndp_in(sent[1]) == wire::NdpMessage(wire::NeighborSolicitation{peer, kMacA}));
  }
  SECTION("with override it is the new one") {
    link.advertise(kMacC, true, true);
    CHECK(destination_of(link.send_segment()) == kMacC);
    CHECK(link.a.host.next_deadline() != kNever);  // Of the first answer, already given.
  }
}

TEST_CASE("routers are heard and ignored", "[net][ndp]") {
  Alone link;
  Octets payload = octets_of({134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0});
  wire::Checksum sum;
  const IpAddress router = ip("fe80::1");
  sum.add_pseudo_header(router, wire::all_nodes(), 58, 16);
  sum.add(payload);
  store_be(payload.data() + 2, sum.finish());
  link.a.receive(at(0s), ip_frame(router, wire::all_nodes(), wire::IpProtocol::Icmpv6, payload,
                                  wire::multicast_mac(wire::all_nodes())));
  CHECK(link.a.host.stats().router_messages_ignored == 1);
  CHECK(link.a.refused() == 0);
  CHECK(link.a.take_sent().empty());
}

TEST_CASE("a port hears the groups of its addresses and no others", "[net][ndp]") {
  const auto macs = multicast_macs(host_config(kMacA, 1).ports[0]);
  CHECK(macs == std::vector<MacAddress>{wire::multicast_mac(wire::all_nodes()), group_mac});
  Alone link;
  link.a.receive(at(0s), ndp_frame(peer, own, wire::NeighborSolicitation{own, kMacC},
                                   MacAddress{{0x33, 0x33, 0xff, 9, 9, 9}}));
  CHECK(link.a.refused(Error::NotForUs) == 1);
}

}  // namespace
}  // namespace dataplane::net
