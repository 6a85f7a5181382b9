#include <catch2/catch.hpp>

#include "dataplane/wire/tcp_header.hpp"
#include "test/dataplane/wire/octets.hpp"

namespace dataplane::wire {
namespace {

bool equal(ByteSpan a, ByteSpan b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

bool equal(const TcpOptions& a, const TcpOptions& b) {
  return a.mss == b.mss && a.window_scale == b.window_scale &&
         a.sack_permitted == b.sack_permitted && a.timestamps == b.timestamps &&
         std::equal(a.sacks().begin(), a.sacks().end(), b.sacks().begin(), b.sacks().end()) &&
         equal(a.mptcp, b.mptcp);
}

Octets emit(const TcpOptions& options) {
  Octets octets(emitted_length(options));
  CHECK(emit_tcp_options(options, octets) == octets.size());
  return octets;
}

TcpHeader some_header() {
  TcpHeader header;
  header.source_port = 40'000;
  header.destination_port = 8080;
  header.seq = SeqNum(0xffff'fff0);
  header.ack = SeqNum(0x1234'5678);
  header.flags = TcpFlags::Ack | TcpFlags::Psh;
  header.window = 0xfedc;
  return header;
}

const Octets dss = octets_of({30, 8, 0x20, 1, 9, 9, 9, 9});

/// The options that the bits of `which` name, and so many SACK blocks.
TcpOptions some_options(unsigned which, unsigned sacks) {
  TcpOptions options;
  if ((which & 1) != 0) options.mss = 1460;
  if ((which & 2) != 0) options.window_scale = 7;
  if ((which & 4) != 0) options.sack_permitted = true;
  if ((which & 8) != 0) options.timestamps = Timestamps{0x0102'0304, 0xfffe'fdfc};
  if ((which & 16) != 0) options.mptcp = dss;
  for (unsigned i = 0; i < sacks; ++i)
    options.add_sack({SeqNum(i * 1000 - 500), SeqNum(i * 1000)});
  return options;
}

std::size_t expected_length(unsigned which, unsigned sacks) {
  std::size_t length = sacks == 0 ? 0 : 4 + std::size_t{sacks} * 8;
  const std::array<std::size_t, 5> lengths{4, 4, (which & 8) != 0 ? 0U : 4U, 12, 8};
  for (unsigned i = 0; i < lengths.size(); ++i)
    length += (which >> i & 1) * lengths[i];
  return length;
}

TEST_CASE("every combination of options survives its way over the wire", "[wire][tcp_options]") {
  for (unsigned which = 0; which < 32; ++which) {
    for (unsigned sacks = 0; sacks <= kMaxSackBlocks; ++sacks) {
      if (expected_length(which, sacks) > kMaxTcpOptions) continue;
      const TcpOptions options = some_options(which, sacks);
      const Octets octets = emit(options);
      CHECK(octets.size() == expected_length(which, sacks));
      const auto parsed = parse_tcp_options(octets);
      REQUIRE(parsed);
      CHECK(equal(*parsed, options));
    }
  }
}

TEST_CASE("a connection's usual segment has its timestamps behind two NOPs",
          "[wire][tcp_options][rfc7323-A]") {
  TcpOptions options;
  options.timestamps = Timestamps{1, 2};
  CHECK(emit(options) == octets_of({1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2}));
}

TEST_CASE("a SYN has its options in 20 octets", "[wire][tcp_options]") {
  TcpOptions options;
  options.mss = 1460;
  options.window_scale = 7;
  options.sack_permitted = true;
  options.timestamps = Timestamps{1, 0};
  CHECK(emit(options) ==
        octets_of({2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7}));
}

TEST_CASE("option lengths of 0 and 1 are refused for every kind",
          "[wire][tcp_options][rfc9293-3.1]") {
  for (unsigned kind = 2; kind < 256; ++kind) {
    for (const unsigned length : {0U, 1U}) {
      const auto parsed = parse_tcp_options(octets_of({1, kind, length, 1, 1, 1, 1, 1}));
      REQUIRE_FALSE(parsed);
      CHECK(parsed.error() == Error::BadOption);
    }
  }
}

TEST_CASE("a known option of a wrong length is refused", "[wire][tcp_options]") {
  const unsigned kind = GENERATE(2U, 3U, 4U, 5U, 8U);
  for (unsigned length = 2; length <= 40; ++length) {
    Octets octets(40, std::byte{1});
    octets[0] = static_cast<std::byte>(kind);
    octets[1] = static_cast<std::byte>(length);
    const bool right = (kind == 2 && length == 4) || (kind == 3 && length == 3) ||
                       (kind == 4 && length == 2) || (kind == 8 && length == 10) ||
                       (kind == 5 && length > 2 && length <= 34 && length % 8 == 2);
    CHECK(parse_tcp_options(octets).has_value() == right);
  }
}

TEST_CASE("options that run past their space are refused", "[wire][tcp_options]") {
  CHECK(parse_tcp_options(octets_of({1, 1, 1, 8})).error() == Error::BadOption);
  CHECK(parse_tcp_options(octets_of({1, 1, 8, 10})).error() == Error::BadOption);
  CHECK(parse_tcp_options(octets_of({77, 9, 0, 0, 0, 0, 0, 0})).error() == Error::BadOption);
  CHECK(parse_tcp_options(octets_of({1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0})).error() ==
        Error::BadOption);
}

TEST_CASE("what follows the end of the options is not read", "[wire][tcp_options]") {
  const auto parsed = parse_tcp_options(octets_of({2, 4, 5, 0xb4, 0, 8, 0, 99}));
  REQUIRE(parsed);
  CHECK(parsed->mss == 1460);
}

TEST_CASE("options of an unknown kind are skipped", "[wire][tcp_options]") {
  const auto parsed = parse_tcp_options(octets_of({253, 5, 1, 2, 3, 2, 4, 5, 0xb4, 1, 1, 1}));
  REQUIRE(parsed);
  CHECK(parsed->mss == 1460);
}

TEST_CASE("MPTCP options are given up as they lie, from the first to the last",
          "[wire][tcp_options][rfc8684-3]") {
  const Octets octets =
      octets_of({1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 30, 3, 0x40, 1, 30, 4, 0x60, 5, 1, 1, 1, 1});
  const auto parsed = parse_tcp_options(octets);
  REQUIRE(parsed);
  CHECK(equal(parsed->mptcp, ByteSpan(octets).subspan(12, 8)));
  CHECK(parsed->timestamps == Timestamps{1, 2});
}

TEST_CASE("a TCP header survives its way over the wire", "[wire][tcp_header][rfc9293-3.1]") {
  TcpHeader header = some_header();
  SECTION("without options") {}
  SECTION("with timestamps") { header.options.timestamps = Timestamps{7, 8}; }
  SECTION("with all flags") { header.flags = TcpFlags{0xff}; }
  SECTION("with all the options that fit") {
    header.options.timestamps = Timestamps{7, 8};
    for (std::uint32_t i = 0; i < 3; ++i)
      header.options.add_sack({SeqNum(i), SeqNum(i + 9)});
  }
  Octets octets(60);
  octets.resize(emit_tcp(header, octets));
  const auto parsed = parse_tcp(octets);
  REQUIRE(parsed);
  CHECK(parsed->header_length == octets.size());
  CHECK(parsed->header.source_port == header.source_port);
  CHECK(parsed->header.destination_port == header.destination_port);
  CHECK(parsed->header.seq == header.seq);
  CHECK(parsed->header.ack == header.ack);
  CHECK(parsed->header.flags == header.flags);
  CHECK(parsed->header.window == header.window);
  CHECK(equal(parsed->header.options, header.options));
  CHECK(refuses_every_truncation(octets, parse_tcp));
}

TEST_CASE("a data offset below five words is refused", "[wire][tcp_header]") {
  Octets octets(60);
  emit_tcp(some_header(), octets);
  for (unsigned words = 0; words < 5; ++words) {
    octets[12] = static_cast<std::byte>(words << 4);
    CHECK(parse_tcp(octets).error() == Error::BadLength);
  }
}

}  // namespace
}  // namespace dataplane::wire
