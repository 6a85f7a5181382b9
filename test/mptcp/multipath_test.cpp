#include <catch2/catch.hpp>

#include "test/mptcp/multipath_pair.hpp"

namespace mptcp::test {
namespace {

using namespace std::chrono_literals;
using Kind = Event::Kind;

TEST_CASE("two hosts with two ports use both for one connection", "[mptcp][core][rfc8684-3.2]") {
  MultipathPair pair;
  Opened opened(pair);
  const auto info = pair.a.core.info(opened.client);
  REQUIRE(info);
  CHECK(info->multipath);
  CHECK(info->subflows.size() == 2);
  CHECK(opened.up(3'000'000));
  CHECK(opened.down(3'000'000));
  CHECK(pair.carried[0] > 1'000'000);
  CHECK(pair.carried[1] > 1'000'000);
}

/// Octets of TCP's payload in a frame of IPv4.
std::size_t payload_of(const std::vector<std::byte>& frame) {
  const std::size_t tcp = 14 + 20;
  return frame.size() - tcp - (static_cast<std::size_t>(frame[tcp + 12]) >> 4) * 4;
}

TEST_CASE("the first octets go by one path until some are acknowledged", "[mptcp][schedule]") {
  CoreConfig config = MultipathPair::multipath();
  config.mptcp.scheduler =
      GENERATE(SchedulerKind::MinRtt, SchedulerKind::RoundRobin, SchedulerKind::Redundant,
               SchedulerKind::Blest, SchedulerKind::Ecf);
  MultipathPair pair(2, config, config);
  Opened opened(pair);
  REQUIRE(pair.b.core.info(opened.server)->subflows.size() == 2);
  std::array<std::size_t, 2> sent{};
  pair.box = [&](int direction, std::size_t path, const std::vector<std::byte>& frame) {
    if (direction == 1) sent[path] += payload_of(frame);
    return true;
  };
  const auto octets = noise(1'000'000);
  pair.b.core.write(pair.now, opened.server, std::span(octets).first(4'000));
  pair.run(500us);
  pair.b.core.write(pair.now, opened.server, std::span(octets).subspan(4'000));
  pair.run(1ms);
  CHECK(sent[0] + sent[1] > 10'000);
  CHECK(std::min(sent[0], sent[1]) == 0);
  pair.run(20ms);
  CHECK(std::min(sent[0], sent[1]) > 20'000);
}

TEST_CASE("an announcement does not wait until there is nothing to send",
          "[mptcp][path][rfc8684-3.4.1]") {
  MultipathPair pair;
  const SocketId listener = *pair.b.core.listen(*Endpoint::parse("0.0.0.0:80"));
  const SocketId client = *pair.a.core.connect(
      pair.now, {.remote = *Endpoint::parse("10.0.0.2:80"), .local = {}, .tcp = {}});
  const auto octets = noise(1'000'000);
  std::optional<SocketId> server;
  // The server has data to send in every turn, and the client asks first.
  pair.a.core.write(pair.now, client, std::span(octets).first(100));
  for (int turn = 0; turn < 400; ++turn) {
    if (!server) server = pair.b.core.accept(listener);
    if (server) pair.b.core.write(pair.now, *server, octets);
    pair.run(1ms);
    while (pair.a.core.read_packet(pair.now, client)) {
    }
  }
  REQUIRE(server);
  CHECK(pair.a.core.info(client)->subflows.size() == 2);
}

TEST_CASE("both ends close, and nothing remains", "[mptcp][core][rfc8684-3.3.3]") {
  MultipathPair pair;
  Opened opened(pair);
  REQUIRE(opened.up(100'000));
  pair.a.core.shutdown(pair.now, opened.client);
  pair.run(100ms);
  CHECK(pair.b.core.at_end_of_stream(opened.server));
  CHECK(opened.down(100'000));
  pair.b.core.close(pair.now, opened.server);
  pair.run(100ms);
  CHECK(pair.a.core.at_end_of_stream(opened.client));
  CHECK(pair.a.core.info(opened.client)->state == "TIME-WAIT");
  pair.a.core.close(pair.now, opened.client);
  pair.run(200s);
  CHECK(pair.a.core.connection_count() == 0);
  CHECK(pair.b.core.connection_count() == 0);
  CHECK(pair.a.pool.available() == pair.a.pool.capacity());
}

TEST_CASE("either path may die in the middle", "[mptcp][core][rfc8684-3.3.6]") {
  MultipathPair pair;
  Opened opened(pair);
  const std::size_t victim = GENERATE(0U, 1U);
  REQUIRE(opened.up(500'000));
  pair.dead[victim] = true;
  const Instant before = pair.now;
  CHECK(opened.up(500'000));
  CHECK(opened.down(500'000));
  CHECK(pair.now - before < 5s);
  // Both sides have had a timeout on it since.
  CHECK(pair.a.core.info(opened.client)->subflows[victim].stale);
  CHECK(pair.b.core.info(opened.server)->subflows[victim].stale);
  CHECK(pair.a.core.stats().mptcp.subflow_stale == 1);
  pair.dead[victim] = false;
  pair.run(5s);
  CHECK(pair.a.core.stats().mptcp.subflow_recover == 1);
  CHECK_FALSE(pair.a.core.info(opened.client)->subflows[victim].stale);
  const auto carried = pair.carried[victim];
  // The other path's window has grown meanwhile, and stays over the idle time.
  CHECK(opened.up(4'000'000));
  CHECK(pair.carried[victim] > carried + 500'000);
}

TEST_CASE("a peer without MPTCP is served as TCP", "[mptcp][fallback][rfc8684-3.7]") {
  const bool client_speaks = GENERATE(true, false);
  MultipathPair pair(2, client_speaks ? MultipathPair::multipath() : CoreConfig{},
                     client_speaks ? CoreConfig{} : MultipathPair::multipath());
  Opened opened(pair);
  CHECK_FALSE(pair.a.core.info(opened.client)->multipath);
  CHECK_FALSE(pair.b.core.info(opened.server)->multipath);
  CHECK(opened.up(300'000));
  CHECK(opened.down(300'000));
  pair.a.core.shutdown(pair.now, opened.client);
  pair.run(100ms);
  CHECK(pair.b.core.at_end_of_stream(opened.server));
  pair.b.core.close(pair.now, opened.server);
  pair.run(100ms);
  pair.a.core.close(pair.now, opened.client);
  pair.run(200s);
  CHECK(pair.a.core.connection_count() == 0);
  CHECK(pair.b.core.connection_count() == 0);
}

TEST_CASE("an abort ends the connection on every path", "[mptcp][core][rfc8684-3.5]") {
  MultipathPair pair;
  Opened opened(pair);
  REQUIRE(opened.up(10'000));
  MultipathPair::events(pair.b);
  pair.a.core.abort(pair.now, opened.client);
  pair.run(100ms);
  const auto events = MultipathPair::events(pair.b);
  REQUIRE(events.size() == 1);
  CHECK(events[0].kind == Kind::Closed);
  CHECK(events[0].reason == tcp::CloseReason::Reset);
  CHECK(pair.b.core.stats().mptcp.mp_fastclose_rx == 1);
  pair.b.core.close(pair.now, opened.server);
  pair.run(1s);
  CHECK(pair.a.core.connection_count() == 0);
  CHECK(pair.b.core.connection_count() == 0);
}

TEST_CASE("a lost third segment is made good by what follows", "[mptcp][handshake][rfc8684-3.1]") {
  MultipathPair pair;
  const bool with_data = GENERATE(true, false);
  int from_client = 0;
  pair.box = [&](int direction, std::size_t path, std::vector<std::byte>& frame) {
    const bool is_tcp = frame.size() > 54 && frame[23] == std::byte{6};
    return !(direction == 0 && path == 0 && is_tcp && ++from_client == 2);
  };
  const SocketId listener = *pair.b.core.listen(*Endpoint::parse("0.0.0.0:80"));
  const SocketId client = *pair.a.core.connect(
      pair.now, {.remote = *Endpoint::parse("10.0.0.2:80"), .local = {}, .tcp = {}});
  pair.run(10ms);
  if (with_data) pair.a.core.write(pair.now, client, noise(5'000));
  pair.run(5s);
  const auto server = pair.b.core.accept(listener);
  REQUIRE(server);
  CHECK(pair.b.core.info(*server)->multipath);
  CHECK(pair.b.core.readable(*server) == (with_data ? 5'000 : 0));
  CHECK(pair.a.core.info(client)->subflows.size() == 2);
}

TEST_CASE("a connection without a path lives on for a time", "[mptcp][core][rfc8684-3.3.3]") {
  CoreConfig config = MultipathPair::multipath();
  config.tcp.user_timeout = 2s;
  config.mptcp.close_timeout = GENERATE(30s, 3s);
  MultipathPair pair(2, config, config);
  Opened opened(pair);
  REQUIRE(opened.up(100'000));
  MultipathPair::events(pair.a);
  pair.dead[0] = pair.dead[1] = true;
  pair.a.core.write(pair.now, opened.client, noise(1'000));
  pair.run(10s);
  pair.dead[0] = pair.dead[1] = false;
  pair.run(10s);
  const auto events = MultipathPair::events(pair.a);
  const bool closed = std::any_of(events.begin(), events.end(), [](const Event& event) {
    return event.kind == Kind::Closed && event.reason == tcp::CloseReason::TimedOut;
  });
  CHECK(closed == (config.mptcp.close_timeout == 3s));
  CHECK(pair.b.core.readable(opened.server) == (closed ? 0 : 1'000));
}

TEST_CASE("octets by reference travel on every path", "[mptcp][core]") {
  MultipathPair pair;
  Opened opened(pair);
  const auto mine = noise(1'000'000);
  std::size_t written = 0;
  std::vector<std::byte> got;
  for (int i = 0; i < 5'000 && got.size() < mine.size(); ++i) {
    written +=
        pair.a.core.write_reference(pair.now, opened.client, std::span(mine).subspan(written));
    pair.run(1ms);
    while (Packet packet = pair.b.core.read_packet(pair.now, opened.server))
      got.insert(got.end(), packet.data().begin(), packet.data().end());
  }
  CHECK(got == mine);
  pair.run(500ms);
  CHECK(pair.a.core.info(opened.client)->bytes_acked == mine.size());
}

TEST_CASE("what may be written is what all paths send in three round trips of the longest",
          "[mptcp][core][rfc8684-3.3.5]") {
  MultipathPair pair;
  pair.delay = {2ms, 20ms};
  Opened opened(pair);
  REQUIRE(opened.up(500'000));
  pair.run(1s);
  const auto info = pair.a.core.info(opened.client);
  REQUIRE(info);
  REQUIRE(info->subflows.size() == 2);
  double per_second = 0;
  double longest = 0;
  for (const SubflowInfo& path : info->subflows) {
    const double rtt = std::chrono::duration<double>(path.srtt).count();
    per_second += static_cast<double>(path.cwnd) / rtt;
    longest = std::max(longest, rtt);
  }
  CHECK(longest > 0.04);
  // The RFC has two: that is before a loss on the longest path is acknowledged.
  const double rule = 3 * per_second * longest;
  const std::vector<std::byte> more(64UL << 20);
  const auto taken = static_cast<double>(pair.a.core.write(pair.now, opened.client, more));
  CHECK(taken > 0.99 * rule);
  CHECK(taken < 1.01 * rule);
}

}  // namespace
}  // namespace mptcp::test
