#include <catch2/catch.hpp>

#include "dataplane/wire/checksum.hpp"
#include "dataplane/wire/ipv4.hpp"
#include "dataplane/wire/ipv6.hpp"
#include "test/dataplane/wire/octets.hpp"

namespace dataplane::wire {
namespace {

constexpr std::size_t kPayload = 24;

Ipv4Header some_v4() {
  return {*IpAddress::parse("10.9.0.1"),
          *IpAddress::parse("10.9.0.2"),
          IpProtocol::Tcp,
          0x2a,
          63,
          true,
          0,
          kPayload};
}

Octets v4_packet(const Ipv4Header& header = some_v4()) {
  Octets octets(kIpv4HeaderLength + header.payload_length);
  emit_ipv4(header, octets);
  return octets;
}

/// After a test changed the header.
void fix_checksum(Octets& octets) {
  store_be(octets.data() + 10, std::uint16_t{0});
  const std::size_t length = (static_cast<std::size_t>(octets[0]) & 0xf) * 4;
  store_be(octets.data() + 10, checksum_of(ByteSpan(octets).first(length)));
}

auto parse_v4(ByteSpan octets) { return parse_ipv4(octets, ChecksumCheck::Verify); }

Ipv6Header some_v6() {
  return {*IpAddress::parse("fd00::1"),
          *IpAddress::parse("fd00::2"),
          IpProtocol::Tcp,
          0xb9,
          64,
          0xabcde,
          kPayload};
}

/// A packet whose extension headers are `extensions`, the first of type `next`; the last names TCP.
Octets v6_packet(unsigned next, const Octets& extensions) {
  Ipv6Header header = some_v6();
  header.protocol = IpProtocol{static_cast<std::uint8_t>(next)};
  header.payload_length = static_cast<std::uint16_t>(extensions.size() + kPayload);
  Octets octets(kIpv6HeaderLength);
  emit_ipv6(header, octets);
  octets.insert(octets.end(), extensions.begin(), extensions.end());
  octets.resize(octets.size() + kPayload);
  return octets;
}

TEST_CASE("an IPv4 header survives its way over the wire", "[wire][ipv4][rfc791]") {
  Ipv4Header header = some_v4();
  SECTION("as it is") {}
  SECTION("without payload") { header.payload_length = 0; }
  SECTION("fragmentable") {
    header.dont_fragment = false;
    header.identification = 0xbeef;
  }
  const Octets octets = v4_packet(header);
  const auto parsed = parse_v4(octets);
  REQUIRE(parsed);
  CHECK(parsed->header == header);
  CHECK(parsed->header_length == kIpv4HeaderLength);
  CHECK(refuses_every_truncation(octets, parse_v4));
}

TEST_CASE("link padding is no part of an IPv4 packet", "[wire][ipv4]") {
  Octets octets = v4_packet();
  octets.resize(octets.size() + 9);
  CHECK(parse_v4(octets)->header.payload_length == kPayload);
}

TEST_CASE("IPv4 options are skipped", "[wire][ipv4][rfc791]") {
  Octets octets = v4_packet();
  octets[0] = std::byte{0x4f};  // 60 octets, of which there are 44.
  CHECK(parse_v4(octets).error() == Error::BadLength);
  octets[0] = std::byte{0x48};
  fix_checksum(octets);
  const auto parsed = parse_v4(octets);
  REQUIRE(parsed);
  CHECK(parsed->header_length == 32);
  CHECK(parsed->header.payload_length == kPayload - 12);
}

TEST_CASE("an IPv4 header that contradicts itself is refused", "[wire][ipv4][rfc791]") {
  Octets octets = v4_packet();
  SECTION("version") {
    octets[0] = std::byte{0x65};
    CHECK(parse_v4(octets).error() == Error::BadVersion);
  }
  SECTION("a header shorter than a header") {
    octets[0] = std::byte{0x44};
    CHECK(parse_v4(octets).error() == Error::BadLength);
  }
  SECTION("a total length shorter than the header") {
    octets[3] = std::byte{19};
    CHECK(parse_v4(octets).error() == Error::BadLength);
  }
  SECTION("every flipped bit of the header is seen") {
    for (std::size_t bit = 0; bit < kIpv4HeaderLength * 8; ++bit) {
      Octets bad = octets;
      bad[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
      if (parse_v4(bad)) FAIL(bit);
    }
  }
  SECTION("a checksum that the device verified is not looked at again") {
    octets[10] ^= std::byte{1};
    CHECK(parse_v4(octets).error() == Error::BadChecksum);
    CHECK(parse_ipv4(octets, ChecksumCheck::Skip));
  }
}

TEST_CASE("IPv4 fragments are refused, the first and the last", "[wire][ipv4]") {
  Octets octets = v4_packet();
  const std::uint16_t field = GENERATE(as<std::uint16_t>(), 0x2000, 0x0001, 0x1fff, 0x6000);
  store_be(octets.data() + 6, field);
  fix_checksum(octets);
  CHECK(parse_v4(octets).error() == Error::Fragment);
}

TEST_CASE("an IPv6 header survives its way over the wire", "[wire][ipv6][rfc8200-3]") {
  Ipv6Header header = some_v6();
  SECTION("as it is") {}
  SECTION("without payload") { header.payload_length = 0; }
  SECTION("of a protocol without a name") { header.protocol = IpProtocol{50}; }
  Octets octets(kIpv6HeaderLength + header.payload_length);
  emit_ipv6(header, octets);
  const auto parsed = parse_ipv6(octets);
  REQUIRE(parsed);
  CHECK(parsed->header == header);
  CHECK(parsed->header_length == kIpv6HeaderLength);
  CHECK(refuses_every_truncation(octets, parse_ipv6));
  octets[0] = std::byte{0x45};
  CHECK(parse_ipv6(octets).error() == Error::BadVersion);
}

TEST_CASE("extension headers are walked to what they announce", "[wire][ipv6][rfc8200-4]") {
  Octets extensions = octets_of({43, 0, 1, 4, 0, 0, 0, 0});     // Hop-by-hop, PadN.
  const Octets routing = octets_of({51, 0, 4, 0, 0, 0, 0, 0});  // A route at its end.
  const Octets authentication = octets_of({60, 2, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 9, 9, 9, 9});
  const Octets destination = octets_of({6, 1, 0, 0, 0x1e, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0});
  for (const Octets& more : {routing, authentication, destination})
    extensions.insert(extensions.end(), more.begin(), more.end());
  const Octets octets = v6_packet(0, extensions);
  const auto parsed = parse_ipv6(octets);
  REQUIRE(parsed);
  CHECK(parsed->header.protocol == IpProtocol::Tcp);
  CHECK(parsed->header_length == kIpv6HeaderLength + extensions.size());
  CHECK(parsed->header.payload_length == kPayload);

  const auto skip = [](ByteSpan rest) { return skip_extension_headers(rest, 0); };
  CHECK(refuses_every_truncation(extensions, skip));
}

TEST_CASE("extension headers that a host must not pass are refused", "[wire][ipv6]") {
  const auto error_of = [](unsigned next, const Octets& extensions) {
    const auto parsed = parse_ipv6(v6_packet(next, extensions));
    REQUIRE_FALSE(parsed);
    return parsed.error();
  };
  SECTION("a fragment, even alone [rfc6946]") {
    CHECK(error_of(44, octets_of({6, 0, 0, 0, 0, 0, 0, 1})) == Error::Fragment);
  }
  SECTION("a fragment behind other headers") {
    CHECK(error_of(60, octets_of({44, 0, 1, 4, 0, 0, 0, 0})) == Error::Fragment);
  }
  SECTION("a route with stops left") {
    CHECK(error_of(43, octets_of({6, 0, 0, 1, 0, 0, 0, 0})) == Error::BadHeader);
  }
  SECTION("hop-by-hop options that do not stand first") {
    CHECK(error_of(60, octets_of({0, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4, 0, 0, 0, 0})) ==
          Error::BadHeader);
  }
  SECTION("an unknown option that forbids to go on") {
    CHECK(error_of(60, octets_of({6, 0, 0x85, 4, 0, 0, 0, 0})) == Error::BadHeader);
  }
  SECTION("an option that runs past its header") {
    CHECK(error_of(0, octets_of({6, 0, 1, 5, 0, 0, 0, 0})) == Error::BadLength);
  }
  SECTION("a header that runs past the packet") {
    CHECK(error_of(60, octets_of({6, 200, 1, 4, 0, 0, 0, 0})) == Error::Truncated);
  }
  SECTION("more of them than anyone needs") {
    Octets many;
    for (unsigned i = 0; i <= kMaxExtensionHeaders; ++i)
      for (unsigned octet : {60U, 0U, 1U, 4U, 0U, 0U, 0U, 0U})
        many.push_back(static_cast<std::byte>(octet));
    CHECK(error_of(60, many) == Error::BadHeader);
  }
}

TEST_CASE("an IPv4 address in IPv6 form is refused on the wire", "[wire][ipv6]") {
  Ipv6Header header = some_v6();
  header.source = *IpAddress::parse("10.0.0.1");
  Octets octets(kIpv6HeaderLength + kPayload);
  emit_ipv6(header, octets);
  CHECK(parse_ipv6(octets).error() == Error::BadAddress);
}

}  // namespace
}  // namespace dataplane::wire
