#include "dataplane/tcp/rack.hpp"

#include <set>

#include <catch2/catch.hpp>

#include "dataplane/base/rng.hpp"
#include "test/dataplane/tcp/scripted_peer.hpp"

namespace dataplane::tcp::test {
namespace {

constexpr std::uint32_t kMss = 1'460;
/// For what may only be late: a quarter of the shortest round trip, the handshake's 10 ms.
constexpr Duration kPatience = 3ms;

/// Ten full segments in flight, sent `apart`, to a peer that has SACK and a round trip of 40 ms.
struct Flight {
  explicit Flight(Duration apart = 0ns, bool has_lost = false) {
    peer.connection->write(pattern(kMss));
    peer.all_sent();
    peer.now += 40ms;
    acknowledge(1);
    if (has_lost) lose_one();
    for (int i = 0; i < 10; ++i, peer.now += apart) {
      peer.connection->write(pattern(kMss));
      REQUIRE(peer.all_sent().size() == 1);
    }
    peer.now += 40ms - 10 * apart;
  }
  /// Of the ten: 0 is the first.
  SeqNum at(std::uint32_t segment) const { return SeqNum(101) + (first + segment) * kMss; }
  /// All before the ten, and of these one less than `segments`.
  void acknowledge(std::uint32_t segments) {
    peer.next.options = {};
    peer.next.ack = SeqNum(101) + (first - 1 + segments) * kMss;
    peer.receive();
  }
  /// Some flights, and a loss in the last of them.
  void lose_one() {
    for (const std::uint32_t count : {10U, 16U}) {
      peer.connection->write(pattern(count * kMss));
      REQUIRE(peer.all_sent().size() == count);
      peer.now += 40ms;
      if (count == 10) acknowledge(1 + count);
      if (count == 10) first += count;
    }
    sack(1, 16);
    wait(kPatience);
    REQUIRE(sent_again() == std::set<std::uint32_t>{0});
    peer.now += 40ms;
    first += 16;
    acknowledge(1);
    bench.stats = {};
  }
  void sack(std::uint32_t from, std::uint32_t to) {
    peer.next.options = {};
    peer.next.options.add_sack({at(from), at(to)});
    peer.receive();
  }
  void report_duplicate(std::uint32_t segment) {
    peer.next.options = {};
    peer.next.options.add_sack({at(segment), at(segment + 1)});
    peer.receive();
  }
  std::set<std::uint32_t> sent_again() {
    std::set<std::uint32_t> out;
    for (const auto& segment : peer.all_sent())
      out.insert(static_cast<std::uint32_t>((segment.header.seq - at(0)) / kMss));
    return out;
  }
  /// Until the timers are still for `span`.
  void wait(Duration span) { peer.pass(span); }

