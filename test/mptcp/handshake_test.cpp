#include <algorithm>

#include <catch2/catch.hpp>

#include "mptcp/blackhole_table.hpp"
#include "test/mptcp/multipath_pair.hpp"

namespace mptcp::test {
namespace {

using namespace std::chrono_literals;
using dataplane::IpAddress;

Endpoint endpoint(const char* text) { return *Endpoint::parse(text); }

bool has_multipath_option(const std::vector<std::byte>& frame) {
  constexpr std::size_t kTcp = 14 + 20;
  if (frame.size() < kTcp + 20 || frame[23] != std::byte{6}) return false;
  const std::size_t end = kTcp + (std::to_integer<std::size_t>(frame[kTcp + 12]) >> 4) * 4;
  for (std::size_t at = kTcp + 20; at + 1 < end;) {
    const auto kind = std::to_integer<unsigned>(frame[at]);
    if (kind == 30) return true;
    at += kind <= 1 ? 1 : std::max(2U, std::to_integer<unsigned>(frame[at + 1]));
  }
  return false;
}

TEST_CASE("nobody joins a first address whose owner does not want it",
          "[mptcp][handshake][rfc8684-3.1]") {
  CoreConfig closed = MultipathPair::multipath();
  closed.mptcp.join_first_address = false;
  const bool client_closed = GENERATE(false, true);
  MultipathPair pair(2, client_closed ? closed : MultipathPair::multipath(),
                     client_closed ? MultipathPair::multipath() : closed);
  Opened opened(pair);
  REQUIRE(opened.up(1'000));
  pair.run(10ms);
  const auto info = pair.a.core.info(opened.client);
  // Announced addresses are joined as ever.
  CHECK(info->subflows.size() == 2);
  Core& asks = client_closed ? pair.b.core : pair.a.core;
  const SocketId socket = client_closed ? opened.server : opened.client;
  const Endpoint own = client_closed ? info->tuple.remote : info->tuple.local;
  const Endpoint first = client_closed ? info->tuple.local : info->tuple.remote;
  const auto refused = asks.command(pair.now, socket, OpenPath{own.address, first});
  REQUIRE_FALSE(refused);
  CHECK(refused.error() == SocketError::AddressNotAvailable);
  // The other side did not say so.
  Core& other = client_closed ? pair.a.core : pair.b.core;
  REQUIRE(other.command(pair.now, client_closed ? opened.client : opened.server,
                        OpenPath{first.address, own}));
  pair.run(50ms);
  CHECK(pair.a.core.info(opened.client)->subflows.size() == 3);
}

TEST_CASE("a way that drops the option is known for a time", "[mptcp][fallback][rfc8684-3.7]") {
  CoreConfig config = MultipathPair::multipath();
  config.mptcp.blackhole_time = 10min;
  MultipathPair pair(2, config, config);
  pair.box = [](int direction, std::size_t, std::vector<std::byte>& frame) {
    return direction == 1 || !has_multipath_option(frame);
  };
  const SocketId listener = *pair.b.core.listen(endpoint("0.0.0.0:80"));
  const Core::ConnectOptions options{.remote = endpoint("10.0.0.2:80"), .local = {}, .tcp = {}};
  const auto connects_within = [&](Duration span) {
    const SocketId client = *pair.a.core.connect(pair.now, options);
    pair.run(span);
    const bool done = pair.a.core.info(client)->state == "ESTABLISHED";
    while (const auto accepted = pair.b.core.accept(listener))
      pair.b.core.abort(pair.now, *accepted);
    pair.a.core.abort(pair.now, client);
    return done;
  };
  const Stats& stats = pair.a.core.stats().mptcp;
  CHECK_FALSE(connects_within(5s));
  CHECK(connects_within(20s));
  CHECK(stats.blackhole == 1);
  CHECK(connects_within(100ms));
  CHECK(stats.blackhole == 1);
  CHECK(stats.blackhole_spared == 1);
  CHECK(stats.mp_capable_syn_tx == 6);
  pair.run(10min);
  CHECK(connects_within(20s));
  CHECK(stats.blackhole == 2);
  CHECK(stats.mp_capable_syn_tx == 9);
}

TEST_CASE("the table of such ways has a bound", "[mptcp][fallback]") {
  BlackholeTable table;
  const Instant now{1s};
  const auto nth = [](std::uint32_t n) { return IpAddress::v4(0x0a00'0000 + n); };
  for (std::uint32_t i = 0; i <= BlackholeTable::kMost; ++i)
    table.add(nth(i), now + 1s + i * 1ms);
  CHECK_FALSE(table.has(nth(0), now));
  CHECK(table.has(nth(1), now));
  CHECK(table.has(nth(BlackholeTable::kMost), now));
  CHECK_FALSE(table.has(nth(1), now + 10s));
  table.add(nth(1), now + 20s);
  CHECK(table.has(nth(1), now + 10s));
}

/// A server whose SYN table is full of attempts that nobody will complete.
struct Flooded : MultipathPair {
  Flooded() : MultipathPair(2, multipath(), small_table()) {
    listener = *b.core.listen(endpoint("0.0.0.0:80"));
    const SocketId first = *a.core.connect(now, options);
    run(10ms);  // Both know each other's Ethernet address now.
    REQUIRE(b.core.accept(listener));
    a.core.abort(now, first);
    box = [](int direction, std::size_t, std::vector<std::byte>&) { return direction == 0; };
    for (int i = 0; i < 8; ++i) {
      const SocketId lost = *a.core.connect(now, options);
      run(5ms);
      a.core.abort(now, lost);
    }
    box = nullptr;
  }
  static CoreConfig small_table() {
    CoreConfig config = multipath();
    config.syn_table_size = 1;
    config.tcp.rto_initial = 60s;  // No SYN-ACK comes again, to be refused.
    return config;
  }

  Core::ConnectOptions options{.remote = endpoint("10.0.0.2:80"), .local = {}, .tcp = {}};
  SocketId listener{};
};

TEST_CASE("with a full SYN table connections still have many paths",
          "[mptcp][handshake][rfc4987-3.6]") {
  Flooded pair;
  // The first answer to each SYN is lost now and then.
  const bool lossy = GENERATE(false, true);
  int answers = 0;
  if (lossy) {
    pair.box = [&](int direction, std::size_t, std::vector<std::byte>& frame) {
      const bool is_syn_ack = frame.size() > 54 && frame[23] == std::byte{6} &&
                              (frame[47] & std::byte{0x12}) == std::byte{0x12};
      return direction == 0 || !is_syn_ack || ++answers % 2 == 0;
    };
  }
  const SocketId client = *pair.a.core.connect(pair.now, pair.options);
  pair.run(lossy ? 5s : 300ms);
  REQUIRE(pair.a.core.write(pair.now, client, noise(5'000)) == 5'000);
  pair.run(lossy ? 5s : 300ms);
  const CoreStats& stats = pair.b.core.stats();
  CHECK(stats.tcp.syn_cookies_sent >= 1);
  CHECK(stats.tcp.syn_cookies_accepted == 1);
  CHECK(stats.mptcp.joins_kept_aside == 1);
  CHECK(stats.mptcp.mp_join_ack_hmac_failure == 0);
  const auto server = pair.b.core.accept(pair.listener);
  REQUIRE(server);
  const auto info = pair.b.core.info(*server);
  CHECK(info->multipath);
  CHECK(info->subflows.size() == 2);
  CHECK(pair.b.core.readable(*server) == 5'000);
}

}  // namespace
}  // namespace mptcp::test
