#include "dataplane/wire/icmp.hpp"

#include <catch2/catch.hpp>

#include "dataplane/wire/ipv4.hpp"
#include "dataplane/wire/ipv6.hpp"
#include "dataplane/wire/ndp.hpp"
#include "dataplane/wire/tcp_header.hpp"
#include "test/dataplane/wire/octets.hpp"

namespace dataplane::wire {
namespace {

const Icmpv6Addresses between{*IpAddress::parse("fd00::1"), *IpAddress::parse("fd00::2")};
constexpr MacAddress kMac{{0x02, 0, 0, 0, 0, 0x0a}};

bool equal(ByteSpan a, ByteSpan b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

Octets emit_v4(const IcmpMessage& message) {
  Octets octets(emitted_length(message));
  emit_icmpv4(message, octets);
  return octets;
}
Octets emit_v6(const IcmpMessage& message) {
  Octets octets(emitted_length(message));
  emit_icmpv6(message, between, octets);
  return octets;
}
auto parse_v6(ByteSpan octets) { return parse_icmpv6(octets, between); }

TEST_CASE("an echo survives its way over the wire", "[wire][icmp][rfc792][rfc4443-4]") {
  const Octets payload = some_octets(GENERATE(0U, 1U, 56U));
  const IcmpEcho echo{GENERATE(false, true), 0x1234, 0x5678, payload};
  const bool v6 = GENERATE(false, true);
  const Octets octets = v6 ? emit_v6(echo) : emit_v4(echo);
  const auto parsed = v6 ? parse_v6(octets) : parse_icmpv4(octets);
  REQUIRE(parsed);
  const auto* back = std::get_if<IcmpEcho>(&*parsed);
  REQUIRE(back != nullptr);
  CHECK(back->is_reply == echo.is_reply);
  CHECK(back->identifier == echo.identifier);
  CHECK(back->sequence == echo.sequence);
  CHECK(equal(back->payload, payload));
  if (v6)
    CHECK(refuses_every_truncation(octets, parse_v6));
  else
    CHECK(refuses_every_truncation(octets, parse_icmpv4));
}

TEST_CASE("ICMP errors survive their way over the wire", "[wire][icmp]") {
  const Octets quoted = some_octets(28);
  SECTION("unreachable") {
    const auto v4 = parse_icmpv4(emit_v4(IcmpUnreachable{3, quoted}));
    CHECK(std::get<IcmpUnreachable>(*v4).code == 3);
    const Octets octets = emit_v6(IcmpUnreachable{4, quoted});
    const auto v6 = parse_v6(octets);
    CHECK(std::get<IcmpUnreachable>(*v6).code == 4);
    CHECK(equal(std::get<IcmpUnreachable>(*v6).quoted, quoted));
  }
  SECTION("packet too big") {
    const Octets octets = emit_v4(IcmpPacketTooBig{1280, quoted});
    const auto v4 = parse_icmpv4(octets);
    CHECK(std::get<IcmpPacketTooBig>(*v4).mtu == 1280);
    CHECK(equal(std::get<IcmpPacketTooBig>(*v4).quoted, quoted));
    const auto v6 = parse_v6(emit_v6(IcmpPacketTooBig{70'000, quoted}));
    CHECK(std::get<IcmpPacketTooBig>(*v6).mtu == 70'000);
  }
  SECTION("a code 4 of another type is no packet too big") {
    Octets octets = octets_of({11, 4, 0xf4, 0xfb, 0, 0, 0, 0});
    CHECK(std::get<IcmpProblem>(*parse_icmpv4(octets)).code == 4);
  }
  SECTION("what we do not speak has its type") {
    const Octets timestamp = octets_of({13, 0, 0xf2, 0xff, 0, 0, 0, 0});
    CHECK(std::get<IcmpOther>(*parse_icmpv4(timestamp)).type == 13);
  }
}

TEST_CASE("an ICMP message with a flipped bit is refused", "[wire][icmp]") {
  const Octets payload = some_octets(21);
  Octets v4 = emit_v4(IcmpEcho{false, 1, 2, payload});
  Octets v6 = emit_v6(IcmpEcho{false, 1, 2, payload});
  for (std::size_t bit = 0; bit < v4.size() * 8; ++bit) {
    const auto flip = static_cast<std::byte>(1U << bit % 8);
    v4[bit / 8] ^= flip;
    v6[bit / 8] ^= flip;
    if (parse_icmpv4(v4) || parse_v6(v6)) FAIL(bit);
    v4[bit / 8] ^= flip;
    v6[bit / 8] ^= flip;
  }
  CHECK(parse_icmpv6(v6, {between.source, *IpAddress::parse("fd00::3")}).error() ==
        Error::BadChecksum);
}

TEST_CASE("a quoted segment names the flow and its sequence number", "[wire][icmp][rfc5927-4.1]") {
  const bool v6 = GENERATE(false, true);
  const IpAddress local = *IpAddress::parse(v6 ? "fd00::1" : "10.0.0.1");
  const IpAddress remote = *IpAddress::parse(v6 ? "fd00::2" : "10.0.0.2");
  const std::size_t ip = v6 ? kIpv6HeaderLength : kIpv4HeaderLength;
  Octets quoted(ip + kTcpHeaderLength);
  if (v6)
    emit_ipv6({local, remote, IpProtocol::Tcp, 0, 3, 0, 1440}, quoted);
  else
    emit_ipv4({local, remote, IpProtocol::Tcp, 0, 3, true, 0, 1460}, quoted);
  TcpHeader header;
  header.source_port = 40'000;
  header.destination_port = 80;
  header.seq = SeqNum(0xfeed'beef);
  emit_tcp(header, MutableByteSpan(quoted).subspan(ip));
  quoted.resize(ip + 8);  // All that a router must quote.

  const auto parse = v6 ? parse_quoted_v6 : parse_quoted_v4;
  const auto segment = parse(quoted);
  REQUIRE(segment);
  CHECK(segment->tuple == FourTuple{{local, 40'000}, {remote, 80}});
  CHECK(segment->seq == SeqNum(0xfeed'beef));
  CHECK(segment->packet_length == 1480);
  CHECK(refuses_every_truncation(quoted, parse));

  quoted[v6 ? 6 : 9] = std::byte{17};
  CHECK(parse(quoted).error() == Error::UnknownProtocol);
}

TEST_CASE("solicitations and advertisements survive their way over the wire",
          "[wire][ndp][rfc4861-4]") {
  const IpAddress target = *IpAddress::parse("fd00::77");
  const std::optional<MacAddress> mac =
      GENERATE(as<std::optional<MacAddress>>(), std::nullopt, kMac);
  const bool flag = GENERATE(false, true);
  const NdpMessage message = GENERATE_COPY(as<NdpMessage>(), NeighborSolicitation{target, mac},
                                           NeighborAdvertisement{target, mac, flag, !flag, flag},
                                           NeighborAdvertisement{target, mac, !flag, flag, flag});
  Octets octets(emitted_length(message));
  emit_ndp(message, between, octets);
  CHECK(parse_ndp(octets) == message);
  REQUIRE(parse_v6(octets));
  CHECK(is_ndp(std::get<IcmpOther>(*parse_v6(octets)).type));
  // A message cut right before its option is a message without it; the checksum tells them apart.
  CHECK(refuses_every_truncation(octets, [](ByteSpan cut) -> Result<NdpMessage> {
    if (const auto icmp = parse_v6(cut); !icmp) return Refused(icmp.error());
    return parse_ndp(cut);
  }));
}

TEST_CASE("a broken neighbor message is refused", "[wire][ndp][rfc4861-7.1]") {
  Octets octets(kMaxNdpLength);
  emit_ndp(NeighborSolicitation{*IpAddress::parse("fd00::77"), kMac}, between, octets);
  SECTION("an option of length 0") {
    octets[25] = std::byte{0};
    CHECK(parse_ndp(octets).error() == Error::BadLength);
  }
  SECTION("an option that runs past the end") {
    octets[25] = std::byte{2};
    CHECK(parse_ndp(octets).error() == Error::Truncated);
  }
  SECTION("half an option") {
    octets.resize(30);
    CHECK(parse_ndp(octets).error() == Error::Truncated);
  }
  SECTION("a link-layer address that is not Ethernet's") {
    octets.resize(40);
    octets[25] = std::byte{2};
    CHECK(parse_ndp(octets).error() == Error::BadLength);
  }
  SECTION("a multicast target") {
    octets[8] = std::byte{0xff};
    CHECK(parse_ndp(octets).error() == Error::BadAddress);
  }
  SECTION("a code") {
    octets[1] = std::byte{1};
    CHECK(parse_ndp(octets).error() == Error::BadHeader);
  }
  SECTION("an option of another kind is skipped") {
    octets[24] = std::byte{14};
    CHECK(parse_ndp(octets) == NdpMessage(NeighborSolicitation{*IpAddress::parse("fd00::77"), {}}));
  }
}

TEST_CASE("router messages are recognised and say nothing", "[wire][ndp]") {
  const unsigned type = GENERATE(133U, 134U, 137U);
  CHECK(parse_ndp(octets_of({type, 0, 0, 0, 0, 0, 0, 0})) ==
        NdpMessage(RouterMessage{static_cast<std::uint8_t>(type)}));
}

TEST_CASE("the solicited-node address ends like the address", "[wire][ndp][rfc4291-2.7.1]") {
  CHECK(solicited_node(*IpAddress::parse("fd00::12:3456")).to_string() == "ff02::1:ff12:3456");
  CHECK(all_nodes().to_string() == "ff02::1");
}

}  // namespace
}  // namespace dataplane::wire
