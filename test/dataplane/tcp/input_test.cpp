#include <catch2/catch.hpp>

#include "test/dataplane/tcp/scripted_peer.hpp"

namespace dataplane::tcp::test {
namespace {

using wire::TcpFlags;

TEST_CASE("a reset with the exact sequence number ends the connection",
          "[tcp][input][rfc5961-3.2]") {
  Bench bench;
  ScriptedPeer peer(bench);
  peer.next.flags = TcpFlags::Rst;
  CHECK(peer.receive().closed);
  CHECK(peer.connection->close_reason() == CloseReason::Reset);
  CHECK_FALSE(peer.sent());
}

TEST_CASE("a reset elsewhere in the window is challenged", "[tcp][input][rfc5961-3.2]") {
  Bench bench;
  ScriptedPeer peer(bench);
  peer.next.flags = TcpFlags::Rst;
  peer.next.seq = peer.next.seq + GENERATE(1U, 1'000U, 65'000U);
  CHECK_FALSE(peer.receive().closed);
  const auto challenge = peer.sent();
  REQUIRE(challenge);
  CHECK(challenge->header.ack == SeqNum(5'001));
  CHECK(bench.stats.challenge_acks == 1);
  // Not more often than twice a second.
  peer.receive();
  CHECK_FALSE(peer.sent());
  CHECK(bench.stats.challenge_acks_limited == 1);
}

TEST_CASE("a reset outside the window is dropped in silence", "[tcp][input][rfc5961-3.2]") {
  Bench bench;
  ScriptedPeer peer(bench);
  peer.next.flags = TcpFlags::Rst;
  peer.next.seq = GENERATE(SeqNum(5'000), SeqNum(5'001 + 70'000), SeqNum(0x8000'0000));
  CHECK_FALSE(peer.receive().closed);
  CHECK_FALSE(peer.sent());
}

TEST_CASE("a SYN in an open connection is challenged", "[tcp][input][rfc5961-4.2]") {
  Bench bench;
  ScriptedPeer peer(bench);
  peer.next.flags = TcpFlags::Syn | GENERATE(TcpFlags::None, TcpFlags::Ack);
  peer.next.seq = peer.next.seq + GENERATE(0U, 500U);
  CHECK_FALSE(peer.receive().closed);
  REQUIRE(peer.sent());
  CHECK(peer.connection->state() == State::Established);
}

TEST_CASE("an ACK of octets that were never sent is challenged and its text dropped",
          "[tcp][ack][rfc5961-5.2]") {
  Bench bench;
  ScriptedPeer peer(bench);
  peer.next.ack = peer.next.ack + 1U;
  CHECK_FALSE(peer.receive(pattern(10)).readable);
  CHECK(peer.sent());
  CHECK(bench.stats.acks_unacceptable == 1);
}

TEST_CASE("an ACK older than the peer's largest window is refused", "[tcp][ack][rfc5961-5.2]") {
  Bench bench;
  ScriptedPeer peer(bench);
  peer.next.ack = peer.next.ack - 60'001U;
  CHECK_FALSE(peer.receive(pattern(10)).readable);
  peer.now += 1s;
  peer.sent();
  peer.next.ack = peer.next.ack + 1U;
  CHECK(peer.receive(pattern(10)).readable);
}

TEST_CASE("text outside the window is answered and dropped", "[tcp][input][rfc9293-3.10.7.4]") {
  Bench bench;
  ScriptedPeer peer(bench);
  peer.next.seq = peer.next.seq + 70'000U;
  CHECK_FALSE(peer.receive(pattern(10)).readable);
  CHECK(peer.connection->readable() == 0);
  const auto ack = peer.sent();
  REQUIRE(ack);
  CHECK(ack->header.ack == SeqNum(5'001));
}

TEST_CASE("text that reaches beyond the window is cut", "[tcp][input][rfc9293-3.10.7.4]") {
  Bench bench;
  bench.config.receive_buffer_initial = bench.config.receive_buffer_max = 1'000;
  ScriptedPeer peer(bench);
  CHECK(peer.receive(pattern(1'200)).readable);
  CHECK(peer.connection->readable() == 1'000);
  const auto ack = peer.sent();
  REQUIRE(ack);
  CHECK(ack->header.ack == SeqNum(6'001));
  CHECK(ack->header.window == 0);
}

TEST_CASE("old octets before new ones are cut away", "[tcp][input][rfc9293-3.10.7.4]") {
  Bench bench;
  ScriptedPeer peer(bench);
  const auto octets = pattern(300);
  peer.receive(std::span(octets).first(200));
  peer.receive(octets);
  std::vector<std::byte> got(400);
  got.resize(peer.connection->read(peer.now, got));
  CHECK(got == octets);
}

TEST_CASE("a hole is reported by SACK and its filling acknowledged at once",
          "[tcp][input][rfc2018-4]") {
  Bench bench;
  ScriptedPeer peer(bench, syn_with({.sack = true}));
  const auto octets = pattern(400);
  const wire::TcpHeader first = peer.next;
  peer.next.seq = first.seq + 100U;
  peer.receive(std::span(octets).subspan(100, 100));
  auto ack = peer.sent();
  REQUIRE(ack);
  REQUIRE(ack->header.options.sack_count == 1);
  CHECK(ack->header.options.sack_blocks[0] == wire::SackBlock{SeqNum(5'101), SeqNum(5'201)});
  peer.next.seq = first.seq + 300U;
  peer.receive(std::span(octets).subspan(300, 100));
  ack = peer.sent();
  REQUIRE(ack);
  REQUIRE(ack->header.options.sack_count == 2);
  // The latest first.
  CHECK(ack->header.options.sack_blocks[0] == wire::SackBlock{SeqNum(5'301), SeqNum(5'401)});
  CHECK(ack->header.options.sack_blocks[1] == wire::SackBlock{SeqNum(5'101), SeqNum(5'201)});
  peer.receive(first, std::span(octets).first(100));
  ack = peer.sent();
  REQUIRE(ack);
  CHECK(ack->header.ack == SeqNum(5'201));
  CHECK(ack->header.options.sack_count == 1);
  peer.next.seq = first.seq + 200U;
  peer.receive(std::span(octets).subspan(200, 100));
  ack = peer.sent();
  REQUIRE(ack);
  CHECK(ack->header.ack == SeqNum(5'401));
  CHECK(ack->header.options.sack_count == 0);
  std::vector<std::byte> got(500);
  got.resize(peer.connection->read(peer.now, got));
  CHECK(got == octets);
}

TEST_CASE("octets received twice are reported by D-SACK", "[tcp][input][rfc2883-4]") {
  Bench bench;
  ScriptedPeer peer(bench, syn_with({.sack = true}));
  peer.receive(pattern(100));
  peer.all_sent();
  peer.receive(pattern(100));
  const auto ack = peer.sent();
  REQUIRE(ack);
  REQUIRE(ack->header.options.sack_count == 1);
  CHECK(ack->header.options.sack_blocks[0] == wire::SackBlock{SeqNum(5'001), SeqNum(5'101)});
}

TEST_CASE("a segment with an old timestamp is dropped and answered", "[tcp][input][rfc7323-5.3]") {
  Bench bench;
  ScriptedPeer peer(bench, syn_with({.timestamps = wire::Timestamps{1'000, 50'000}}));
  peer.next.options.timestamps = wire::Timestamps{2'000, 51'000};
  CHECK(peer.receive(pattern(10)).readable);
  peer.all_sent();
  peer.next.seq = peer.next.seq + 10U;
  peer.next.options.timestamps = wire::Timestamps{1'999, 51'000};
  CHECK_FALSE(peer.receive(pattern(10)).readable);
  CHECK(bench.stats.paws_rejected == 1);
  CHECK(peer.sent());
  // After 24 days the old value proves nothing.
  peer.now += std::chrono::hours(24 * 25);
  CHECK(peer.receive(pattern(10)).readable);
}

TEST_CASE("an ACK that a later one overtook is taken all the same", "[tcp][input][rfc7323-5.3]") {
  Bench bench;
  ScriptedPeer peer(bench, syn_with({.timestamps = wire::Timestamps{1'000, 50'000}}));
  const auto at = [&](std::uint32_t value) {
    peer.next.options.timestamps = wire::Timestamps{value, 51'000};
    return peer.receive(pattern(0)).accepted;
  };
  CHECK(at(2'000));
  CHECK(at(1'999));
  CHECK(bench.stats.acks_overtaken == 1);
  // It is the latest for all that: text as old as it is dropped.
  CHECK_FALSE(peer.receive(pattern(10)).accepted);
  CHECK(bench.stats.paws_rejected == 1);
  // One that is late by more than a retransmission timeout comes from another time.
  CHECK_FALSE(at(2'000 - static_cast<std::uint32_t>(peer.connection->rto() / 1ms) - 1));
  CHECK(bench.stats.paws_rejected == 2);
  CHECK(bench.stats.acks_overtaken == 1);
}

/// A peer whose segments have been acknowledged one by one at the start, as they are; and a second
/// has passed.
struct BulkPeer : ScriptedPeer {
  explicit BulkPeer(Bench& of) : ScriptedPeer(of) {
    for (int i = 0; i < 10; ++i) {
      send(1);
      all_sent();
    }
    pass(1s);
    all_sent();
    pass(1s);
  }
  void send(int segments) {
    for (int i = 0; i < segments; ++i) {
      receive(octets);
      next.seq = next.seq + 1'460U;
    }
  }
  std::vector<std::byte> octets = pattern(1'460);
};

TEST_CASE("an ACK waits for a second segment, but not for long", "[tcp][input][rfc9293-3.8.6.3]") {
  Bench bench;
  BulkPeer peer(bench);
  peer.send(1);
  CHECK_FALSE(peer.sent());
  peer.send(1);
  CHECK(peer.sent());
  peer.send(1);
  CHECK_FALSE(peer.sent());
  peer.pass(bench.config.delayed_ack);
  CHECK(peer.sent());
}

TEST_CASE("ACKs of a bulk transfer are not closer than 50 us, unless 16 segments wait",
          "[tcp][input][rfc9293-3.8.6.3]") {
  Bench bench;
  BulkPeer peer(bench);
  peer.send(2);
  CHECK(peer.sent());
  peer.send(2);
  CHECK_FALSE(peer.sent());
  peer.pass(49us);
  CHECK_FALSE(peer.sent());
  peer.pass(1us);
  CHECK(peer.sent());
  peer.send(15);
  CHECK_FALSE(peer.sent());
  peer.send(1);
  CHECK(peer.sent());
  // A hole ends the patience.
  peer.send(2);
  peer.next.seq = peer.next.seq + 1'460U;
  peer.send(1);
  CHECK(peer.sent());
}

TEST_CASE("the announced right edge never moves back", "[tcp][output][rfc9293-3.8.6.2]") {
  Bench bench;
  bench.config.receive_buffer_initial = bench.config.receive_buffer_max = 10'000;
  ScriptedPeer peer(bench);
  SeqNum edge = SeqNum(5'001 + 10'000);
  for (std::uint32_t i = 0; i < 40; ++i) {
    peer.receive(pattern(250));
    peer.next.seq = peer.next.seq + 250U;
    for (const wire::TxSegment& ack : peer.all_sent()) {
      const SeqNum announced = ack.header.ack + ack.header.window;
      CHECK(announced >= edge);
      edge = announced;
    }
  }
  CHECK(edge == SeqNum(15'001));
}

TEST_CASE("a FIN counts as an octet and is acknowledged at once",
          "[tcp][input][rfc9293-3.10.7.4]") {
  Bench bench;
  ScriptedPeer peer(bench);
  peer.next.flags |= TcpFlags::Fin;
  const Outcome out = peer.receive(pattern(10));
  CHECK(out.end_of_stream);
  CHECK(peer.connection->state() == State::CloseWait);
  const auto ack = peer.sent();
  REQUIRE(ack);
  CHECK(ack->header.ack == SeqNum(5'012));
}

TEST_CASE("a FIN behind a hole waits for the octets before it", "[tcp][input][rfc9293-3.10.7.4]") {
  Bench bench;
  ScriptedPeer peer(bench);
  const wire::TcpHeader first = peer.next;
  peer.next.seq = first.seq + 10U;
  peer.next.flags |= TcpFlags::Fin;
  CHECK_FALSE(peer.receive(pattern(10)).end_of_stream);
  CHECK(peer.connection->state() == State::Established);
  peer.receive(first, pattern(10));
  CHECK(peer.receive(pattern(10)).end_of_stream);
}

TEST_CASE("a hint that a packet was too big counts only for octets in flight",
          "[tcp][output][rfc5927-4.1]") {
  Bench bench;
  ScriptedPeer peer(bench);
  peer.connection->write(pattern(1'400));
  REQUIRE(peer.sent());
  peer.connection->on_packet_too_big(peer.now, SeqNum(50), 1'000);
  peer.connection->on_packet_too_big(peer.now, SeqNum(1'501), 1'000);
  CHECK_FALSE(peer.sent());
  CHECK(bench.stats.icmp_ignored == 2);
  peer.connection->on_packet_too_big(peer.now, SeqNum(101), 1'000);
  const auto again = peer.all_sent();
  REQUIRE(again.size() == 2);
  CHECK(again[0].header.seq == SeqNum(101));
  CHECK(again[0].payload_length == 1'000);
  CHECK(again[1].payload_length == 400);
}

TEST_CASE("data for an application that has gone is answered with a reset",
          "[tcp][input][rfc1122-4.2.2.13]") {
  Bench bench;
  ScriptedPeer peer(bench);
  peer.connection->close();
  peer.connection->detach(peer.now);
  peer.all_sent();
  peer.receive(pattern(10));
  const auto reset = peer.sent();
  REQUIRE(reset);
  CHECK(has(reset->header.flags, TcpFlags::Rst));
  CHECK(peer.connection->is_finished());
}

TEST_CASE("connections that nobody reads cannot take all packets", "[tcp][input]") {
  Bench bench;
  bench.receive_memory = MemoryBudget(64 * 1'024);
  ScriptedPeer greedy(bench);
  ScriptedPeer modest(bench);
  for (int i = 0; i < 200; ++i) {
    greedy.receive(pattern(1'460));
    greedy.next.seq = greedy.next.seq + 1'460U;
    greedy.all_sent();
  }
  CHECK(bench.receive_memory.used() <= 64 * 1'024);
  CHECK(bench.stats.no_memory > 0);
  CHECK(modest.receive(pattern(1'460)).readable);
}

TEST_CASE("a SYN-ACK that acknowledges something else is answered with a reset",
          "[tcp][handshake][rfc9293-3.10.7.3]") {
  Bench bench;
  Connection connection(bench.environment(), {bench.config, SeqNum(100), 0, 1'460}, Instant(1s));
  wire::TxSegment out;
  REQUIRE(connection.poll_transmit(Instant(1s), out));
  wire::TcpHeader header;
  header.seq = SeqNum(7);
  header.ack = SeqNum(GENERATE(100U, 102U));
  header.flags = TcpFlags::Syn | TcpFlags::Ack;
  connection.on_segment(Instant(1s), bench.received(header));
  REQUIRE(connection.poll_transmit(Instant(1s), out));
  CHECK(out.header.flags == TcpFlags::Rst);
  CHECK(out.header.seq == header.ack);
  CHECK(connection.state() == State::SynSent);
}

}  // namespace
}  // namespace dataplane::tcp::test
