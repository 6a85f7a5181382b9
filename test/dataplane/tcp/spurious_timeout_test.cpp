#include <catch2/catch.hpp>

#include "dataplane/tcp/frto.hpp"
#include "test/dataplane/tcp/scripted_peer.hpp"

namespace dataplane::tcp::test {
namespace {

constexpr std::uint32_t kMss = 1'460;
constexpr std::uint32_t kTheirTime = 50'000;  ///< TSval of the peer.

/// Six full segments in flight of a connection with more to send; the first timeout comes.
struct Timeout {
  explicit Timeout(Offers offers)
      : peer((bench.config.rack = offers.sack, bench), [&] {
          if (offers.timestamps) offers.timestamps = wire::Timestamps{kTheirTime, 0};
          return syn_with(offers);
        }()) {
    has_timestamps = offers.timestamps.has_value();
    full = static_cast<std::uint32_t>(peer.connection->mss());
    peer.connection->write(pattern(6 * full));
    sent_at = time();
    REQUIRE(peer.all_sent().size() == 6);
    before = peer.connection->info().cwnd;
    // A probe of the tail may come first.
    while (bench.stats.timeouts == 0) {
      peer.now = peer.connection->next_deadline();
      peer.pass(0s);
      if (bench.stats.timeouts == 0) peer.all_sent();
    }
    again_at = time();
    const auto again = peer.all_sent();
    REQUIRE(again.size() == 1);
    REQUIRE(again[0].header.seq == at(0));
    REQUIRE(peer.connection->info().cwnd == full);
  }
  SeqNum at(std::uint32_t segment) const { return SeqNum(101) + segment * full; }
  std::uint32_t time() const {
    return static_cast<std::uint32_t>(peer.now.time_since_epoch() / 1ms);
  }
  /// An ACK up to `segment`, of a segment that carried the timestamp `echo`.
  void acknowledge(std::uint32_t segment, std::uint32_t echo) {
    peer.next.options = {};
    if (has_timestamps) peer.next.options.timestamps = wire::Timestamps{kTheirTime, echo};
    peer.next.ack = at(segment);
    peer.receive();
  }
  SeqNum first_sent() {
    const std::vector<SeqNum> all = sent();
    REQUIRE_FALSE(all.empty());
    return all.front();
  }
  std::vector<SeqNum> sent() {
    std::vector<SeqNum> out;
    for (const auto& segment : peer.all_sent())
      if (segment.payload_length != 0) out.push_back(segment.header.seq);
    return out;
  }

