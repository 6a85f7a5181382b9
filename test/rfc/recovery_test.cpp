#include <catch2/catch.hpp>

#include "dataplane/tcp/rtt.hpp"
#include "test/dataplane/tcp/scripted_peer.hpp"

// Requirements of RFC 2018, RFC 5681, RFC 6298 and RFC 6675 that no other test is about.
namespace dataplane::tcp::test {
namespace {

using wire::SackBlock;

RttEstimator estimator() { return {1s, 200ms, 60s}; }

TEST_CASE("until there is a sample the timeout is one second", "[tcp][rtt][rfc6298-2]") {
  CHECK(estimator().rto() == 1s);
  CHECK(Config{}.rto_initial == 1s);
}

TEST_CASE("the first sample is the mean, and half of it the variation", "[tcp][rtt][rfc6298-2]") {
  RttEstimator rtt = estimator();
  rtt.on_sample(400ms);
  CHECK(rtt.srtt() == 400ms);
  CHECK(rtt.rttvar() == 200ms);
  CHECK(rtt.rto() == 1'200ms);
}

TEST_CASE("later samples weigh an eighth in the mean and a quarter in the variation",
          "[tcp][rtt][rfc6298-2]") {
  RttEstimator rtt = estimator();
  rtt.on_sample(400ms);
  rtt.on_sample(800ms);
  CHECK(rtt.rttvar() == 250ms);  // 3/4 of 200 + 1/4 of 400, from the old mean.
  CHECK(rtt.srtt() == 450ms);
  CHECK(rtt.rto() == 1'450ms);
}

TEST_CASE("the timeout stays within its bounds", "[tcp][rtt][rfc6298-2]") {
  RttEstimator rtt = estimator();
  rtt.on_sample(1us);
  CHECK(rtt.rto() >= 200ms);
  CHECK(rtt.rto() < 201ms);
  for (int i = 0; i < 100; ++i)
    rtt.on_timeout();
  CHECK(rtt.rto() == 60s);
  CHECK(Config{}.rto_max >= 60s);
}

TEST_CASE("a path that was known is asked for each second, but no sooner than at twice the timeout",
          "[tcp][rtt][rfc6298-5]") {
  RttEstimator rtt = estimator();
  const Duration sample = GENERATE(Duration(10ms), Duration(400ms), Duration(3s));
  rtt.on_sample(sample);
  const Duration first = rtt.rto();
  rtt.on_timeout();
  CHECK(rtt.rto() == 2 * first);
  const Duration bound = std::max<Duration>(1s, 2 * first);
  Duration waited = first + 2 * first;
  for (int i = 1; i < 64; ++i, waited += rtt.rto()) {
    rtt.on_timeout();
    REQUIRE(rtt.rto() <= bound);
  }
  CHECK(waited >= 60s);
  CHECK(rtt.rto() == bound);
  // From then on it doubles again.
  rtt.on_timeout();
  CHECK(rtt.rto() == 2 * bound);
  rtt.on_progress();
  CHECK(rtt.rto() == first);
}

TEST_CASE("probes of a closed window and attempts to connect double without bound",
          "[tcp][rtt][rfc6298-5]") {
  RttEstimator unknown = estimator();
  RttEstimator known = estimator();
  known.on_sample(10ms);
  const Duration first = known.rto();
  for (int i = 1; i <= 5; ++i) {
    unknown.on_timeout();
    known.on_timeout();
    CHECK(unknown.rto() == 1s * (1 << i));
    CHECK(known.persist_interval() == first * (1 << i));
  }
}

TEST_CASE("on a path without any variation there is room for a queue", "[tcp][rtt][rfc6298-2]") {
  RttEstimator rtt = estimator();
  for (int i = 0; i < 100; ++i)
    rtt.on_sample(300ms);
  CHECK(rtt.rto() >= 300ms + 200ms);
}

TEST_CASE("after a lost SYN without a sample data starts at three seconds",
          "[tcp][rtt][rfc6298-5]") {
  RttEstimator rtt = estimator();
  rtt.on_timeout();
  rtt.on_progress();
  rtt.on_syn_retransmitted();
  CHECK(rtt.rto() == 3s);
}

TEST_CASE("the timer starts with data, starts anew with each ACK and stops with the last",
          "[tcp][deadline][rfc6298-5]") {
  Bench bench;
  ScriptedPeer peer(bench);
  peer.connection->write(pattern(2'920));
  REQUIRE(peer.all_sent().size() == 2);
  const Instant first = peer.connection->next_deadline();
  REQUIRE(first > peer.now);
  peer.now += 50ms;
  peer.next.ack = SeqNum(101 + 1'460);
  peer.receive();
  CHECK(peer.connection->next_deadline() > first);
  peer.next.ack = SeqNum(101 + 2'920);
  peer.receive();
  // Nothing is left that would have to be sent again.
  peer.pass(1h);
  CHECK_FALSE(peer.sent());
  CHECK(bench.stats.timeouts == 0);
}

TEST_CASE("a timeout sends the earliest segment again and only that",
          "[tcp][deadline][rfc6298-5]") {
  Bench bench;
  ScriptedPeer peer(bench);
  peer.connection->write(pattern(7'300));
  REQUIRE(peer.all_sent().size() == 5);
  peer.now = peer.connection->next_deadline();
  peer.pass(0s);
  const auto again = peer.all_sent();
  REQUIRE(again.size() == 1);
  CHECK(again[0].header.seq == SeqNum(101));
  CHECK(peer.connection->info().cwnd == 1'460);  // RFC 5681 §3.1.
}

TEST_CASE("SACK is offered on the SYN, and used only when the peer offered it too",
          "[tcp][handshake][rfc2018-2]") {
  Bench bench;
  Connection connection(bench.environment(), {bench.config, SeqNum(1), 0, 1'460}, Instant(1s));
  wire::TxSegment syn;
  REQUIRE(connection.poll_transmit(Instant(1s), syn));
  CHECK(syn.header.options.sack_permitted);

  ScriptedPeer peer(bench);
  peer.next.seq = peer.next.seq + 100U;
  peer.receive(pattern(100));
  const auto ack = peer.sent();
  REQUIRE(ack);
  CHECK(ack->header.options.sack_count == 0);
  CHECK_FALSE(ack->header.options.sack_permitted);
}

/// Five full segments in flight, and the peer has SACK.
struct FiveInFlight {
  explicit FiveInFlight(bool rack = false)
      : peer((bench.config.rack = rack, bench), syn_with({.sack = true})) {
    peer.connection->write(pattern(5 * 1'460));
    REQUIRE(peer.all_sent().size() == 5);
  }
  /// The peer has segments `from` to `to`, the last one not included.
  void sack(std::uint32_t from, std::uint32_t to) {
    peer.next.options = {};
    peer.next.options.add_sack({SeqNum(101) + from * 1'460, SeqNum(101) + to * 1'460});
    peer.receive();
  }
  Bench bench;
  ScriptedPeer peer;
};

TEST_CASE("three segments SACKed above make a segment lost", "[tcp][ack][rfc6675-4]") {
  FiveInFlight flight;
  flight.sack(1, 3);
  CHECK(flight.peer.all_sent().empty());
  CHECK(flight.peer.connection->info().in_flight == 3 * 1'460);
  flight.sack(1, 4);
  const auto again = flight.peer.all_sent();
  REQUIRE(again.size() == 1);
  CHECK(again[0].header.seq == SeqNum(101));
  CHECK(flight.bench.stats.fast_recoveries == 1);
  // What is in the network now: the one sent again, and the fifth.
  CHECK(flight.peer.connection->info().in_flight == 2 * 1'460);
}

TEST_CASE("one window of losses lowers the congestion window once", "[tcp][ack][rfc5681-4.3]") {
  FiveInFlight flight;
  flight.sack(1, 4);
  flight.peer.all_sent();
  const std::uint64_t cwnd = flight.peer.connection->info().cwnd;
  flight.sack(1, 5);
  CHECK(flight.bench.stats.fast_recoveries == 1);
  CHECK(flight.peer.connection->info().cwnd == cwnd);
}

TEST_CASE("recovery ends when all that was in flight is acknowledged", "[tcp][ack][rfc6675-5]") {
  FiveInFlight flight;
  flight.sack(1, 4);
  flight.peer.all_sent();
  flight.peer.next.options = {};
  flight.peer.next.ack = SeqNum(101) + 5U * 1'460U;
  flight.peer.receive();
  flight.peer.connection->write(pattern(5 * 1'460));
  CHECK_FALSE(flight.peer.all_sent().empty());
  CHECK(flight.peer.connection->info().segments_retransmitted == 1);
}

TEST_CASE("SACK blocks that make no sense are ignored", "[tcp][ack][rfc2018-5]") {
  FiveInFlight flight;
  const SackBlock block = GENERATE(SackBlock{SeqNum(50), SeqNum(90)},              // before SND.UNA
                                   SackBlock{SeqNum(9'000), SeqNum(20'000)},       // beyond SND.NXT
                                   SackBlock{SeqNum(4'000), SeqNum(3'000)},        // backwards
                                   SackBlock{SeqNum(0x8000'0000), SeqNum(3'000)},  // half the space
                                   SackBlock{SeqNum(3'000), SeqNum(3'000)});       // empty
  flight.peer.next.options.add_sack(block);
  flight.peer.receive();
  CHECK(flight.peer.connection->info().in_flight == 5 * 1'460);
  CHECK(flight.peer.all_sent().empty());
}

TEST_CASE("a receiver that drops what it had SACKed is sent it again", "[tcp][ack][rfc2018-8]") {
  FiveInFlight flight;
  flight.sack(0, 1);  // Its first segment SACKed and not acknowledged: it has reneged.
  flight.peer.now = flight.peer.connection->next_deadline();
  flight.peer.pass(0s);
  const auto again = flight.peer.sent();
  REQUIRE(again);
  CHECK(again->header.seq == SeqNum(101));
  CHECK(flight.bench.stats.sacks_reneged == 1);
}

TEST_CASE("SACKed octets are kept until they are acknowledged", "[tcp][ack][rfc2018-8]") {
  FiveInFlight flight;
  flight.sack(1, 5);
  flight.peer.all_sent();
  // The receiver forgets them, so that they must still be there to be sent.
  flight.peer.next.options = {};
  flight.peer.next.ack = SeqNum(101) + 1'460U;
  flight.peer.receive();
  flight.peer.now = flight.peer.connection->next_deadline();
  flight.peer.pass(0s);
  const auto again = flight.peer.sent();
  REQUIRE(again);
  CHECK(again->header.seq == SeqNum(101) + 1'460U);
  CHECK(again->payload_length == 1'460);
}

TEST_CASE("a report of a duplicate is counted and makes nothing lost", "[tcp][ack][rfc2883-4]") {
  FiveInFlight flight;
  flight.peer.next.ack = SeqNum(101) + 1'460U;
  flight.peer.next.options.add_sack({SeqNum(101), SeqNum(101) + 1'460U});
  flight.peer.receive();
  CHECK(flight.bench.stats.dsacks_received == 1);
  CHECK(flight.bench.stats.fast_recoveries == 0);
  CHECK(flight.peer.connection->info().in_flight == 4 * 1'460);
}

TEST_CASE("as many SACK blocks are sent as fit beside the other options",
          "[tcp][output][rfc2018-3]") {
  Bench bench;
  const bool timestamps = GENERATE(false, true);
  wire::TcpOptions options = syn_with({.sack = true});
  if (timestamps) options.timestamps = wire::Timestamps{1'000, 50'000};
  ScriptedPeer peer(bench, options);
  if (timestamps) peer.next.options.timestamps = wire::Timestamps{1'000, 50'000};
  std::optional<wire::TxSegment> ack;
  for (std::uint32_t i = 0; i < 6; ++i) {
    peer.next.seq = SeqNum(5'001) + 100U + 200U * i;
    peer.receive(pattern(100));
    ack = peer.sent();
  }
  REQUIRE(ack);
  CHECK(ack->header.options.sack_count == (timestamps ? 3 : 4));
  CHECK(wire::emitted_length(ack->header.options) <= 40);
}

TEST_CASE("the third duplicate ACK sends the first segment again, and the first two new ones",
          "[tcp][ack][rfc5681-3.2]") {
  Bench bench;
  ScriptedPeer peer(bench);
  peer.connection->write(pattern(100 * 1'460));
  const auto flight = peer.all_sent();
  REQUIRE(flight.size() >= 5);
  const SeqNum nxt = flight.back().header.seq + flight.back().payload_length;
  for (int i = 0; i < 2; ++i) {
    peer.receive();
    const auto more = peer.all_sent();
    REQUIRE(more.size() == 1);  // RFC 3042.
    CHECK(more[0].header.seq >= nxt);
  }
  peer.receive();
  const auto again = peer.sent();
  REQUIRE(again);
  CHECK(again->header.seq == SeqNum(101));
  CHECK(bench.stats.fast_recoveries == 1);
}

}  // namespace
}  // namespace dataplane::tcp::test
