#include <catch2/catch.hpp>

#include "mptcp/crypto/keys.hpp"
#include "test/mptcp/multipath_pair.hpp"
#include "test/mptcp/opening.hpp"

namespace mptcp::test {
namespace {

using namespace std::chrono_literals;
using dataplane::load_be;
using dataplane::store_be;

constexpr std::size_t kIp = Opening::kIp;
constexpr std::size_t kTcp = Opening::kTcp;

/// Makes the mapping of a segment with octets an infinite one (RFC 8684 §3.7); false if it has
/// none.
bool make_infinite(std::vector<std::byte>& frame) {
  Opening segment(frame);
  const std::size_t at = segment.is_tcp() ? segment.option(kDss) : 0;
  if (at == 0 || segment.payload() >= segment.end()) return false;
  const auto flags = std::to_integer<unsigned>(frame[at + 3]);
  if ((flags & 4U) == 0) return false;
  // DATA_ACK, DSN, subflow sequence number; then the length.
  const std::size_t acked = (flags & 1U) == 0 ? 0 : (flags & 2U) == 0 ? 4 : 8;
  const std::size_t length = at + 4 + acked + ((flags & 8U) == 0 ? 4U : 8U) + 4;
  store_be(&frame[length], std::uint16_t{0});
  segment.seal();
  return true;
}

/// The mapping of a segment with octets, as it stands there: DSN, subflow sequence number, length.
std::vector<std::byte> mapping_of(std::vector<std::byte>& frame) {
  Opening segment(frame);
  const std::size_t at = segment.is_tcp() ? segment.option(kDss) : 0;
  if (at == 0 || !segment.has_payload()) return {};
  const auto flags = std::to_integer<unsigned>(frame[at + 3]);
  if ((flags & 4U) == 0) return {};
  const std::size_t acked = (flags & 1U) == 0 ? 0 : (flags & 2U) == 0 ? 4 : 8;
  const std::size_t first = at + 4 + acked;
  const std::size_t length = (flags & 8U) == 0 ? 10 : 14;
  return {&frame[first], &frame[first] + length};
}

TEST_CASE("what is sent again carries the mapping that it had", "[mptcp][core][rfc8684-3.3.1]") {
  // A receiver may hold on to the first mapping that it saw for an octet, and Linux refuses
  // another.
  CoreConfig config = MultipathPair::multipath();
  config.mptcp.checksum = GENERATE(false, true);
  MultipathPair pair(1, config, config);
  Opened opened(pair);
  std::map<std::uint32_t, std::vector<std::byte>> seen;
  std::size_t several = 0;
  std::size_t again = 0;
  std::size_t differing = 0;
  std::uint32_t count = 0;
  pair.box = [&](int direction, std::size_t, std::vector<std::byte>& frame) {
    const auto mapping = direction == 0 ? mapping_of(frame) : std::vector<std::byte>{};
    if (mapping.empty()) return true;
    Opening segment(frame);
    const auto [known, is_new] = seen.emplace(load_be<std::uint32_t>(&frame[kTcp + 4]), mapping);
    if (load_be<std::uint16_t>(&mapping[12]) > segment.end() - segment.payload()) ++several;
    if (!is_new) ++again;
    if (known->second != mapping) ++differing;
    return ++count % 31 != 0;
  };
  CHECK(opened.up(2'000'000));
  CHECK(several > 100);
  CHECK(again > 20);
  CHECK(differing == 0);
  CHECK(pair.b.core.stats().mptcp.dss_not_matching == 0);
}

TEST_CASE("a DATA_ACK of octets that were never sent is ignored and counted",
          "[mptcp][core][rfc8684-3.3.2]") {
  MultipathPair pair;
  Opened opened(pair);
  REQUIRE(opened.up(100'000));
  int forged = 0;
  pair.box = forge_one(1, forged, [](Opening& segment, std::vector<std::byte>& frame, std::size_t) {
    const std::size_t at = segment.option(kDss);
    if (at == 0 || (frame[at + 3] & std::byte{1}) == std::byte{0}) return false;
    // The low half of a DATA_ACK of eight octets, or all of one of four.
    const std::size_t low = at + ((frame[at + 3] & std::byte{2}) != std::byte{0} ? 8 : 4);
    store_be(&frame[low], load_be<std::uint32_t>(&frame[low]) + 1'000'000);
    return true;
  });
  CHECK(opened.up(100'000));
  CHECK(forged == 1);
  CHECK(pair.a.core.stats().mptcp.data_acks_unacceptable == 1);
}

TEST_CASE("what TCP acknowledged and the data checksum refused comes by the other path",
          "[mptcp][core][rfc8684-3.7]") {
  CoreConfig config = MultipathPair::multipath();
  config.mptcp.checksum = true;
  MultipathPair pair(2, config, config);
  Opened opened(pair);
  REQUIRE(opened.up(100'000));
  // From now on something changes the payload on the second path, and makes TCP's checksum fit.
  int changed = 0;
  pair.box = [&](int direction, std::size_t path, std::vector<std::byte>& frame) {
    Opening segment(frame);
    if (direction != 0 || path != 1 || !segment.is_tcp()) return true;
    if (segment.payload() >= segment.end()) return true;
    frame[segment.payload()] ^= std::byte{0x55};
    segment.seal();
    ++changed;
    return true;
  };
  CHECK(opened.up(3'000'000));
  CHECK(changed > 0);
  CHECK(pair.b.core.stats().mptcp.data_csum_err > 0);
  CHECK(pair.b.core.stats().mptcp.dss_corruption_reset > 0);
}

TEST_CASE("an announcement that does not prove the keys is not believed",
          "[mptcp][core][rfc8684-3.4.1]") {
  MultipathPair pair;
  int forged = 0;
  pair.box = forge_one(1, forged, [](Opening& segment, std::vector<std::byte>& frame, std::size_t) {
    const std::size_t at = segment.option(kAddAddr);
    // Another address than the one that the HMAC is of.
    if (at != 0) frame[at + 7] ^= std::byte{1};
    return at != 0;
  });
  Opened opened(pair);
  CHECK(forged == 1);
  CHECK(pair.a.core.stats().mptcp.add_addr_bad_hmac == 1);
  CHECK(pair.a.core.stats().mptcp.add_addr == 0);
  CHECK(opened.up(100'000));
}

TEST_CASE("an announcement is repeated until its echo comes", "[mptcp][core][rfc8684-3.4.1]") {
  MultipathPair pair;
  int lost = 0;
  pair.box = [&](int direction, std::size_t, std::vector<std::byte>& frame) {
    Opening segment(frame);
    const bool announces = segment.is_tcp() && segment.option(kAddAddr) != 0;
    return direction == 0 || !announces || ++lost > 2;
  };
  Opened opened(pair);
  CHECK(pair.a.core.stats().mptcp.add_addr == 0);
  pair.run(10s);
  CHECK(lost == 3);
  CHECK(pair.a.core.stats().mptcp.add_addr == 1);
  CHECK(pair.b.core.stats().mptcp.echo_add == 1);
}

TEST_CASE("an address id keeps its address until it is removed", "[mptcp][core][rfc8684-3.4.1]") {
  MultipathPair pair;
  const auto elsewhere = *dataplane::IpAddress::parse("10.0.1.77");
  Key client{};
  Key server{};
  int lost_echoes = 0;
  int forged = 0;
  int asked = 0;
  pair.box = [&](int direction, std::size_t, std::vector<std::byte>& frame) {
    Opening segment(frame);
    if (!segment.is_tcp()) {
      // ARP asks for the neighbour before a join could.
      asked += load_be<std::uint32_t>(&frame[38]) == elsewhere.v4_host_order() ? 1 : 0;
      return true;
    }
    const std::size_t capable = segment.option(kCapable);
    if (direction == 0 && capable != 0 && segment.length(capable) >= 20) {
      client = Key(load_be<std::uint64_t>(&frame[capable + 4]));
      server = Key(load_be<std::uint64_t>(&frame[capable + 12]));
    }
    const std::size_t at = segment.option(kAddAddr);
    if (at == 0) return true;
    if (direction == 0) return ++lost_echoes > 1;
    if (lost_echoes == 1 && ++forged == 1) {
      // The server itself gives the id to another address.
      const auto id = AddressId(std::to_integer<std::uint8_t>(frame[at + 3]));
      store_be(&frame[at + 4], elsewhere.v4_host_order());
      store_be(&frame[at + 8], add_addr_hmac(server, client, id, {elsewhere, 0}));
      segment.seal();
    }
    return true;
  };
  Opened opened(pair);
  pair.run(5s);
  REQUIRE(forged >= 1);
  CHECK(pair.a.core.stats().mptcp.add_addr_bad_hmac == 0);
  CHECK(pair.a.core.stats().mptcp.add_addr_drop == 1);
  CHECK(asked == 0);
  CHECK(opened.up(100'000));
}

TEST_CASE("an ACK that came for its option is no duplicate ACK", "[mptcp][core][rfc8684-3]") {
  const bool is_signal = GENERATE(true, false);
  CoreConfig config = MultipathPair::multipath();
  config.tcp.sack = false;  // With SACK no number of ACKs says that something was lost.
  MultipathPair pair(1, config, config);
  Opened opened(pair);
  REQUIRE(opened.up(2'000'000));
  // Three ACKs in a row say what the one before them said, and some bring an MP_PRIO.
  std::uint32_t said = 0;
  std::uint16_t window = 0;
  int repeated = 0;
  pair.box = [&](int direction, std::size_t, std::vector<std::byte>& frame) {
    Opening segment(frame);
    if (direction != 1 || !segment.is_tcp() || segment.has_payload() || repeated == 3) return true;
    const std::size_t dss = segment.option(kDss);
    const std::uint32_t ack = load_be<std::uint32_t>(&frame[Opening::kTcp + 8]);
    if (dss == 0 || said == 0) {
      said = ack;
      window = load_be<std::uint16_t>(&frame[Opening::kTcp + 14]);
      return true;
    }
    ++repeated;
    store_be(&frame[Opening::kTcp + 8], said);
    store_be(&frame[Opening::kTcp + 14], window);
    if (is_signal) {
      segment.blank(dss);
      frame[dss] = std::byte{30};
      frame[dss + 1] = std::byte{3};
      frame[dss + 2] = std::byte{0x50};
    }
    segment.seal();
    return true;
  };
  CHECK(opened.up(1'000'000));
  CHECK(repeated == 3);
  CHECK((pair.a.core.info(opened.client)->segments_retransmitted == 0) == is_signal);
}

TEST_CASE("what a path carried that is reset goes by another at once",
          "[mptcp][core][rfc8684-3.3.6]") {
  MultipathPair pair;
  Opened opened(pair);
  REQUIRE(opened.up(1'000'000));
  // Nothing of the second path arrives any more, but for a reset in the name of the peer.
  const auto octets = noise(2'000'000);
  const std::size_t written = pair.a.core.write(pair.now, opened.client, octets);
  bool silent = false;
  std::vector<std::byte> last;
  pair.box = [&](int direction, std::size_t path, std::vector<std::byte>& frame) {
    if (path != 1 || !Opening(frame).is_tcp()) return true;
    if (direction == 0 || !silent) return !silent;
    Opening segment(frame);
    frame[kTcp + 13] = std::byte{0x14};  // RST, ACK.
    segment.seal();
    return true;
  };
  pair.run(500us);
  silent = true;
  pair.run(60ms);
  CHECK(pair.b.core.readable(opened.server) == written);
}

TEST_CASE("a fast close without our key ends paths, not the connection",
          "[mptcp][core][rfc8684-3.5]") {
  MultipathPair pair;
  Opened opened(pair);
  REQUIRE(opened.up(10'000));
  MultipathPair::events(pair.b);
  pair.box = [](int, std::size_t path, std::vector<std::byte>& frame) {
    Opening segment(frame);
    const std::size_t at = segment.is_tcp() ? segment.option(kFastclose) : 0;
    if (at == 0) return true;
    frame[at + 4] ^= std::byte{1};
    segment.seal();
    return path == 0;
  };
  pair.a.core.abort(pair.now, opened.client);
  pair.run(100ms);
  CHECK(pair.b.core.stats().mptcp.fastclose_wrong_key == 1);
  CHECK(pair.b.core.stats().mptcp.mp_fastclose_rx == 0);
  const auto info = pair.b.core.info(opened.server);
  REQUIRE(info);
  CHECK(info->state == "ESTABLISHED");
  CHECK(info->subflows.size() == 1);
}

TEST_CASE("with several paths an infinite mapping costs the path that it came by",
          "[mptcp][fallback][rfc8684-3.7]") {
  MultipathPair pair;
  Opened opened(pair);
  REQUIRE(opened.up(100'000));
  bool forged = false;
  pair.box = [&](int direction, std::size_t path, std::vector<std::byte>& frame) {
    if (direction == 0 && path == 1 && !forged) forged = make_infinite(frame);
    return true;
  };
  CHECK(opened.up(1'000'000));
  CHECK(forged);
  CHECK(pair.b.core.stats().mptcp.fallback_failed == 1);
  CHECK(pair.b.core.info(opened.server)->multipath);
}

TEST_CASE("with octets missing there is no way back to TCP, even on the last path",
          "[mptcp][fallback][rfc8684-3.7]") {
  MultipathPair pair;
  Opened opened(pair);
  REQUIRE(opened.up(1'000'000));
  // The second path is reset at the receiver and loses what it carries; then the first one brings
  // an infinite mapping.
  bool reset = false;
  std::uint64_t late = 0;
  int forged = 0;
  pair.box = [&](int direction, std::size_t path, std::vector<std::byte>& frame) {
    Opening segment(frame);
    if (direction != 0 || !segment.is_tcp() || forged != 0) return true;
    if (path == 0) {
      if (reset && pair.b.core.stats().mptcp.ofo_queue > late + 10) forged = make_infinite(frame);
      return true;
    }
    if (reset || segment.payload() >= segment.end()) return !reset;
    frame[kTcp + 13] = std::byte{0x14};  // RST, ACK.
    store_be(&frame[kIp + 2], static_cast<std::uint16_t>(segment.payload() - kIp));
    segment.seal_ip();
    segment.seal();
    late = pair.b.core.stats().mptcp.ofo_queue;
    return reset = true;
  };
  CHECK(opened.up(2'000'000));
  CHECK(forged == 1);
  CHECK(pair.b.core.stats().mptcp.fallback_failed == 1);
}

}  // namespace
}  // namespace mptcp::test
