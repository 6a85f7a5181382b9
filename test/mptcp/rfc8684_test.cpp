#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include <catch2/catch.hpp>

#include "test/mptcp/multipath_pair.hpp"
#include "test/mptcp/opening.hpp"

// Requirements of RFC 8684 that no other test is about; test/rfc/rfc8684.toml names them all.
namespace mptcp::test {
namespace {

using namespace std::chrono_literals;
using dataplane::load_be;
using dataplane::store_be;
using dataplane::wire::TcpFlags;
using Frame = std::vector<std::byte>;

// Flags of a DSS.
constexpr std::byte kDataAck{0x01};
constexpr std::byte kWideDataAck{0x02};
constexpr std::byte kMapping{0x04};
constexpr std::byte kDataFin{0x10};

bool is(std::byte octet, std::byte flag) { return (octet & flag) != std::byte{0}; }

const Stats& stats(const PortedHost& host) { return host.core.stats().mptcp; }

CoreConfig with_checksums() {
  CoreConfig config = MultipathPair::multipath();
  config.mptcp.checksum = true;
  return config;
}

TEST_CASE("a SYN that asks for what is not known is answered as TCP",
          "[mptcp][handshake][rfc8684-3.1]") {
  struct Unknown {
    std::size_t at;  ///< In the option.
    std::uint8_t octet;
  };
  // Version 2; the B flag; no algorithm that we have.
  const auto unknown = GENERATE(values<Unknown>({{2, 0x02}, {3, 0x41}, {3, 0x00}}));
  MultipathPair pair;
  pair.box = [&](int direction, std::size_t, Frame& frame) {
    Opening segment(frame);
    if (direction != 0 || !segment.has(TcpFlags::Syn) || segment.option(kCapable) == 0) return true;
    frame[segment.option(kCapable) + unknown.at] = std::byte{unknown.octet};
    segment.seal();
    return true;
  };
  Opened opened(pair);
  CHECK(stats(pair.b).mp_capable_syn_rx == 0);
  CHECK(stats(pair.a).mp_capable_fallback_syn_ack == 1);
  CHECK_FALSE(pair.b.core.info(opened.server)->multipath);
  CHECK(opened.up(50'000));
}

TEST_CASE("a SYN that stays unanswered goes without the option at last",
          "[mptcp][fallback][rfc8684-3.9.3]") {
  MultipathPair pair;
  int dropped = 0;
  pair.box = [&](int direction, std::size_t, Frame& frame) {
    Opening segment(frame);
    const bool asks = segment.has(TcpFlags::Syn) && segment.option(kCapable) != 0;
    if (direction == 0 && asks) ++dropped;
    return direction != 0 || !asks;
  };
  const SocketId listener = *pair.b.core.listen(*Endpoint::parse("0.0.0.0:80"));
  const SocketId client = *pair.a.core.connect(
      pair.now, {.remote = *Endpoint::parse("10.0.0.2:80"), .local = {}, .tcp = {}});
  pair.run(30s);
  CHECK(dropped == MultipathPair::multipath().mptcp.syns_with_option);
  CHECK(stats(pair.a).mp_capable_syn_tx_drop == 1);
  CHECK(pair.b.core.accept(listener));
  CHECK_FALSE(pair.a.core.info(client)->multipath);
}

TEST_CASE("keys and nonces do not repeat", "[mptcp][handshake][rfc8684-3.1]") {
  MultipathPair pair;
  std::set<std::uint64_t> keys;
  std::multiset<std::uint32_t> nonces;
  pair.box = [&](int direction, std::size_t, Frame& frame) {
    Opening segment(frame);
    if (!segment.has(TcpFlags::Syn)) return true;
    const std::size_t capable = segment.option(kCapable);
    if (capable != 0 && direction == 1) keys.insert(load_be<std::uint64_t>(&frame[capable + 4]));
    const std::size_t join = segment.option(kJoin);
    if (join != 0) nonces.insert(load_be<std::uint32_t>(&frame[join + (direction == 0 ? 8 : 12)]));
    return true;
  };
  const SocketId listener = *pair.b.core.listen(*Endpoint::parse("0.0.0.0:80"));
  for (std::size_t i = 1; i <= 20; ++i) {
    REQUIRE(pair.a.core.connect(
        pair.now, {.remote = *Endpoint::parse("10.0.0.2:80"), .local = {}, .tcp = {}}));
    pair.run(300ms);
    REQUIRE(pair.b.core.accept(listener));
    CHECK(keys.size() == i);
    CHECK(nonces.size() == 2 * i);
  }
  CHECK(std::set<std::uint32_t>(nonces.begin(), nonces.end()).size() == nonces.size());
}

TEST_CASE("SYNs that cross open one connection, and it is TCP", "[mptcp][fallback][rfc8684-3.1]") {
  MultipathPair pair;
  const auto a = *Endpoint::parse("10.0.0.1:5000");
  const auto b = *Endpoint::parse("10.0.0.2:6000");
  // Both know each other's hardware address, so that nothing but the SYNs is under way.
  Opened opened(pair);
  const auto left = pair.a.core.connect(pair.now, {.remote = b, .local = a, .tcp = {}});
  const auto right = pair.b.core.connect(pair.now, {.remote = a, .local = b, .tcp = {}});
  REQUIRE(left);
  REQUIRE(right);
  pair.run(200ms);
  CHECK(stats(pair.a).simult_connect_fallback == 1);
  CHECK(stats(pair.b).simult_connect_fallback == 1);
  CHECK_FALSE(pair.a.core.info(*left)->multipath);
  CHECK_FALSE(pair.b.core.info(*right)->multipath);
  opened.client = *left;
  opened.server = *right;
  CHECK(opened.up(50'000));
  CHECK(opened.down(50'000));
}

TEST_CASE("a join that is one too many is reset", "[mptcp][handshake][rfc8684-3.2]") {
  CoreConfig config = MultipathPair::multipath();
  config.mptcp.max_subflows = 1;
  MultipathPair pair(2, MultipathPair::multipath(), config);
  Opened opened(pair);
  CHECK(stats(pair.b).mp_join_rejected >= 1);
  CHECK(stats(pair.a).mp_rst_rx >= 1);
  CHECK(pair.b.core.info(opened.server)->subflows.size() == 1);
  CHECK(opened.up(100'000));
}

TEST_CASE("a join with a token that nobody has is reset, and another may follow",
          "[mptcp][handshake][rfc8684-3.2]") {
  MultipathPair pair;
  int forged = 0;
  pair.box = forge_one(0, forged, [](Opening& segment, Frame& frame, std::size_t) {
    const std::size_t at = segment.has(TcpFlags::Syn) ? segment.option(kJoin) : 0;
    if (at != 0) frame[at + 4] ^= std::byte{1};
    return at != 0;
  });
  Opened opened(pair);
  CHECK(stats(pair.b).mp_join_no_token_found == 1);
  CHECK(stats(pair.b).mp_rst_tx == 1);
  CHECK(stats(pair.a).mp_rst_rx == 1);
  pair.run(1s);
  const auto info = pair.a.core.info(opened.client);
  REQUIRE(info);
  REQUIRE(info->subflows.size() == 2);
  CHECK(info->subflows[1].tuple.remote.port == 80);
  CHECK(opened.up(100'000));
}

TEST_CASE("a join that does not prove the keys is reset, and only it",
          "[mptcp][handshake][rfc8684-3.2]") {
  const bool of_server = GENERATE(true, false);
  MultipathPair pair;
  int forged = 0;
  pair.box = forge_one(of_server ? 1 : 0, forged, [&](Opening& segment, Frame& frame, std::size_t) {
    const std::size_t at = segment.option(kJoin);
    if (at == 0 || segment.length(at) != (of_server ? 16U : 24U)) return false;
    frame[at + 5] ^= std::byte{1};  // In the HMAC.
    return true;
  });
  Opened opened(pair);
  CHECK(forged == 1);
  CHECK(stats(pair.a).mp_join_syn_ack_hmac_failure == (of_server ? 1 : 0));
  CHECK(stats(pair.b).mp_join_ack_hmac_failure == (of_server ? 0 : 1));
  pair.run(2s);
  CHECK(pair.a.core.info(opened.client)->subflows.size() == 2);
  CHECK(opened.up(100'000));
}

TEST_CASE("a join that is answered without the option is reset",
          "[mptcp][handshake][rfc8684-3.2]") {
  MultipathPair pair;
  int blanked = 0;
  pair.box = forge_one(1, blanked, [](Opening& segment, Frame&, std::size_t) {
    const std::size_t at = segment.has(TcpFlags::Syn) ? segment.option(kJoin) : 0;
    if (at != 0) segment.blank(at);
    return at != 0;
  });
  Opened opened(pair);
  CHECK(blanked == 1);
  CHECK(stats(pair.a).mp_rst_tx == 1);
  CHECK(stats(pair.a).fallback_failed == 0);
  CHECK(pair.a.core.info(opened.client)->multipath);
  CHECK(opened.up(100'000));
}

TEST_CASE("the third segment of a join is repeated until it is answered, and no data goes before",
          "[mptcp][handshake][rfc8684-3.2]") {
  MultipathPair pair;
  int thirds = 0;
  int early = 0;
  pair.box = [&](int direction, std::size_t path, Frame& frame) {
    Opening segment(frame);
    if (path != 1) return true;
    if (thirds < 3 && segment.has_payload()) ++early;
    return direction != 0 || segment.option(kJoin) == 0 || segment.has(TcpFlags::Syn) ||
           ++thirds > 2;
  };
  Opened opened(pair);
  CHECK(opened.up(100'000));
  pair.run(3s);
  CHECK(thirds >= 3);
  CHECK(early == 0);
  CHECK(stats(pair.b).mp_join_ack_rx >= 1);
  const auto carried = pair.carried[1];
  CHECK(opened.up(2'000'000));
  CHECK(pair.carried[1] > carried + 100'000);
}

TEST_CASE("octets that come before the third segment of a join are not taken",
          "[mptcp][handshake][rfc8684-3.2]") {
  MultipathPair pair;
  int forged = 0;
  // The third segment arrives as one that has ten octets, and no option.
  pair.box = forge_one(0, forged, [](Opening& segment, Frame& frame, std::size_t) {
    const std::size_t at = segment.has(TcpFlags::Syn) ? 0 : segment.option(kJoin);
    if (at == 0) return false;
    segment.blank(at);
    frame.resize(segment.end() + 10, std::byte{0x55});
    store_be(&frame[Opening::kIp + 2], static_cast<std::uint16_t>(frame.size() - Opening::kIp));
    segment.seal_ip();
    return true;
  });
  Opened opened(pair);
  CHECK(forged == 1);
  pair.run(3s);
  CHECK(stats(pair.b).mp_join_ack_rx >= 1);
  CHECK(pair.b.core.readable(opened.server) == 0);
  const auto carried = pair.carried[1];
  CHECK(opened.up(2'000'000));
  CHECK(pair.carried[1] > carried + 100'000);
}

TEST_CASE("a capability that is told again later changes nothing",
          "[mptcp][handshake][rfc8684-3.1]") {
  const int direction = GENERATE(0, 1);
  MultipathPair pair;
  Opened opened(pair);
  REQUIRE(opened.up(100'000));
  REQUIRE(opened.down(100'000));
  int forged = 0;
  pair.box = forge_one(direction, forged, [](Opening& segment, Frame& frame, std::size_t) {
    const std::size_t at = segment.option(kDss);
    if (at == 0 || segment.length(at) != 12) return false;
    store_be(&frame[at], std::uint32_t{0x1e0c0101});
    return true;
  });
  CHECK(opened.up(100'000));
  CHECK(opened.down(100'000));
  CHECK(forged == 1);
  CHECK(pair.a.core.info(opened.client)->multipath);
  CHECK(pair.b.core.info(opened.server)->multipath);
  CHECK(pair.b.core.info(opened.server)->subflows.size() == 2);
}

TEST_CASE("changed payload on the only path makes both go on as TCP",
          "[mptcp][fallback][rfc8684-3.7]") {
  const bool client_wants = GENERATE(true, false);
  MultipathPair pair(1, client_wants ? with_checksums() : MultipathPair::multipath(),
                     client_wants ? MultipathPair::multipath() : with_checksums());
  int changed = 0;
  pair.box = forge_one(0, changed, change_payload);
  Opened opened(pair);
  std::size_t written = 0;
  for (int i = 0; i < 3; ++i) {
    written += pair.a.core.write(pair.now, opened.client, noise(20'000));
    pair.run(1s);
  }
  CHECK(stats(pair.b).data_csum_err == 1);
  CHECK(stats(pair.b).dss_corruption_fallback == 1);
  CHECK(stats(pair.b).mp_fail_tx == 1);
  CHECK(stats(pair.a).mp_fail_rx == 1);
  CHECK(stats(pair.a).infinite_map_tx == 1);
  CHECK_FALSE(pair.a.core.info(opened.client)->multipath);
  CHECK_FALSE(pair.b.core.info(opened.server)->multipath);
  CHECK(pair.b.core.readable(opened.server) == written);
}

TEST_CASE("payload that is changed behind a checksum that held costs the only path its subflow",
          "[mptcp][fallback][rfc8684-3.7]") {
  MultipathPair pair(1, with_checksums(), with_checksums());
  Opened opened(pair);
  REQUIRE(opened.up(50'000));
  int changed = 0;
  pair.box = forge_one(0, changed, change_payload);
  CHECK(opened.up(50'000));
  CHECK(stats(pair.b).data_csum_err == 1);
  CHECK(stats(pair.b).dss_corruption_reset == 1);
  CHECK(pair.b.core.info(opened.server)->multipath);
}

TEST_CASE("a mapping without the checksum that was agreed on ends its subflow",
          "[mptcp][core][rfc8684-3.3.1]") {
  MultipathPair pair(2, with_checksums(), with_checksums());
  Opened opened(pair);
  REQUIRE(opened.up(100'000));
  int taken = 0;
  pair.box = forge_one(0, taken, [](Opening& segment, Frame& frame, std::size_t path) {
    const std::size_t at = segment.has_payload() ? segment.option(kDss) : 0;
    if (path != 1 || at == 0) return false;
    segment.blank(at, segment.length(at) - 2);
    frame[at + 1] = static_cast<std::byte>(segment.length(at) - 2);
    return true;
  });
  CHECK(opened.up(2'000'000));
  CHECK(taken == 1);
  CHECK(stats(pair.b).mp_rst_tx >= 1);
  CHECK(stats(pair.b).data_csum_err == 0);
}

TEST_CASE("a checksum that nobody asked for is not looked at", "[mptcp][core][rfc8684-3.3.1]") {
  MultipathPair pair;
  Opened opened(pair);
  REQUIRE(opened.up(10'000));
  int added = 0;
  pair.box = [&](int direction, std::size_t, Frame& frame) {
    Opening segment(frame);
    const std::size_t at = segment.has_payload() ? segment.option(kDss) : 0;
    // Two octets are free behind it, where NOPs make the header whole words.
    if (direction != 0 || at == 0 || segment.length(at) % 4 != 2) return true;
    store_be(&frame[at + segment.length(at)], std::uint16_t{0x1234});
    frame[at + 1] = static_cast<std::byte>(segment.length(at) + 2);
    segment.seal();
    ++added;
    return true;
  };
  CHECK(opened.up(100'000));
  CHECK(added > 0);
  CHECK(stats(pair.b).data_csum_err == 0);
  CHECK(stats(pair.b).options_refused == 0);
}

TEST_CASE("every segment has a DATA_ACK, of eight octets for a DSN of eight",
          "[mptcp][core][rfc8684-3.3.2]") {
  MultipathPair pair;
  Opened opened(pair);
  REQUIRE(opened.up(10'000));
  int wide = 0;
  int others = 0;
  pair.box = [&](int direction, std::size_t, Frame& frame) {
    Opening segment(frame);
    if (direction == 0 || !segment.is_tcp()) return true;
    const std::size_t at = segment.option(kDss);
    const bool is_wide = at != 0 && is(frame[at + 3], kDataAck) && is(frame[at + 3], kWideDataAck);
    ++(is_wide ? wide : others);
    return true;
  };
  CHECK(opened.up(100'000));
  CHECK(wide > 0);
  CHECK(others == 0);
}

TEST_CASE("the edge of the data window never moves back, whichever subflow tells it",
          "[mptcp][core][rfc8684-3.3.4]") {
  CoreConfig config = MultipathPair::multipath();
  config.tcp.receive_buffer_initial = config.tcp.receive_buffer_max = 100'000;
  MultipathPair pair(2, MultipathPair::multipath(), config);
  pair.delay = {1ms, 20ms};
  Opened opened(pair);
  const unsigned shift = tcp::window_scale_for(100'000);
  std::uint64_t edge = 0;
  int told = 0;
  int back = 0;
  pair.box = [&](int direction, std::size_t, Frame& frame) {
    Opening segment(frame);
    const std::size_t at = segment.option(kDss);
    if (direction == 0 || at == 0 || !is(frame[at + 3], kWideDataAck)) return true;
    const auto window = load_be<std::uint16_t>(&frame[Opening::kTcp + 14]);
    const std::uint64_t says =
        load_be<std::uint64_t>(&frame[at + 4]) + (std::uint64_t{window} << shift);
    ++told;
    // The field has no octets smaller than the shift.
    if (says + (1U << shift) <= edge) ++back;
    edge = std::max(edge, says);
    return true;
  };
  CHECK(opened.up(2'000'000));
  CHECK(told > 50);
  CHECK(back == 0);
}

TEST_CASE("a window that opens is told on every subflow", "[mptcp][core][rfc8684-3.3.4]") {
  CoreConfig config = MultipathPair::multipath();
  config.tcp.receive_buffer_initial = config.tcp.receive_buffer_max = 100'000;
  MultipathPair pair(2, MultipathPair::multipath(), config);
  Opened opened(pair);
  pair.a.core.write(pair.now, opened.client, noise(250'000));
  pair.run(1s);
  REQUIRE(pair.b.core.info(opened.server)->rcv_wnd < 1'500);
  std::array<int, 2> told{};
  pair.box = [&](int direction, std::size_t path, Frame& frame) {
    if (direction == 1 && Opening(frame).option(kDss) != 0) ++told[path];
    return true;
  };
  while (pair.b.core.read_packet(pair.now, opened.server)) {
  }
  pair.run(500us);  // Less than the way to the other side.
  CHECK(told[0] >= 1);
  CHECK(told[1] >= 1);
}

TEST_CASE("octets mapped beyond the window are dropped and come again",
          "[mptcp][core][rfc8684-3.3.4]") {
  MultipathPair pair;
  Opened opened(pair);
  REQUIRE(opened.up(100'000));
  int forged = 0;
  pair.box = forge_one(0, forged, [](Opening& segment, Frame& frame, std::size_t path) {
    const std::size_t at = segment.has_payload() ? segment.option(kDss) : 0;
    if (path != 1 || at == 0) return false;
    // The high half of the DSN, behind the DATA_ACK.
    const std::size_t high = at + (is(frame[at + 3], kWideDataAck) ? 12 : 8);
    store_be(&frame[high], load_be<std::uint32_t>(&frame[high]) + 1);
    return true;
  });
  CHECK(opened.up(2'000'000));
  CHECK(forged == 1);
  CHECK(stats(pair.b).no_dss_in_window >= 1);
}

TEST_CASE("a subflow whose mappings never come is reset, and the rest goes by another",
          "[mptcp][core][rfc8684-3.3.1]") {
  MultipathPair pair;
  Opened opened(pair);
  REQUIRE(opened.up(100'000));
  pair.box = [](int direction, std::size_t path, Frame& frame) {
    Opening segment(frame);
    const std::size_t at = segment.option(kDss);
    if (direction != 0 || path != 1 || at == 0 || !is(frame[at + 3], kMapping)) return true;
    segment.blank(at);
    segment.seal();
    return true;
  };
  CHECK(opened.up(3'000'000));
  CHECK(stats(pair.b).dss_no_match_tcp >= 1);
  CHECK(pair.b.core.info(opened.server)->multipath);
}

TEST_CASE("no subflow ends before the data stream has ended both ways",
          "[mptcp][core][rfc8684-3.3.3]") {
  MultipathPair pair;
  Opened opened(pair);
  REQUIRE(opened.up(10'000));
  std::array<int, 2> fins{};
  pair.box = [&](int, std::size_t path, Frame& frame) {
    if (Opening(frame).has(TcpFlags::Fin)) ++fins[path];
    return true;
  };
  pair.a.core.shutdown(pair.now, opened.client);
  pair.run(1s);
  CHECK(pair.b.core.at_end_of_stream(opened.server));
  CHECK(fins == std::array<int, 2>{});
  CHECK(opened.down(10'000));
  pair.b.core.close(pair.now, opened.server);
  pair.run(100ms);
  CHECK(fins[0] >= 2);
  CHECK(fins[1] >= 2);
}

TEST_CASE("a DATA_FIN is repeated until it is acknowledged", "[mptcp][core][rfc8684-3.3.3]") {
  MultipathPair pair;
  Opened opened(pair);
  REQUIRE(opened.up(10'000));
  int lost = 0;
  pair.box = [&](int direction, std::size_t, Frame& frame) {
    const std::size_t at = Opening(frame).option(kDss);
    return direction != 0 || at == 0 || !is(frame[at + 3], kDataFin) || ++lost > 4;
  };
  pair.a.core.shutdown(pair.now, opened.client);
  pair.run(20s);
  CHECK(lost > 4);
  CHECK(pair.b.core.at_end_of_stream(opened.server));
}

TEST_CASE("a fast close may come on an ACK", "[mptcp][core][rfc8684-3.5]") {
  MultipathPair pair;
  Opened opened(pair);
  REQUIRE(opened.up(10'000));
  MultipathPair::events(pair.b);
  pair.box = [](int, std::size_t, Frame& frame) {
    Opening segment(frame);
    if (segment.option(kFastclose) == 0) return true;
    frame[Opening::kTcp + 13] = static_cast<std::byte>(TcpFlags::Ack);
    segment.seal();
    return true;
  };
  pair.a.core.abort(pair.now, opened.client);
  pair.run(100ms);
  const auto events = MultipathPair::events(pair.b);
  REQUIRE(events.size() == 1);
  CHECK(events[0].kind == Event::Kind::Closed);
  CHECK(events[0].reason == tcp::CloseReason::Reset);
  CHECK(stats(pair.b).mp_fastclose_rx >= 1);
}

TEST_CASE("an announced port is joined, and what leaves no room for a DSS goes alone",
          "[mptcp][path][rfc8684-3.4.1]") {
  CoreConfig quiet = MultipathPair::multipath();
  quiet.mptcp.announce = false;
  MultipathPair pair(2, MultipathPair::multipath(), quiet);
  Opened opened(pair);
  REQUIRE(opened.up(10'000));  // A DATA_ACK has eight octets from now on.
  pair.run(1s);
  int alone = 0;
  int beside = 0;
  pair.box = [&](int direction, std::size_t, Frame& frame) {
    Opening segment(frame);
    if (direction == 1 && segment.option(kAddAddr) != 0)
      ++(segment.option(kDss) == 0 ? alone : beside);
    return true;
  };
  const auto announced = *Endpoint::parse("10.0.1.2:8080");
  REQUIRE(pair.b.core.command(pair.now, opened.server,
                              AnnounceAddress{announced.address, announced.port}));
  pair.run(1s);
  CHECK(alone == 1);
  CHECK(beside == 0);
  const auto info = pair.a.core.info(opened.client);
  REQUIRE(info);
  CHECK(std::any_of(info->subflows.begin(), info->subflows.end(),
                    [&](const SubflowInfo& path) { return path.tuple.remote == announced; }));
  CHECK(opened.up(100'000));
}

TEST_CASE("the removal of an address that was never announced changes nothing",
          "[mptcp][path][rfc8684-3.4.2]") {
  MultipathPair pair;
  int forged = 0;
  pair.box = forge_one(1, forged, [](Opening& segment, Frame& frame, std::size_t) {
    const std::size_t at = segment.option(kAddAddr);
    if (at == 0) return false;
    segment.blank(at, 4);
    store_be(&frame[at], std::uint32_t{0x1e04404d});
    return true;
  });
  Opened opened(pair);
  CHECK(forged == 1);
  CHECK(stats(pair.a).rm_addr == 1);
  CHECK(stats(pair.a).rm_subflow == 0);
  CHECK(opened.up(100'000));
}

TEST_CASE("a connection keeps the addresses that it began with", "[mptcp][core][rfc8684-4]") {
  MultipathPair pair;
  Opened opened(pair);
  REQUIRE(opened.up(100'000));
  const auto before = pair.a.core.info(opened.client);
  REQUIRE(before);
  int resets = 0;
  pair.box = [&](int direction, std::size_t path, Frame& frame) {
    Opening segment(frame);
    if (path != 0 || !segment.is_tcp()) return true;
    if (direction == 0) return resets == 0;
    frame[Opening::kTcp + 13] = static_cast<std::byte>(TcpFlags::Rst | TcpFlags::Ack);
    segment.seal();
    ++resets;
    return true;
  };
  CHECK(opened.up(100'000));
  CHECK(resets > 0);
  const auto after = pair.a.core.info(opened.client);
  REQUIRE(after);
  CHECK(after->tuple == before->tuple);
  CHECK(after->multipath);
}

}  // namespace
}  // namespace mptcp::test
