#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <iterator>
#include <vector>

#include <catch2/catch.hpp>

#include "test/mptcp/multipath_pair.hpp"
#include "test/mptcp/opening.hpp"

// Multipath TCP as RFC 6824 had it.
namespace mptcp::test {
namespace {

using namespace std::chrono_literals;
using dataplane::IpAddress;
using dataplane::wire::TcpFlags;
using Frame = std::vector<std::byte>;

constexpr unsigned kTcprst = 8;

CoreConfig speaking(Version newest, Version oldest = Version::V0) {
  CoreConfig config = MultipathPair::multipath();
  config.mptcp.version = newest;
  config.mptcp.oldest_version = oldest;
  return config;
}
CoreConfig old() { return speaking(Version::V0); }

const Stats& stats(const PortedHost& host) { return host.core.stats().mptcp; }
IpAddress address(const char* text) { return *IpAddress::parse(text); }
std::size_t path_count(const PortedHost& host, SocketId socket) {
  return host.core.info(socket)->subflows.size();
}
const SubflowInfo& path_on(const SocketInfo& info, std::size_t port) {
  const auto found = std::find_if(
      info.subflows.begin(), info.subflows.end(),
      [&](const SubflowInfo& path) { return path.port == static_cast<PortIndex>(port); });
  REQUIRE(found != info.subflows.end());
  return *found;
}

/// An option of a segment that was seen on its way.
struct Seen {
  int direction;
  std::size_t path;
  unsigned subtype;
  Frame octets;
  bool syn, reset, payload;
};

/// Two hosts of version 0 whose options are written down.
struct Watched : MultipathPair {
  explicit Watched(const CoreConfig& client = old(), const CoreConfig& server = old())
      : MultipathPair(2, client, server) {
    box = [this](int direction, std::size_t path, Frame& frame) {
      Opening segment(frame);
      for (unsigned subtype = 0; subtype <= kTcprst; ++subtype) {
        const std::size_t at = segment.option(subtype);
        if (at == 0) continue;
        const auto first = frame.begin() + static_cast<std::ptrdiff_t>(at);
        const auto length = static_cast<std::ptrdiff_t>(segment.length(at));
        seen.push_back({direction, path, subtype, Frame(first, first + length),
                        segment.has(TcpFlags::Syn), segment.has(TcpFlags::Rst),
                        segment.has_payload()});
      }
      return !meddle || meddle(direction, path, frame);
    };
  }
  std::vector<Seen> all(unsigned subtype) const {
    std::vector<Seen> out;
    std::copy_if(seen.begin(), seen.end(), std::back_inserter(out),
                 [&](const Seen& each) { return each.subtype == subtype; });
    return out;
  }

