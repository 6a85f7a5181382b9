#include <catch2/catch.hpp>

#include "test/mptcp/multipath_pair.hpp"
#include "test/mptcp/opening.hpp"

// What a slow path may not cost a fast one.

namespace mptcp::test {
namespace {

using namespace std::chrono_literals;

/// A window so small that what a slow path holds fills it.
CoreConfig narrow() {
  CoreConfig config = MultipathPair::multipath();
  config.tcp.receive_buffer_initial = config.tcp.receive_buffer_max = 100'000;
  return config;
}

struct Outcome {
  Duration took{};
  CoreStats stats;
  std::uint64_t late_penalties = 0;  ///< When the delays are known.
};

/// An upload over a path of 1 ms and one that becomes slow; perhaps as if both waited in a queue.
Outcome upload(const Config& mptcp, Duration queued = 0ms) {
  CoreConfig sender = MultipathPair::multipath();
  sender.mptcp = mptcp;
  sender.mptcp.enabled = true;
  sender.mptcp.scheduler = SchedulerKind::RoundRobin;  // Which does not avoid the slow one.
  MultipathPair pair(2, sender, narrow());
  pair.delay[1] = 5ms;
  Opened opened(pair);
  CHECK(opened.up(500'000));
  pair.delay[0] += queued;
  pair.delay[1] = queued > 0ms ? pair.delay[1] + queued : 100ms;
  const Instant start = pair.now;
  CHECK(opened.up(2'000'000));
  const auto at_first = pair.a.core.stats().mptcp.penalties;
  CHECK(opened.up(2'000'000));
  const auto later = pair.a.core.stats().mptcp.penalties - at_first;
  return {pair.now - start, pair.a.core.stats(), later};
}

TEST_CASE("a fast path sends again what a slow one keeps it waiting for", "[mptcp][stall]") {
  Config off;
  off.opportunistic_retransmission = off.penalisation = false;
  Config on = off;
  on.opportunistic_retransmission = true;
  const Outcome without = upload(off);
  const Outcome with = upload(on);
  CHECK(without.stats.mptcp.opportunistic == 0);
  CHECK(with.stats.mptcp.opportunistic > 0);
  CHECK(with.stats.mptcp.mptcp_retrans >= with.stats.mptcp.opportunistic);
  CHECK(2 * with.took < without.took);
}

TEST_CASE("a slow path that fills a queue and the window is given less", "[mptcp][stall]") {
  Config off;
  off.opportunistic_retransmission = off.penalisation = false;
  Config on = off;
  on.penalisation = true;  // Alone, or the stalls are over before the delay is known.
  CHECK(upload(off).stats.mptcp.penalties == 0);
  CHECK(upload(on).stats.mptcp.penalties > 0);
}

TEST_CASE("a slow path in the same queue as the fast one keeps its window", "[mptcp][stall]") {
  Config on;
  on.opportunistic_retransmission = false;
  CHECK(upload(on, 50ms).late_penalties == 0);
  CHECK(upload(on).late_penalties > 0);
}

TEST_CASE("the window grows to what waits behind a hole", "[mptcp][stall][rfc8684-3.3.5]") {
  CoreConfig config = MultipathPair::multipath();
  config.tcp.receive_buffer_initial = 64'000;
  MultipathPair pair(2, MultipathPair::multipath(), config);
  pair.delay[1] = 100ms;
  Opened opened(pair);
  CHECK(opened.up(3'000'000));
  CHECK(pair.a.core.info(opened.client)->snd_wnd > 500'000);
}

TEST_CASE("a join announces the window as the connection does", "[mptcp][stall][rfc8684-3.3.1]") {
  // The listener's buffers are smaller than those of its core, and so is its window scale.
  tcp::Config small;
  small.receive_buffer_initial = small.receive_buffer_max = 200'000;
  MultipathPair pair;
  const SocketId listener = *pair.b.core.listen(*Endpoint::parse("0.0.0.0:80"), small);
  const SocketId client = *pair.a.core.connect(
      pair.now, {.remote = *Endpoint::parse("10.0.0.2:80"), .local = {}, .tcp = {}});
  pair.run(200ms);
  const SocketId server = *pair.b.core.accept(listener);
  const auto octets = noise(100'000);
  REQUIRE(pair.a.core.write(pair.now, client, octets) == octets.size());
  pair.run(200ms);
  while (pair.b.core.read_packet(pair.now, server)) {
  }
  pair.run(200ms);
  REQUIRE(pair.a.core.info(client)->subflows.size() == 2);
  CHECK(pair.a.core.info(client)->snd_wnd <= small.receive_buffer_max);
}

/// Where in the data stream the segments of an upload began, and how much they carried.
class Cuts {
 public:
  void add(std::vector<std::byte>& frame) {
    Opening segment(frame);
    const std::size_t place = segment.mapped_dsn();
    if (!segment.has_payload() || place == 0) return;
    const auto dsn = dataplane::load_be<std::uint64_t>(&frame[place]);
    const auto mapped_at = dataplane::load_be<std::uint32_t>(&frame[place + 8]);
    const auto seq = dataplane::load_be<std::uint32_t>(&frame[Opening::kTcp + 4]);
    const std::size_t path = std::to_integer<std::size_t>(frame[Opening::kIp + 14]);
    if (!origin_.contains(path)) origin_[path] = seq - mapped_at;
    const std::uint64_t begin = dsn + (seq - origin_[path] - mapped_at);
    const std::uint64_t length = segment.end() - segment.payload();
    const auto after = ends_.upper_bound(begin);
    if (after != ends_.begin() && std::prev(after)->first != begin &&
        std::prev(after)->second > begin)
      ++inside;
    auto& end = ends_[begin];
    end = std::max(end, begin + length);
    longest_ = std::max(longest_, length);
    if (length < longest_) ++small;
    ++segments;
  }

  int segments = 0;
  int small = 0;
  int inside = 0;  ///< Began in the middle of what another had carried.

 private:
  std::map<std::size_t, std::uint32_t> origin_;  ///< Of the mappings' subflow sequence numbers.
  std::map<std::uint64_t, std::uint64_t> ends_;
  std::uint64_t longest_ = 0;
};

TEST_CASE("what goes again is cut where it was cut before", "[mptcp][stall]") {
  // A peer may keep what overlaps twice, and a small segment in as much memory as a large one.
  CoreConfig sender = MultipathPair::multipath();
  sender.mptcp.scheduler = SchedulerKind::RoundRobin;
  MultipathPair pair(4, sender, narrow());
  Opened opened(pair);
  Cuts cuts;
  pair.box = [&](int direction, std::size_t, std::vector<std::byte>& frame) {
    if (direction == 0) cuts.add(frame);
    return true;
  };
  pair.delay = {1ms, 10ms, 20ms, 40ms};
  CHECK(opened.up(4'000'000));
  CHECK(pair.a.core.stats().mptcp.opportunistic > 0);
  CHECK(cuts.segments > 2'000);
  CHECK(cuts.inside == 0);
  CHECK(50 * cuts.small < cuts.segments);
}

TEST_CASE("nothing waits behind a device that is full", "[mptcp][stall]") {
  MultipathPair pair;
  Opened opened(pair);
  const auto octets = noise(2'000'000);
  std::size_t written = 0;
  std::vector<std::byte> got;
  std::size_t most = 0;
  pair.held[1] = true;
  for (int i = 0; i < 500 && got.size() < octets.size(); ++i) {
    written += pair.a.core.write(pair.now, opened.client, std::span(octets).subspan(written));
    pair.run(1ms);
    most = std::max(most, pair.a.core.tx_queue(PortIndex{1}).size());
    // The device takes some frames now and then.
    if (i % 20 == 19) {
      pair.held[1] = false;
      pair.run(1ms);
      pair.held[1] = true;
    }
    while (Packet packet = pair.b.core.read_packet(pair.now, opened.server))
      got.insert(got.end(), packet.data().begin(), packet.data().end());
  }
  CHECK(got == octets);
  CHECK(most > 0);
  CHECK(most <= 64);
}

TEST_CASE("what a subflow holds whose window stays closed goes by another",
          "[mptcp][core][rfc8684-3.3.6]") {
  // With it, what waits would go again before the data level's timer finds it.
  CoreConfig config = MultipathPair::multipath();
  config.mptcp.opportunistic_retransmission = false;
  MultipathPair pair(2, config);
  Opened opened(pair);
  REQUIRE(opened.up(100'000));
  // From the middle of the transfer on no acknowledgment of the second path has a window for TCP.
  const std::uint64_t before = pair.carried[1];
  pair.box = [&](int direction, std::size_t path, std::vector<std::byte>& frame) {
    Opening segment(frame);
    if (direction == 0 || path != 1 || !segment.is_tcp() || pair.carried[1] < before + 200'000)
      return true;
    dataplane::store_be(&frame[Opening::kTcp + 14], std::uint16_t{0});
    segment.seal();
    return true;
  };
  CHECK(opened.up(4'000'000));
}

TEST_CASE("of many pieces that the peer dropped after TCP took them, a timeout brings all",
          "[mptcp][stall][rfc8684-3.3.6]") {
  CoreConfig wide = MultipathPair::multipath();
  wide.tcp.receive_buffer_initial = wide.tcp.receive_buffer_max = 8'000'000;
  MultipathPair pair(2, MultipathPair::multipath(), wide);
  Opened opened(pair);
  REQUIRE(opened.up(2'000'000));
  // A mapping far beyond the window: what it covers is acknowledged by TCP, and thrown away.
  constexpr int kSpoilt = 400;
  int spoilt = 0;
  pair.box = [&](int direction, std::size_t, std::vector<std::byte>& frame) {
    Opening segment(frame);
    const std::size_t dsn = segment.mapped_dsn();
    if (direction != 0 || !segment.has_payload() || dsn == 0 || spoilt == kSpoilt) return true;
    ++spoilt;
    frame[dsn + 2] ^= std::byte{1};
    segment.seal();
    return true;
  };
  const Instant start = pair.now;
  CHECK(opened.up(2'000'000));
  CHECK(spoilt == kSpoilt);
  CHECK(pair.now - start < 1s);
}

}  // namespace
}  // namespace mptcp::test
