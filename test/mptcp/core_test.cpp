#include <catch2/catch.hpp>

#include "test/mptcp/core_pair.hpp"

namespace mptcp::test {
namespace {

using namespace std::chrono_literals;
using Kind = Event::Kind;

Endpoint at(const char* text) { return *Endpoint::parse(text); }

std::vector<std::byte> read_all(Core& core, Instant now, SocketId socket) {
  std::vector<std::byte> out;
  while (Packet packet = core.read_packet(now, socket))
    out.insert(out.end(), packet.data().begin(), packet.data().end());
  return out;
}

TEST_CASE("two cores open, transfer both ways and close", "[mptcp][core]") {
  CorePair pair;
  const char* address = GENERATE("10.0.0.2:80", "[fd00::2]:80");
  const SocketId listener = *pair.b.core.listen(at("[::]:80"));
  const SocketId client =
      *pair.a.core.connect(pair.now, {.remote = at(address), .local = {}, .tcp = {}});
  pair.run(10ms);
  const auto events = CorePair::events(pair.a);
  REQUIRE(events.size() == 1);
  CHECK(events[0].kind == Kind::Connected);
  const auto server = pair.b.core.accept(listener);
  REQUIRE(server);
  CHECK_FALSE(pair.b.core.accept(listener));

  const auto request = pattern(100'000);
  std::size_t written = 0;
  std::vector<std::byte> got;
  for (int i = 0; i < 1'000 && got.size() < request.size(); ++i) {
    written += pair.a.core.write(pair.now, client, std::span(request).subspan(written));
    pair.run(1ms);
    const auto more = read_all(pair.b.core, pair.now, *server);
    got.insert(got.end(), more.begin(), more.end());
  }
  CHECK(got == request);
  pair.b.core.write(pair.now, *server, pattern(5));
  pair.b.core.close(pair.now, *server);
  pair.run(10ms);
  CHECK(pair.a.core.readable(client) == 5);
  read_all(pair.a.core, pair.now, client);
  CHECK(pair.a.core.at_end_of_stream(client));
  pair.a.core.close(pair.now, client);
  pair.run(200s);
  CHECK(pair.a.core.connection_count() == 0);
  CHECK(pair.b.core.connection_count() == 0);
}

TEST_CASE("a port where nobody listens refuses", "[mptcp][core][rfc9293-3.10.7.1]") {
  CorePair pair;
  const SocketId client =
      *pair.a.core.connect(pair.now, {.remote = at("10.0.0.2:81"), .local = {}, .tcp = {}});
  pair.run(10ms);
  const auto events = CorePair::events(pair.a);
  REQUIRE(events.size() == 1);
  CHECK(events[0].kind == Kind::Closed);
  CHECK(events[0].reason == tcp::CloseReason::Refused);
  pair.a.core.close(pair.now, client);
  pair.run(1ms);
  CHECK(pair.a.core.connection_count() == 0);
}

TEST_CASE("a host that is not there is unreachable", "[mptcp][core]") {
  CorePair pair;
  static_cast<void>(
      *pair.a.core.connect(pair.now, {.remote = at("10.0.0.9:81"), .local = {}, .tcp = {}}));
  pair.run(10s);
  const auto events = CorePair::events(pair.a);
  REQUIRE(events.size() == 1);
  CHECK(events[0].reason == tcp::CloseReason::Unreachable);
}

/// Eight attempts whose answers are lost fill the smallest table of b, and nobody will complete
/// them.
void fill_syn_table(CorePair& pair, SocketId listener, const Core::ConnectOptions& options) {
  static_cast<void>(*pair.a.core.connect(pair.now, options));
  pair.run(1ms);  // Both know each other's Ethernet address now.
  REQUIRE(pair.b.core.accept(listener));
  pair.drop = [](int direction) { return direction == 1; };
  for (int i = 0; i < 8; ++i) {
    const SocketId lost = *pair.a.core.connect(pair.now, options);
    pair.exchange();
    pair.a.core.abort(pair.now, lost);
  }
  pair.drop = nullptr;
}

TEST_CASE("with a full SYN table cookies still open connections", "[mptcp][core][rfc4987-3.6]") {
  CoreConfig config;
  config.syn_table_size = 1;
  CorePair pair(config);
  const SocketId listener = *pair.b.core.listen(at("0.0.0.0:80"));
  const Core::ConnectOptions options{.remote = at("10.0.0.2:80"), .local = {}, .tcp = {}};
  fill_syn_table(pair, listener, options);
  for (int i = 0; i < 8; ++i)
    static_cast<void>(*pair.a.core.connect(pair.now, options));
  pair.run(10ms);
  CHECK(pair.b.core.stats().tcp.syn_cookies_sent == 8);
  CHECK(pair.b.core.stats().tcp.syn_cookies_refused == 0);
  CHECK(pair.b.core.stats().tcp.syn_cookies_accepted == 8);
  int accepted = 0;
  std::optional<SocketId> last;
  while (auto socket = pair.b.core.accept(listener)) {
    ++accepted;
    last = socket;
  }
  CHECK(accepted == 8);
  const auto info = pair.b.core.info(*last);
  REQUIRE(info);
  CHECK(info->state == "ESTABLISHED");
}

TEST_CASE("a segment behind the one that proves a cookie is no reason for a reset",
          "[mptcp][core][rfc4987-3.6]") {
  CoreConfig config;
  config.syn_table_size = 1;
  CorePair pair(config);
  const SocketId listener = *pair.b.core.listen(at("0.0.0.0:80"));
  const Core::ConnectOptions options{.remote = at("10.0.0.2:80"), .local = {}, .tcp = {}};
  fill_syn_table(pair, listener, options);
  // The third segment and the first octets are lost; the FIN behind them comes.
  const SocketId client = *pair.a.core.connect(pair.now, options);
  int seen = 0;
  pair.drop = [&](int direction) { return direction == 0 && ++seen > 1 && seen < 4; };
  pair.run(1ms);
  constexpr std::array<std::byte, 3> kOctets{};
  REQUIRE(pair.a.core.write(pair.now, client, kOctets) == 3);
  pair.run(1ms);
  pair.a.core.close(pair.now, client);
  pair.run(1ms);
  CHECK(pair.b.core.stats().tcp.syn_cookies_refused == 1);
  pair.run(3s);
  const auto server = pair.b.core.accept(listener);
  REQUIRE(server);
  CHECK(pair.b.core.readable(*server) == 3);
}

TEST_CASE("ten thousand connections leave nothing behind", "[mptcp][core]") {
  CoreConfig config;
  config.tcp.time_wait = 1s;
  CorePair pair(config);
  const SocketId listener = *pair.b.core.listen(at("10.0.0.2:80"));
  for (int i = 0; i < 10'000; ++i) {
    const SocketId client =
        *pair.a.core.connect(pair.now, {.remote = at("10.0.0.2:80"), .local = {}, .tcp = {}});
    pair.run(100us);
    const auto server = pair.b.core.accept(listener);
    REQUIRE(server);
    pair.a.core.write(pair.now, client, pattern(100));
    pair.run(10us);
    CHECK(read_all(pair.b.core, pair.now, *server).size() == 100);
    pair.b.core.close(pair.now, *server);
    pair.a.core.close(pair.now, client);
    CorePair::events(pair.a);
    CorePair::events(pair.b);
  }
  pair.run(10s);
  CHECK(pair.a.core.connection_count() == 0);
  CHECK(pair.b.core.connection_count() == 0);
  CHECK(pair.a.pool.available() == pair.a.pool.capacity());
}

TEST_CASE("an old port may be used again when the server waits in TIME-WAIT",
          "[mptcp][core][rfc6191-2]") {
  CorePair pair;
  const SocketId listener = *pair.b.core.listen(at("10.0.0.2:80"));
  for (int i = 0; i < 3; ++i) {
    const auto client = pair.a.core.connect(
        pair.now, {.remote = at("10.0.0.2:80"), .local = at("10.0.0.1:5000"), .tcp = {}});
    REQUIRE(client);
    pair.run(10ms);
    const auto server = pair.b.core.accept(listener);
    REQUIRE(server);
    pair.b.core.close(pair.now, *server);  // The server closes first and keeps TIME-WAIT.
    pair.run(10ms);
    pair.a.core.close(pair.now, *client);
    pair.run(10ms);
  }
  CHECK(pair.b.core.stats().tcp.time_wait_reused == 2);
}

}  // namespace
}  // namespace mptcp::test