  std::vector<Seen> seen;
  std::function<bool(int direction, std::size_t path, Frame& frame)> meddle;
};

/// Whether the octets of an option begin so.
bool begins(const Seen& option, const std::vector<unsigned>& octets) {
  for (std::size_t i = 0; i < octets.size(); ++i)
    if (std::to_integer<unsigned>(option.octets.at(i)) != octets[i]) return false;
  return true;
}
Frame part(const Seen& option, std::size_t from, std::size_t count) {
  const auto first = option.octets.begin() + static_cast<std::ptrdiff_t>(from);
  return Frame(first, first + static_cast<std::ptrdiff_t>(count));
}

TEST_CASE("version 0 has the keys where RFC 6824 draws them", "[mptcp][v0][rfc6824-3.1]") {
  // Data that wait for the SYN-ACK do not go before the keys either.
  const bool early = GENERATE(false, true);
  Watched pair;
  REQUIRE(pair.b.core.listen(*Endpoint::parse("0.0.0.0:80")));
  const SocketId client = *pair.a.core.connect(
      pair.now, {.remote = *Endpoint::parse("10.0.0.2:80"), .local = {}, .tcp = {}});
  if (!early) pair.run(10ms);
  REQUIRE(pair.a.core.write(pair.now, client, noise(20'000)) == 20'000);
  pair.run(1s);
  const auto capable = pair.all(kCapable);
  // Figure 4: on the SYN the sender's key, on the SYN-ACK the other's, on the ACK both.
  REQUIRE(capable.size() == 3);
  CHECK((capable[0].syn && capable[0].direction == 0 && capable[0].octets.size() == 12));
  CHECK((capable[1].syn && capable[1].direction == 1 && capable[1].octets.size() == 12));
  CHECK((!capable[2].syn && capable[2].direction == 0 && capable[2].octets.size() == 20));
  CHECK(begins(capable[0], {30, 12, 0x00, 0x01}));
  CHECK(begins(capable[1], {30, 12, 0x00, 0x01}));
  CHECK(begins(capable[2], {30, 20, 0x00, 0x01}));
  CHECK(part(capable[0], 4, 8) == part(capable[2], 4, 8));
  CHECK(part(capable[1], 4, 8) == part(capable[2], 12, 8));
  CHECK(part(capable[0], 4, 8) != part(capable[1], 4, 8));
  // The keys never stand beside data.
  CHECK_FALSE(capable[2].payload);
}

TEST_CASE("version 0 carries data both ways over two paths", "[mptcp][v0][rfc6824-3.2]") {
  const bool checksums = GENERATE(false, true);
  CoreConfig server = old();
  server.mptcp.checksum = checksums;
  Watched pair(old(), server);
  Opened opened(pair);
  CHECK(opened.up(2'000'000));
  CHECK(opened.down(2'000'000));
  const auto info = pair.a.core.info(opened.client);
  CHECK(info->multipath);
  CHECK(info->multipath_version == Version::V0);
  CHECK(pair.b.core.info(opened.server)->multipath_version == Version::V0);
  CHECK(info->subflows.size() == 2);
  for (const SubflowInfo& path : info->subflows) {
    CHECK(path.bytes_sent > 100'000);
    CHECK(path.bytes_received > 100'000);
  }
  CHECK(stats(pair.a).mp_join_syn_ack_hmac_failure == 0);
  CHECK(stats(pair.b).mp_join_ack_hmac_failure == 0);
  CHECK(stats(pair.b).data_csum_err == 0);
  const auto joins = pair.all(kJoin);
  REQUIRE(joins.size() >= 3);
  CHECK(joins[0].octets.size() == 12);
  CHECK(joins[1].octets.size() == 16);
  CHECK(joins[2].octets.size() == 24);
  pair.a.core.close(pair.now, opened.client);
  pair.b.core.close(pair.now, opened.server);
  pair.run(200s);
  CHECK(pair.a.core.connection_count() == 0);
  CHECK(pair.b.core.connection_count() == 0);
}

TEST_CASE("a peer gets the version that it asks for, if it is spoken", "[mptcp][v0][rfc8684-3.1]") {
  struct Case {
    CoreConfig client, server;
    bool multipath = false;
    Version version = Version::V1;
  };
  const auto one = speaking(Version::V1);
  const auto only_one = speaking(Version::V1, Version::V1);
  const auto which = GENERATE(range<std::size_t>(0, 5));
  const std::array<Case, 5> cases{{{one, one, true, Version::V1},
                                   {old(), one, true, Version::V0},
                                   {old(), only_one, false, Version::V0},
                                   {one, old(), false, Version::V1},
                                   {only_one, one, true, Version::V1}}};
  const Case& now = cases[which];
  CAPTURE(which);
  Watched pair(now.client, now.server);
  Opened opened(pair);
  CHECK(opened.up(100'000));
  CHECK(opened.down(100'000));
  const auto info = pair.a.core.info(opened.client);
  CHECK(info->multipath == now.multipath);
  CHECK(info->multipath_version == now.version);
  CHECK(pair.b.core.info(opened.server)->multipath == now.multipath);
  // What cannot be had is not answered with the option at all.
  CHECK(pair.all(kCapable).size() >= (now.multipath ? 3U : 1U));
  CHECK((now.multipath || pair.all(kCapable).size() == 1));
}

TEST_CASE("the first data of version 0 make a lost third segment good",
          "[mptcp][v0][rfc6824-3.1]") {
  const bool with_data = GENERATE(true, false);
  Watched pair;
  int lost = 0;
  pair.meddle = [&](int direction, std::size_t, Frame& frame) {
    Opening segment(frame);
    const bool third = direction == 0 && !segment.has(TcpFlags::Syn) && segment.option(kCapable);
    return !third || ++lost > 1;
  };
  const SocketId listener = *pair.b.core.listen(*Endpoint::parse("0.0.0.0:80"));
  const SocketId client = *pair.a.core.connect(
      pair.now, {.remote = *Endpoint::parse("10.0.0.2:80"), .local = {}, .tcp = {}});
  pair.run(10ms);
  if (with_data) pair.a.core.write(pair.now, client, noise(5'000));
  pair.run(5s);
  const auto server = pair.b.core.accept(listener);
  REQUIRE(server);
  CHECK(lost >= 1);
  CHECK(pair.b.core.info(*server)->multipath);
  CHECK(pair.b.core.readable(*server) == (with_data ? 5'000 : 0));
  CHECK(path_count(pair.a, client) == 2);
}

/// The SYN table of the server is full of attempts that nobody will complete.
struct FloodedWatched : Watched {
  FloodedWatched() : Watched(old(), small_table()) {
    listener = *b.core.listen(*Endpoint::parse("0.0.0.0:80"));
    const SocketId first = *a.core.connect(now, options);
    run(10ms);  // Both know each other's Ethernet address now.
    REQUIRE(b.core.accept(listener));
    a.core.abort(now, first);
    meddle = [](int direction, std::size_t, Frame&) { return direction == 0; };
    for (int i = 0; i < 8; ++i) {
      const SocketId unanswered = *a.core.connect(now, options);
      run(5ms);
      a.core.abort(now, unanswered);
    }
    meddle = nullptr;
    seen.clear();
  }
  static CoreConfig small_table() {
    CoreConfig config = speaking(Version::V1);
    config.syn_table_size = 1;
    config.tcp.rto_initial = 60s;  // No SYN-ACK comes again, to be refused.
    return config;
  }

  Core::ConnectOptions options{.remote = *Endpoint::parse("10.0.0.2:80"), .local = {}, .tcp = {}};
  SocketId listener{};
};

TEST_CASE("a SYN cookie keeps version 0, and its joins are kept aside",
          "[mptcp][v0][rfc6824-3.1][rfc4987-3.6]") {
  FloodedWatched pair;
  // Without the third segment nobody knows the peer's key any more: that is TCP.
  const bool third_is_lost = GENERATE(false, true);
  int lost = 0;
  if (third_is_lost) {
    pair.meddle = [&](int direction, std::size_t, Frame& frame) {
      Opening segment(frame);
      const bool third = direction == 0 && !segment.has(TcpFlags::Syn) && segment.option(kCapable);
      lost += third ? 1 : 0;
      return !third;
    };
  }
  const SocketId client = *pair.a.core.connect(pair.now, pair.options);
  pair.run(10ms);
  REQUIRE(pair.a.core.write(pair.now, client, noise(5'000)) == 5'000);
  pair.run(5s);
  CHECK(lost == (third_is_lost ? 1 : 0));
  CHECK(pair.b.core.stats().tcp.syn_cookies_accepted == 1);
  const auto server = pair.b.core.accept(pair.listener);
  REQUIRE(server);
  CHECK(pair.b.core.readable(*server) == 5'000);
  const auto info = pair.b.core.info(*server);
  CHECK(info->multipath == !third_is_lost);
  CHECK(pair.a.core.info(client)->multipath == !third_is_lost);
  if (third_is_lost) return;
  CHECK(info->multipath_version == Version::V0);
  CHECK(info->subflows.size() == 2);
  CHECK(stats(pair.b).joins_kept_aside == 1);
}

TEST_CASE("an address of version 0 is announced without proof or echo",
          "[mptcp][v0][rfc6824-3.4.1]") {
  const bool first_is_lost = GENERATE(false, true);
  Watched pair;
  int announced = 0;
  pair.meddle = [&](int, std::size_t, Frame& frame) {
    Opening segment(frame);
    return !first_is_lost || segment.option(kAddAddr) == 0 || ++announced > 1;
  };
  Opened opened(pair);
  REQUIRE(opened.up(1'000));
  pair.run(10s);
  const auto options = pair.all(kAddAddr);
  // What came is not said again once the peer has joined there.
  REQUIRE(options.size() == (first_is_lost ? 2 : 1));
  // Figure 8: subtype and IP version, id, address.
  for (const Seen& option : options) {
    CHECK(option.direction == 1);
    REQUIRE(option.octets.size() == 8);
    CHECK(begins(option, {30, 8, 0x34, 2, 10, 0, 1, 2}));
  }
  CHECK(stats(pair.a).add_addr == 1);
  CHECK(stats(pair.a).add_addr_bad_hmac == 0);
  CHECK(stats(pair.a).echo_add_tx == 0);
  CHECK(path_count(pair.a, opened.client) == 2);
}

TEST_CASE("an announced port of version 0 is joined", "[mptcp][v0][rfc6824-3.4.1]") {
  CoreConfig quiet = old();
  quiet.mptcp.announce = false;
  Watched pair(old(), quiet);
  Opened opened(pair);
  REQUIRE(opened.up(1'000));
  const auto announced = *Endpoint::parse("10.0.1.2:8080");
  REQUIRE(pair.b.core.command(pair.now, opened.server,
                              AnnounceAddress{announced.address, announced.port}));
  pair.run(1s);
  const auto options = pair.all(kAddAddr);
  REQUIRE(options.size() == 1);
  CHECK(begins(options[0], {30, 10, 0x34, 2, 10, 0, 1, 2, 0x1f, 0x90}));
  const auto info = pair.a.core.info(opened.client);
  CHECK(std::any_of(info->subflows.begin(), info->subflows.end(),
                    [&](const SubflowInfo& path) { return path.tuple.remote == announced; }));
}

TEST_CASE("an address of version 0 is withdrawn, and the reset says nothing",
          "[mptcp][v0][rfc6824-3.4.2]") {
  Watched pair;
  Opened opened(pair);
  REQUIRE(opened.up(1'000));
  REQUIRE(path_count(pair.b, opened.server) == 2);
  REQUIRE(pair.b.core.command(pair.now, opened.server, WithdrawAddresses{{address("10.0.1.2")}}));
  pair.run(2s);
  CHECK(stats(pair.a).rm_addr == 1);
  CHECK(stats(pair.a).rm_subflow == 1);
  const auto info = pair.b.core.info(opened.server);
  for (const SubflowInfo& path : info->subflows)
    CHECK(path.tuple.local.address == address("10.0.0.2"));
  CHECK(opened.up(500'000));
  // Nor does the one that refuses a join there: only version 1 has MP_TCPRST.
  REQUIRE(pair.a.core.command(pair.now, opened.client,
                              OpenPath{address("10.0.1.1"), *Endpoint::parse("10.0.1.2:80")}));
  pair.run(1s);
  CHECK(stats(pair.b).mp_join_rejected >= 1);
  CHECK(pair.all(kTcprst).empty());
  CHECK(stats(pair.a).mp_rst_tx + stats(pair.b).mp_rst_tx == 0);
}

TEST_CASE("version 0 makes a path a backup that does not answer", "[mptcp][v0][rfc6824-3.3.8]") {
  Watched pair;
  Opened opened(pair);
  REQUIRE(opened.up(10'000));
  const bool is_dead = GENERATE(false, true);
  pair.dead[1] = is_dead;
  REQUIRE(pair.a.core.write(pair.now, opened.client, noise(200'000)) == 200'000);
  pair.run(is_dead ? 2s : 100ms);
  const auto path = path_on(*pair.a.core.info(opened.client), 1);
  REQUIRE(path.stale == is_dead);
  REQUIRE(pair.a.core.command(pair.now, opened.client, SetBackup{path.tuple, true}));
  pair.run(100ms);
  const auto options = pair.all(kPrio);
  REQUIRE(options.size() == 1);
  if (is_dead) {
    // Figure 12, with the id of the address of that path.
    CHECK(options[0].path == 0);
    CHECK(begins(options[0], {30, 4, 0x51, 2}));
    CHECK(options[0].octets.size() == 4);
  } else {
    CHECK(options[0].path == 1);
    CHECK(options[0].octets.size() == 3);
  }
  CHECK(path_on(*pair.b.core.info(opened.server), 1).backup);
  CHECK_FALSE(path_on(*pair.b.core.info(opened.server), 0).backup);
}

TEST_CASE("a fast close of version 0 is an ACK that is answered with a reset",
          "[mptcp][v0][rfc6824-3.5]") {
  Watched pair;
  Opened opened(pair);
  REQUIRE(opened.up(10'000));
  MultipathPair::events(pair.b);
  // It comes again when it is lost, and when the answer is.
  const int losses = GENERATE(0, 1, 3);
  const bool of_answers = GENERATE(false, true);
  int lost = 0;
  pair.meddle = [&](int direction, std::size_t path, Frame& frame) {
    Opening segment(frame);
    const bool asks = direction == 0 && segment.option(kFastclose) != 0;
    const bool answers = direction == 1 && path == 0 && segment.has(TcpFlags::Rst);
    return (of_answers ? !answers : !asks) || ++lost > losses;
  };
  REQUIRE(pair.a.core.write(pair.now, opened.client, noise(200'000)) == 200'000);
  pair.run(5ms);
  pair.a.core.abort(pair.now, opened.client);
  pair.run(20s);
  const auto events = MultipathPair::events(pair.b);
  const auto closed = std::find_if(events.begin(), events.end(), [](const Event& event) {
    return event.kind == Event::Kind::Closed;
  });
  REQUIRE(closed != events.end());
  CHECK(closed->reason == tcp::CloseReason::Reset);
  CHECK(stats(pair.a).mp_fastclose_tx == 1);
  CHECK(stats(pair.b).mp_fastclose_rx == 1);
  const auto options = pair.all(kFastclose);
  CHECK(options.size() == static_cast<std::size_t>(losses + 1));
  const Frame server_key = part(pair.all(kCapable).at(1), 4, 8);
  for (const Seen& option : options) {
    CHECK_FALSE(option.reset);
    CHECK(begins(option, {30, 12, 0x70}));
    CHECK(part(option, 4, 8) == server_key);
  }
  pair.b.core.close(pair.now, opened.server);
  pair.run(1s);
  CHECK(pair.a.core.connection_count() == 0);
  CHECK(pair.b.core.connection_count() == 0);
}

TEST_CASE("a fast close of version 0 gives up, and ends when both ask for it",
          "[mptcp][v0][rfc6824-3.5]") {
  Watched pair;
  Opened opened(pair);
  REQUIRE(opened.up(10'000));
  const bool both = GENERATE(false, true);
  pair.seen.clear();
  int resets = 0;
  pair.meddle = [&](int direction, std::size_t path, Frame& frame) {
    if (direction == 0 && path == 0 && Opening(frame).has(TcpFlags::Rst)) ++resets;
    return both || direction == 0 || !Opening(frame).is_tcp();
  };
  pair.a.core.abort(pair.now, opened.client);
  if (both) {
    pair.b.core.abort(pair.now, opened.server);
    pair.run(100ms);
    CHECK(stats(pair.a).mp_fastclose_rx == 1);
    CHECK(stats(pair.b).mp_fastclose_rx == 1);
    CHECK(pair.all(kFastclose).size() == 2);
    CHECK(pair.a.core.connection_count() == 0);
    CHECK(pair.b.core.connection_count() == 0);
    return;
  }
  pair.run(60s);
  CHECK(pair.all(kFastclose).size() == 4);
  CHECK(resets == 1);
  CHECK(pair.a.core.connection_count() == 0);
}

TEST_CASE("what was closed before it was accepted is told to be", "[mptcp][v0][core]") {
  Watched pair;
  const SocketId listener = *pair.b.core.listen(*Endpoint::parse("0.0.0.0:80"));
  const SocketId client = *pair.a.core.connect(
      pair.now, {.remote = *Endpoint::parse("10.0.0.2:80"), .local = {}, .tcp = {}});
  Frame last;
  pair.meddle = [&](int direction, std::size_t, Frame& frame) {
    Opening segment(frame);
    const bool third = direction == 0 && segment.is_tcp() && !segment.has(TcpFlags::Syn);
    if (third) last = frame;
    return !third;
  };
  pair.run(20ms);
  pair.a.core.abort(pair.now, client);
  pair.run(1ms);
  REQUIRE(Opening(last).option(kFastclose) != 0);
  Packet frame = pair.b.pool.alloc();
  std::memcpy(frame.append(static_cast<std::uint32_t>(last.size())), last.data(), last.size());
  pair.b.core.on_frames(pair.now, PortIndex{}, std::span(&frame, 1));
  MultipathPair::events(pair.b);
  const auto server = pair.b.core.accept(listener);
  REQUIRE(server);
  const auto events = MultipathPair::events(pair.b);
  REQUIRE_FALSE(events.empty());
  CHECK(events.back().kind == Event::Kind::Closed);
  CHECK(events.back().reason == tcp::CloseReason::Reset);
}

TEST_CASE("changed payload makes version 0 go on as TCP", "[mptcp][v0][fallback][rfc6824-3.6]") {
  CoreConfig config = old();
  config.mptcp.checksum = true;
  config.mptcp.path_manager = PathManagerKind::None;
  Watched pair(config, config);
  int changed = 0;
  pair.meddle = forge_one(0, changed, change_payload);
  Opened opened(pair);
  CHECK(begins(pair.all(kCapable).at(0), {30, 12, 0x00, 0x81}));
  std::size_t written = 0;
  for (int i = 0; i < 3; ++i) {
    written += pair.a.core.write(pair.now, opened.client, noise(20'000));
    pair.run(1s);
  }
  CHECK(stats(pair.b).dss_corruption_fallback == 1);
  CHECK(stats(pair.a).mp_fail_rx == 1);
  CHECK(stats(pair.a).infinite_map_tx == 1);
  CHECK_FALSE(pair.a.core.info(opened.client)->multipath);
  CHECK_FALSE(pair.b.core.info(opened.server)->multipath);
  CHECK(pair.b.core.readable(opened.server) == written);
}

TEST_CASE("version 0 goes on as TCP where its options vanish",
          "[mptcp][v0][fallback][rfc6824-3.6]") {
  // 0: from the SYN; 1: from the SYN-ACK; 2: from all that follows it.
  const int where = GENERATE(0, 1, 2);
  CAPTURE(where);
  Watched pair;
  pair.meddle = [&](int direction, std::size_t, Frame& frame) {
    Opening segment(frame);
    const bool syn = segment.is_tcp() && segment.has(TcpFlags::Syn);
    const bool here = where == 2 ? !syn : syn && direction == where;
    for (unsigned subtype = 0; here && subtype <= kTcprst; ++subtype)
      if (const std::size_t at = segment.option(subtype)) segment.blank(at);
    if (here && segment.is_tcp()) segment.seal();
    return true;
  };
  Opened opened(pair);
  CHECK(opened.up(100'000));
  CHECK(opened.down(100'000));
  CHECK_FALSE(pair.a.core.info(opened.client)->multipath);
  CHECK_FALSE(pair.b.core.info(opened.server)->multipath);
}

}  // namespace
}  // namespace mptcp::test