  Bench bench;
  ScriptedPeer peer{bench, syn_with({.sack = true})};
  std::uint32_t first = 1;  ///< Of the ten: so many were sent before.
};

using Segments = std::set<std::uint32_t>;

}  // namespace

TEST_CASE("a segment is lost when one that was sent later has arrived a reordering window ago",
          "[tcp][rack][rfc8985-6.2]") {
  Flight flight;
  flight.sack(1, 2);
  // It may be late: a quarter of the shortest round trip, the handshake's 10 ms, decides.
  CHECK(flight.sent_again().empty());
  flight.wait(2ms);
  CHECK(flight.sent_again().empty());
  flight.wait(1ms);
  CHECK(flight.sent_again() == Segments{0});
  CHECK(flight.bench.stats.timeouts == 0);
}

TEST_CASE("the first hole of a connection may be late, whatever came behind it",
          "[tcp][rack][rfc8985-6.2]") {
  Flight flight;
  flight.sack(2, 5);
  CHECK(flight.sent_again().empty());
  SECTION("it is") {
    flight.acknowledge(6);
    flight.wait(20ms);
    CHECK(flight.sent_again().empty());
    CHECK(flight.bench.stats.fast_recoveries == 0);
  }
  SECTION("it is not") {
    flight.wait(kPatience);
    CHECK(flight.sent_again().count(0) == 1);
  }
}

TEST_CASE("so much that is missing at once is not late", "[tcp][rack][rfc8985-6.2]") {
  Flight flight;
  flight.sack(4, 7);
  CHECK(flight.sent_again().count(0) == 1);
}

TEST_CASE("without reordering three segments are proof enough", "[tcp][rack][rfc8985-6.2]") {
  Flight flight(0ns, true);
  flight.sack(2, 5);
  CHECK(flight.sent_again() == Segments{0, 1});
}

TEST_CASE("once something was lost and nothing reordered three segments are proof enough",
          "[tcp][rack][rfc8985-6.2]") {
  Rack rack;
  CHECK(rack.reorder_window(40ms, 50ms, true) == 10ms);
  rack.on_recovery_end(false);  // It was a mistake.
  CHECK(rack.reorder_window(40ms, 50ms, true) == 10ms);
  rack.on_recovery_end(true);
  CHECK(rack.reorder_window(40ms, 50ms, true) == 0ms);
  CHECK(rack.reorder_window(40ms, 50ms, false) == 10ms);
  rack.on_reordering();
  CHECK(rack.reorder_window(40ms, 50ms, true) == 10ms);
}

TEST_CASE("what is late may have met the longest queue of two round trips",
          "[tcp][rack][rfc8985-6.2]") {
  Rack rack;
  rack.on_delivered(Instant(1s), SeqNum(1), 45ms);
  rack.on_delivered(Instant(1s) + 40ms, SeqNum(2), 41ms);
  CHECK(rack.reorder_window(40ms, 42ms, true) == 14ms);
  for (std::uint32_t i = 2; i < 5; ++i)
    rack.on_delivered(Instant(1s) + i * 50ms, SeqNum(i + 1), 41ms);
  CHECK(rack.reorder_window(40ms, 42ms, true) == 10ms);
}

TEST_CASE("what was sent after the last that arrived is not lost", "[tcp][rack][rfc8985-6.2]") {
  Flight flight(1ms, true);
  flight.sack(1, 5);
  CHECK(flight.sent_again() == Segments{0});
  flight.wait(30ms);
  CHECK(flight.sent_again().empty());
}

TEST_CASE("a lost retransmission is found by what was sent after it", "[tcp][rack][rfc8985-6.2]") {
  Flight flight(0ns, true);
  flight.sack(1, 4);
  CHECK(flight.sent_again() == Segments{0});
  flight.sack(4, 6);
  flight.peer.connection->write(pattern(4 * kMss));
  flight.peer.now += 1ms;
  CHECK_FALSE(flight.sent_again().empty());  // New ones, a millisecond after the retransmission.
  flight.peer.now += 40ms;
  flight.sack(4, 12);
  flight.wait(11ms);
  CHECK(flight.sent_again().count(0) == 1);
  CHECK(flight.bench.stats.timeouts == 0);
}

TEST_CASE("once segments came out of order, a late one gets a quarter of a round trip",
          "[tcp][rack][rfc8985-6.2]") {
  Flight flight;
  flight.sack(1, 2);
  flight.acknowledge(3);  // 0 was only late.
  CHECK(flight.sent_again().empty());
  flight.sack(4, 8);  // 2 and 3 are missing; four others are no proof any more.
  CHECK(flight.sent_again().empty());
  flight.acknowledge(9);
  CHECK(flight.sent_again().empty());
  CHECK(flight.bench.stats.fast_recoveries == 0);
  CHECK(flight.bench.stats.segments_retransmitted == 0);
}

TEST_CASE("reported duplicates widen the reordering window, up to a round trip",
          "[tcp][rack][rfc8985-6.2]") {
  Rack rack;
  rack.on_reordering();
  Duration last{};
  for (std::uint32_t i = 1; i <= 10; ++i) {
    const Duration window = rack.reorder_window(40ms, 50ms, true);
    CHECK(window >= last);
    CHECK(window <= 50ms);
    last = window;
    rack.on_duplicate_reported(SeqNum(i * 1'000), SeqNum(i * 1'000 + 500));
    const Duration once = rack.reorder_window(40ms, 50ms, true);
    rack.on_duplicate_reported(SeqNum(i * 1'000 + 100), SeqNum(i * 1'000 + 600));
    CHECK(rack.reorder_window(40ms, 50ms, true) == once);  // Once for each round trip.
  }
  CHECK(last == 50ms);
  for (int i = 0; i < 16; ++i)
    rack.on_recovery_end(true);
  CHECK(rack.reorder_window(40ms, 50ms, true) == 10ms);
}

TEST_CASE("the lost end of a flight is sent again before the timer", "[tcp][rack][rfc8985-7.2]") {
  Flight flight;
  flight.acknowledge(8);  // The last three are lost.
  CHECK(flight.sent_again().empty());
  flight.wait(100ms);
  CHECK(flight.sent_again() == Segments{9});
  CHECK(flight.bench.stats.tail_probes == 1);
  flight.peer.now += 40ms;
  flight.sack(9, 10);
  flight.wait(15ms);
  CHECK(flight.sent_again().count(7) == 1);
  CHECK(flight.bench.stats.timeouts == 0);
}

TEST_CASE("a tail probe is new data if there is any", "[tcp][rack][rfc8985-7.3]") {
  Bench bench;
  ScriptedPeer peer(bench, syn_with({.sack = true}));
  peer.connection->write(pattern(20 * kMss));
  const std::size_t flight = peer.all_sent().size();
  peer.now += 40ms;
  peer.next.ack = SeqNum(101) + kMss;
  peer.receive();
  peer.all_sent();
  const SeqNum next = peer.connection->snd_nxt();
  peer.pass(150ms);
  const auto probe = peer.sent();
  REQUIRE(probe);
  CHECK(probe->header.seq == next);
  CHECK(peer.all_sent().empty());
  CHECK(bench.stats.tail_probes == 1);
  CHECK(flight >= 10);
}

TEST_CASE("one probe for each tail, then the timer", "[tcp][rack][rfc8985-7.3]") {
  Flight flight;
  flight.acknowledge(8);
  for (int i = 0; i < 40; ++i) {
    flight.wait(10ms);
    flight.sent_again();
  }
  CHECK(flight.bench.stats.tail_probes == 1);
  CHECK(flight.bench.stats.timeouts >= 1);
}

TEST_CASE("a tail probe that repaired a loss counts as a loss", "[tcp][rack][rfc8985-7.4]") {
  Flight flight;
  const std::uint64_t before = flight.peer.connection->info().cwnd;
  flight.acknowledge(10);  // Only the last is missing.
  flight.wait(150ms);
  REQUIRE(flight.sent_again() == Segments{9});
  flight.peer.now += 40ms;
  SECTION("the peer had both: nothing was lost") {
    flight.peer.next.ack = flight.at(10);
    flight.report_duplicate(9);
    CHECK(flight.peer.connection->info().cwnd >= before);
  }
  SECTION("the probe was the first that arrived") {
    flight.acknowledge(11);
    flight.peer.connection->write(pattern(kMss));
    flight.peer.all_sent();
    flight.peer.now += 40ms;
    flight.acknowledge(12);
    CHECK(flight.peer.connection->info().cwnd < before);
    CHECK(flight.bench.stats.tail_losses == 1);
  }
}

TEST_CASE("a recovery of what was not lost is undone when the peer reports the duplicates",
          "[tcp][rack][undo]") {
  Flight flight(0ns, true);
  const std::uint64_t before = flight.peer.connection->info().cwnd;
  flight.sack(2, 6);
  CHECK(flight.sent_again() == Segments{0, 1});
  CHECK(flight.peer.connection->info().cwnd < before);
  flight.acknowledge(11);
  flight.peer.now += 40ms;
  flight.report_duplicate(0);
  CHECK(flight.bench.stats.recoveries_undone == 0);  // The other may have been lost.
  flight.report_duplicate(1);
  CHECK(flight.bench.stats.recoveries_undone == 1);
  CHECK(flight.peer.connection->info().cwnd >= before);
}

TEST_CASE("a transfer over a wire that reorders sends little again", "[tcp][rack]") {
  Bench bench;
  EnginePair pair(bench, 10ms);
  pair.establish();
  Rng rng(5);
  pair.late = [&](int direction, const wire::TxSegment&) {
    return direction == 0 && rng.below(10) == 0 ? 4ms : 0ms;
  };
  const auto sent = pattern(2'000'000);
  CHECK(pair.transfer(*pair.a, *pair.b, sent, 30s) == sent);
  CHECK(bench.stats.segments_retransmitted * 20 < bench.stats.segments_sent);
  CHECK(bench.stats.timeouts == 0);
}

}  // namespace dataplane::tcp::test
