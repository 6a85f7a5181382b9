#include <catch2/catch.hpp>

#include "test/dataplane/net/sent_frame.hpp"

namespace dataplane::net {
namespace {

struct Alone {
  explicit Alone(const HostConfig& config = host_config(kMacA, 1)) : a(config, pool) {}
  HeapPacketPool pool{128};
  Node a;

  PathEvent only_event() {
    REQUIRE(a.batch.events.size() == 1);
    return a.batch.events[0];
  }
};

TEST_CASE("an echo request is answered with the same octets", "[net][icmp][rfc1122-3.2.2.6]") {
  const bool v4 = GENERATE(true, false);
  const IpAddress own = ip(v4 ? "10.9.0.1" : "fd00::1");
  const IpAddress peer = ip(v4 ? "10.9.0.2" : "fd00::2");
  TwoHosts link;
  link.acquaint(at(0s), v4 ? tuple_v4() : tuple_v6());
  const Octets payload = some_octets(GENERATE(0U, 56U, 1400U));
  link.a.receive(at(0s), icmp_frame(peer, own, wire::IcmpEcho{false, 7, 9, payload}));
  const auto sent = link.a.take_sent();
  REQUIRE(sent.size() == 1);
  const Octets expected = icmp_frame(own, peer, wire::IcmpEcho{true, 7, 9, payload}, kMacB);
  CHECK(std::equal(sent[0].begin() + (v4 ? 34 : 54), sent[0].end(),
                   expected.begin() + (v4 ? 34 : 54), expected.end()));
  link.b.receive(at(0s), sent[0]);
  CHECK(link.b.host.stats().echo_replies_received == 1);
  CHECK(link.b.refused() == 0);
}

TEST_CASE("echo requests are answered so many times a second", "[net][icmp]") {
  HostConfig config = host_config(kMacA, 1);
  config.echo_per_second = 3;
  Alone link(config);
  const Octets ping = icmp_frame(ip("10.9.0.2"), ip("10.9.0.1"), wire::IcmpEcho{false, 1, 1, {}});
  for (int i = 0; i < 10; ++i)
    link.a.receive(at(500ms), ping);
  CHECK(link.a.host.stats().echo_requests_answered == 3);
  CHECK(link.a.host.stats().echo_requests_limited == 7);
  link.a.receive(at(1500ms), ping);
  CHECK(link.a.host.stats().echo_requests_answered == 4);
}

TEST_CASE("packet too big names flow, sequence number and MTU",
          "[net][icmp][rfc1191-4][rfc8201-4]") {
  const FourTuple tuple = GENERATE(tuple_v4(), tuple_v6());
  Alone link;
  const IpAddress router = tuple.local.address.is_v4() ? ip("192.0.2.1") : ip("2001:db8::1");
  const Octets quoted = quoted_segment(tuple, 0xdead'beef);
  link.a.receive(at(0s),
                 icmp_frame(router, tuple.local.address, wire::IcmpPacketTooBig{1400, quoted}));
  const PathEvent event = link.only_event();
  CHECK(event.kind == PathEvent::Kind::PacketTooBig);
  CHECK(event.tuple == tuple);
  CHECK(event.quoted_seq == SeqNum(0xdead'beef));
  CHECK(event.mtu == 1400);
  CHECK(link.a.refused() == 0);
}

TEST_CASE("a router that does not say what passes is guessed for", "[net][icmp][rfc1191-7.1]") {
  struct Case {
    std::uint16_t payload;
    std::uint16_t mtu;
  };
  const auto c = GENERATE(Case{1480, 1492}, Case{1472, 1006}, Case{9000, 8166}, Case{20, 68});
  Alone link;
  const Octets quoted = quoted_segment(tuple_v4(), 1, c.payload);
  link.a.receive(at(0s),
                 icmp_frame(ip("192.0.2.1"), ip("10.9.0.1"), wire::IcmpPacketTooBig{0, quoted}));
  CHECK(link.only_event().mtu == c.mtu);
}

TEST_CASE("an MTU that no link has is refused", "[net][icmp]") {
  const bool v4 = GENERATE(true, false);
  const FourTuple tuple = v4 ? tuple_v4() : tuple_v6();
  Alone link;
  const Octets quoted = quoted_segment(tuple, 1);
  const std::uint32_t mtu = v4 ? 67 : 1279;
  link.a.receive(at(0s), icmp_frame(tuple.remote.address, tuple.local.address,
                                    wire::IcmpPacketTooBig{mtu, quoted}));
  CHECK(link.a.batch.events.empty());
  CHECK(link.a.refused(Error::BadHeader) == 1);
}

TEST_CASE("unreachables are soft, but for the port's", "[net][icmp][rfc1122-4.2.3.9][rfc5461-2]") {
  struct Case {
    bool v4;
    std::uint8_t code;
    PathEvent::Kind kind;
  };
  using Kind = PathEvent::Kind;
  const auto c = GENERATE(Case{true, 0, Kind::Unreachable}, Case{true, 1, Kind::Unreachable},
                          Case{true, 2, Kind::PortUnreachable},
                          Case{true, 3, Kind::PortUnreachable}, Case{true, 13, Kind::Unreachable},
                          Case{false, 0, Kind::Unreachable}, Case{false, 1, Kind::PortUnreachable},
                          Case{false, 3, Kind::Unreachable}, Case{false, 4, Kind::PortUnreachable});
  const FourTuple tuple = c.v4 ? tuple_v4() : tuple_v6();
  Alone link;
  const Octets quoted = quoted_segment(tuple, 5);
  link.a.receive(at(0s), icmp_frame(tuple.remote.address, tuple.local.address,
                                    wire::IcmpUnreachable{c.code, quoted}));
  CHECK(link.only_event().kind == c.kind);
  CHECK(link.only_event().tuple == tuple);
}

TEST_CASE("a source quench is dropped in silence", "[net][icmp][rfc9293-3.9.2.2]") {
  Alone link;
  Octets quench(36);
  quench[0] = std::byte{4};
  store_be(quench.data() + 2, std::uint16_t{0xfbff});  // The checksum.
  link.a.receive(at(0s), ip_frame(ip("10.9.0.2"), ip("10.9.0.1"), wire::IpProtocol::Icmp, quench));
  CHECK(link.a.batch.events.empty());
  CHECK(link.a.take_sent().empty());
}

TEST_CASE("an error that quotes nothing of ours is refused", "[net][icmp][rfc5927]") {
  FourTuple tuple = tuple_v4();
  tuple.local.address = ip("10.9.0.77");
  Alone link;
  const Octets foreign = quoted_segment(tuple, 5);
  link.a.receive(at(0s),
                 icmp_frame(ip("10.9.0.2"), ip("10.9.0.1"), wire::IcmpUnreachable{1, foreign}));
  CHECK(link.a.refused(Error::NotForUs) == 1);
  const Octets whole = quoted_segment(tuple_v4(), 5);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    link.a.receive(at(0s), icmp_frame(ip("10.9.0.2"), ip("10.9.0.1"),
                                      wire::IcmpUnreachable{1, ByteSpan(whole).first(length)}));
    if (!link.a.batch.events.empty()) FAIL(length);
  }
}

}  // namespace
}  // namespace dataplane::net