  Bench bench;
  ScriptedPeer peer;
  bool has_timestamps = false;
  std::uint32_t full = 0;
  std::uint32_t sent_at = 0;
  std::uint32_t again_at = 0;
  std::uint64_t before = 0;
};

Offers with_timestamps(bool sack) { return {.sack = sack, .timestamps = wire::Timestamps{}}; }

}  // namespace

TEST_CASE("an ACK with the timestamp of the first transmission undoes the timeout",
          "[tcp][frto][rfc3522-3.2]") {
  Timeout timeout(with_timestamps(GENERATE(true, false)));
  timeout.peer.now += 20ms;
  timeout.acknowledge(1, timeout.sent_at);
  CHECK(timeout.bench.stats.timeouts_spurious == 1);
  CHECK(timeout.peer.connection->info().cwnd >= timeout.before);
  CHECK(timeout.peer.connection->info().in_flight == 5 * timeout.full);
  CHECK(timeout.sent().empty());
  timeout.peer.now += 1ms;
  timeout.acknowledge(3, timeout.sent_at);
  CHECK(timeout.sent().empty());
  CHECK(timeout.bench.stats.segments_retransmitted <= 2);  // The probe and the first.
  // The timer has learnt.
  CHECK(timeout.peer.connection->rto() > 400ms);
}

TEST_CASE("an ACK with the timestamp of the retransmission leaves the timeout as it is",
          "[tcp][frto][rfc3522-3.2]") {
  Timeout timeout(with_timestamps(true));
  timeout.peer.now += 20ms;
  timeout.acknowledge(1, timeout.again_at);
  CHECK(timeout.bench.stats.timeouts_spurious == 0);
  CHECK(timeout.first_sent() == timeout.at(1));
  CHECK(timeout.peer.connection->info().cwnd < timeout.before);
}

TEST_CASE("without timestamps new data tells whether a timeout was spurious",
          "[tcp][frto][rfc5682-2.1]") {
  Timeout timeout({.sack = GENERATE(true, false)});
  timeout.peer.connection->write(pattern(5 * timeout.full));
  timeout.peer.now += 20ms;
  timeout.acknowledge(1, 0);
  REQUIRE(timeout.sent() == std::vector{timeout.at(6), timeout.at(7)});
  timeout.peer.now += 1ms;
  SECTION("the next ACK is for what was sent once") {
    timeout.acknowledge(2, 0);
    CHECK(timeout.bench.stats.timeouts_spurious == 1);
    CHECK(timeout.peer.connection->info().cwnd >= timeout.before);
    for (const SeqNum seq : timeout.sent())
      CHECK(seq >= timeout.at(8));
  }
  SECTION("the new segments arrive and nothing before them") {
    timeout.peer.next.options = {};
    if (timeout.bench.config.rack)
      timeout.peer.next.options.add_sack({timeout.at(6), timeout.at(7)});
    timeout.peer.receive();
    CHECK(timeout.bench.stats.timeouts_spurious == 0);
    CHECK(timeout.first_sent() == timeout.at(1));
  }
}

TEST_CASE("with nothing new to send a timeout is taken for what it seems",
          "[tcp][frto][rfc5682-2.1]") {
  Timeout timeout({.sack = true});
  timeout.peer.now += 20ms;
  timeout.acknowledge(1, 0);
  CHECK(timeout.first_sent() == timeout.at(1));
  timeout.acknowledge(2, 0);
  CHECK(timeout.bench.stats.timeouts_spurious == 0);
}

TEST_CASE("an ACK of all that was in flight says nothing without timestamps",
          "[tcp][frto][rfc5682-2.1]") {
  Timeout timeout({.sack = true});
  timeout.peer.now += 20ms;
  timeout.acknowledge(6, 0);
  CHECK(timeout.bench.stats.timeouts_spurious == 0);
  CHECK(timeout.peer.connection->info().in_flight == 0);
}

TEST_CASE("what comes after several timeouts may still answer the first transmission",
          "[tcp][frto][rfc3522-3.2]") {
  Timeout timeout(with_timestamps(true));
  timeout.peer.now = timeout.peer.connection->next_deadline();
  timeout.peer.pass(0s);
  timeout.sent();
  CHECK(timeout.bench.stats.timeouts == 2);
  SECTION("to it") {
    timeout.acknowledge(2, timeout.sent_at);
    CHECK(timeout.bench.stats.timeouts_spurious == 1);
    CHECK(timeout.peer.connection->info().cwnd >= timeout.before);
  }
  SECTION("to the first retransmission") {
    timeout.acknowledge(2, timeout.again_at);
    CHECK(timeout.bench.stats.timeouts_spurious == 0);
  }
}

TEST_CASE("after new data and another timeout nothing is undone", "[tcp][frto]") {
  Frto frto;
  frto.start(SeqNum(1'000), 7);
  CHECK_FALSE(frto.on_ack({.ack = SeqNum(100), .highest = SeqNum(100), .advanced = true}));
  REQUIRE(frto.holds_back());
  frto.on_timeout_again();
  CHECK_FALSE(frto.holds_back());
  CHECK_FALSE(frto.on_ack(
      {.ack = SeqNum(200), .highest = SeqNum(200), .advanced = true, .reports_original = true}));
}

}  // namespace dataplane::tcp::test
