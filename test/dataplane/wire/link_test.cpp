#include <catch2/catch.hpp>

#include "dataplane/wire/arp.hpp"
#include "dataplane/wire/ethernet.hpp"
#include "test/dataplane/wire/octets.hpp"

namespace dataplane::wire {
namespace {

constexpr MacAddress kMacA{{0x02, 0, 0, 0, 0, 0x0a}};
constexpr MacAddress kMacB{{0x02, 0, 0, 0, 0, 0x0b}};

ArpPacket some_arp() {
  return {ArpOperation::Reply, kMacA, *IpAddress::parse("10.9.0.1"), kMacB,
          *IpAddress::parse("10.9.0.2")};
}

TEST_CASE("an Ethernet header survives its way over the wire", "[wire][ethernet]") {
  EthernetHeader header{kMacB, kMacA, EtherType::Ipv6, std::nullopt};
  SECTION("untagged") {}
  SECTION("in a VLAN") { header.vlan = GENERATE(0, 1, 4095); }
  SECTION("of a type without a name") { header.type = EtherType{0x88cc}; }
  Octets octets(header.length());
  emit_ethernet(header, octets);
  CHECK(parse_ethernet(octets) == header);
  CHECK(refuses_every_truncation(octets, parse_ethernet));
}

TEST_CASE("the priority bits of a tag are not part of the VLAN", "[wire][ethernet]") {
  Octets octets(kEthernetHeaderLength + kVlanTagLength);
  emit_ethernet({kMacB, kMacA, EtherType::Ipv4, 7}, octets);
  octets[14] |= std::byte{0xf0};
  CHECK(parse_ethernet(octets)->vlan == 7);
}

TEST_CASE("a tag in a tag is refused", "[wire][ethernet]") {
  Octets octets(64);
  emit_ethernet({kMacB, kMacA, EtherType::Vlan, 7}, octets);
  CHECK(parse_ethernet(octets).error() == Error::UnknownVlan);
}

TEST_CASE("IP multicast addresses map to those of Ethernet",
          "[wire][ethernet][rfc1112-6.4][rfc2464-7]") {
  CHECK(multicast_mac(*IpAddress::parse("224.129.2.3")) == MacAddress{{1, 0, 0x5e, 1, 2, 3}});
  CHECK(multicast_mac(*IpAddress::parse("ff02::1:ff00:12")) ==
        MacAddress{{0x33, 0x33, 0xff, 0, 0, 0x12}});
}

TEST_CASE("an ARP packet survives its way over the wire", "[wire][arp][rfc826]") {
  ArpPacket packet = some_arp();
  packet.operation = GENERATE(ArpOperation::Request, ArpOperation::Reply);
  Octets octets(kArpLength);
  emit_arp(packet, octets);
  CHECK(parse_arp(octets) == packet);
  CHECK(refuses_every_truncation(octets, parse_arp));
  octets.resize(46);  // The shortest frame has padding.
  CHECK(parse_arp(octets) == packet);
}

TEST_CASE("ARP for anything but IPv4 over Ethernet is refused", "[wire][arp][rfc826]") {
  Octets octets(kArpLength);
  emit_arp(some_arp(), octets);
  struct Case {
    std::size_t at;
    unsigned value;
    Error error;
  };
  const auto c = GENERATE(Case{1, 6, Error::BadVersion}, Case{2, 0x86, Error::BadVersion},
                          Case{4, 8, Error::BadLength}, Case{5, 16, Error::BadLength},
                          Case{7, 0, Error::BadHeader}, Case{7, 3, Error::BadHeader});
  octets[c.at] = static_cast<std::byte>(c.value);
  CHECK(parse_arp(octets).error() == c.error);
}

}  // namespace
}  // namespace dataplane::wire
