#include <catch2/catch.hpp>

#include "test/dataplane/tcp/scripted_peer.hpp"

// Requirements of RFC 9293 that no other test is about; test/rfc/rfc9293.toml names them all.
namespace dataplane::tcp::test {
namespace {

using wire::TcpFlags;

/// A peer that takes what is sent and acknowledges it.
void acknowledge_all(ScriptedPeer& peer) {
  for (auto sent = peer.all_sent(); !sent.empty(); sent = peer.all_sent()) {
    for (const wire::TxSegment& segment : sent)
      peer.next.ack = max(peer.next.ack, segment.header.seq + segment.payload_length);
    peer.receive();
  }
}

TEST_CASE("two SYNs that cross open one connection", "[tcp][handshake][rfc9293-3.5]") {
  Bench bench;
  Instant now(1s);
  const OpenParameters left{bench.config, SeqNum(100), 0, 1'460};
  const OpenParameters right{bench.config, SeqNum(0xffff'fffe), 0, 1'460};
  Connection a(bench.environment(), left, now);
  Connection b(bench.environment(), right, now);
  wire::TxSegment from_a, from_b;
  REQUIRE(a.poll_transmit(now, from_a));
  REQUIRE(b.poll_transmit(now, from_b));
  a.on_segment(now, bench.received(from_b.header));
  b.on_segment(now, bench.received(from_a.header));
  CHECK(a.state() == State::SynReceived);
  CHECK(b.state() == State::SynReceived);
  REQUIRE(a.poll_transmit(now, from_a));
  REQUIRE(b.poll_transmit(now, from_b));
  CHECK(from_a.header.flags == (TcpFlags::Syn | TcpFlags::Ack));
  CHECK(a.on_segment(now, bench.received(from_b.header)).established);
  CHECK(b.on_segment(now, bench.received(from_a.header)).established);
  CHECK(a.state() == State::Established);
  CHECK(b.state() == State::Established);
}

TEST_CASE("a reset may carry octets", "[tcp][input][rfc9293-3.5.3]") {
  Bench bench;
  ScriptedPeer peer(bench);
  peer.next.flags = TcpFlags::Rst;
  CHECK(peer.receive(pattern(20)).closed);
  CHECK(peer.connection->close_reason() == CloseReason::Reset);
}

TEST_CASE("a half-closed connection goes on receiving", "[tcp][state][rfc9293-3.6.1]") {
  Bench bench;
  ScriptedPeer peer(bench);
  peer.connection->close();
  acknowledge_all(peer);
  peer.next.ack = peer.next.ack + 1U;
  CHECK(peer.receive(pattern(100)).readable);
  CHECK(peer.connection->readable() == 100);
}

TEST_CASE("TIME-WAIT lasts as long as it is configured, and a FIN in it starts it anew",
          "[tcp][state][rfc9293-3.6.1]") {
  Bench bench;
  ScriptedPeer peer(bench);
  peer.connection->close();
  REQUIRE(peer.sent());
  peer.next.ack = SeqNum(102);
  peer.next.flags = TcpFlags::Ack | TcpFlags::Fin;
  peer.receive();
  REQUIRE(peer.connection->state() == State::TimeWait);
  peer.all_sent();
  peer.pass(bench.config.time_wait - 1s);
  CHECK(peer.connection->state() == State::TimeWait);
  peer.receive();  // Our ACK was lost.
  CHECK(peer.sent());
  peer.pass(bench.config.time_wait - 1s);
  CHECK(peer.connection->state() == State::TimeWait);
  peer.pass(2s);
  CHECK(peer.connection->state() == State::Closed);
}

TEST_CASE("the MSS is announced on the SYN and nowhere else", "[tcp][handshake][rfc9293-3.7.1]") {
  Bench bench;
  Connection connection(bench.environment(), {bench.config, SeqNum(1), 0, 1'440}, Instant(1s));
  wire::TxSegment syn;
  REQUIRE(connection.poll_transmit(Instant(1s), syn));
  CHECK(syn.header.options.mss == 1'440);

  ScriptedPeer peer(bench);
  peer.connection->write(pattern(5'000));
  for (const wire::TxSegment& segment : peer.all_sent())
    CHECK_FALSE(segment.header.options.mss.has_value());
}

TEST_CASE("a peer that announces no MSS is sent 536 octets at a time",
          "[tcp][output][rfc9293-3.7.1]") {
  Bench bench;
  ScriptedPeer peer(bench, wire::TcpOptions{});
  peer.connection->write(pattern(3'000));
  for (const wire::TxSegment& segment : peer.all_sent())
    CHECK(segment.payload_length <= 536);
}

TEST_CASE("options are taken from the size of a segment", "[tcp][output][rfc9293-3.7.1]") {
  Bench bench;
  ScriptedPeer peer(bench, syn_with({.timestamps = wire::Timestamps{1, 50'000}}));
  peer.connection->write(pattern(5'000));
  const auto sent = peer.all_sent();
  REQUIRE_FALSE(sent.empty());
  CHECK(sent.front().payload_length == 1'448);
}

TEST_CASE("a small segment goes at once unless Nagle was asked for",
          "[tcp][output][rfc9293-3.7.4]") {
  Bench bench;
  ScriptedPeer peer(bench);
  peer.connection->write(pattern(10));
  CHECK(peer.sent());
  peer.connection->write(pattern(10));
  CHECK(peer.sent());
}

TEST_CASE("a segment that was sent again gives no sample", "[tcp][ack][rfc9293-3.8.1]") {
  Bench bench;
  ScriptedPeer peer(bench);
  const Duration before = peer.connection->info().srtt;
  peer.connection->write(pattern(10));
  REQUIRE(peer.sent());
  peer.now = peer.connection->next_deadline();
  peer.pass(0s);
  REQUIRE(peer.sent());
  peer.now += 7s;
  peer.next.ack = SeqNum(111);
  peer.receive();
  CHECK(peer.connection->info().srtt == before);
}

TEST_CASE("the retransmission timer doubles from one timeout to the next",
          "[tcp][deadline][rfc9293-3.8.2]") {
  Bench bench;
  ScriptedPeer peer(bench);
  peer.connection->write(pattern(10));
  REQUIRE(peer.sent());
  Duration last = peer.connection->next_deadline() - peer.now;
  for (int i = 0; i < 5; ++i) {
    peer.now = peer.connection->next_deadline();
    peer.pass(0s);
    const auto again = peer.sent();
    REQUIRE(again);
    CHECK(again->header.seq == SeqNum(101));
    const Duration wait = peer.connection->next_deadline() - peer.now;
    CHECK(wait == std::min<Duration>(2 * last, 1s));
    last = wait;
  }
}

TEST_CASE("without keepalive an idle connection is silent for days",
          "[tcp][deadline][rfc9293-3.8.4]") {
  Bench bench;
  ScriptedPeer peer(bench);
  for (int i = 0; i < 10; ++i) {
    peer.pass(24h);
    CHECK_FALSE(peer.sent());
  }
  CHECK(peer.connection->state() == State::Established);
}

TEST_CASE("a keepalive waits for the idle time, carries nothing, and one may be lost",
          "[tcp][deadline][rfc9293-3.8.4]") {
  Bench bench;
  bench.config.keepalive_idle = 10s;
  bench.config.keepalive_interval = 1s;
  bench.config.keepalive_probes = 3;
  ScriptedPeer peer(bench);
  peer.pass(5s);
  CHECK_FALSE(peer.sent());
  peer.receive(pattern(10));  // A sign of life, so the time starts anew.
  peer.all_sent();
  peer.next.seq = peer.next.seq + 10U;
  peer.pass(9s);
  CHECK_FALSE(peer.sent());
  peer.pass(1'100ms);
  const auto probe = peer.sent();
  REQUIRE(probe);
  CHECK(probe->payload_length == 0);
  CHECK(probe->header.seq == SeqNum(100));
  peer.pass(1'100ms);
  CHECK(peer.sent());
  CHECK(peer.connection->state() == State::Established);
  peer.receive();
  peer.pass(5s);
  CHECK(peer.connection->state() == State::Established);
}

TEST_CASE("a peer that takes its window back is sent nothing new", "[tcp][output][rfc9293-3.8.6]") {
  Bench bench;
  ScriptedPeer peer(bench);
  peer.connection->write(pattern(30'000));
  const auto sent = peer.all_sent();
  REQUIRE(sent.size() > 4);
  // The right edge moves back, over what is in flight.
  peer.next.ack = sent[1].header.seq;
  peer.next.window = 2'000;
  peer.receive();
  CHECK(peer.all_sent().empty());
  // What is in flight and within the window goes again.
  peer.now = peer.connection->next_deadline();
  peer.pass(0s);
  const auto again = peer.sent();
  REQUIRE(again);
  CHECK(again->header.seq == sent[1].header.seq);
  // The peer lives, so the connection does.
  peer.next.window = 60'000;
  peer.next.ack = sent.back().header.seq + sent.back().payload_length;
  peer.receive();
  CHECK_FALSE(peer.all_sent().empty());
  CHECK(peer.connection->state() == State::Established);
}

TEST_CASE("a closed window is probed after one timeout and then ever more rarely",
          "[tcp][output][rfc9293-3.8.6.1]") {
  Bench bench;
  ScriptedPeer peer(bench);
  peer.next.window = 0;
  peer.receive();
  peer.connection->write(pattern(5'000));
  CHECK(peer.all_sent().empty());
  Duration last = 0s;
  for (int i = 0; i < 8; ++i) {
    const Instant due = peer.connection->next_deadline();
    REQUIRE(due != kNever);
    CHECK(due - peer.now >= last);
    last = due - peer.now;
    peer.now = due;
    peer.pass(0s);
    const auto probe = peer.sent();
    REQUIRE(probe);
    CHECK(probe->header.seq == SeqNum(101));
    CHECK(probe->payload_length == 1);
    peer.receive();  // Still closed.
  }
  peer.next.window = 60'000;
  peer.receive();
  CHECK_FALSE(peer.all_sent().empty());
}

TEST_CASE("a window may stay closed for an hour while the probes are answered",
          "[tcp][output][rfc9293-3.8.6.1]") {
  Bench bench;
  ScriptedPeer peer(bench);
  peer.next.window = 0;
  peer.receive();
  peer.connection->write(pattern(5'000));
  CHECK(peer.all_sent().empty());
  const Instant end = peer.now + 1h;
  while (peer.now < end) {
    peer.now = std::max(peer.now, peer.connection->next_deadline());
    peer.pass(0s);
    if (!peer.all_sent().empty()) peer.receive();
    REQUIRE(peer.connection->state() == State::Established);
  }
}

TEST_CASE("a sliver of a window is left alone", "[tcp][output][rfc9293-3.8.6.2.1]") {
  Bench bench;
  ScriptedPeer peer(bench);
  peer.next.window = 100;
  peer.receive();
  peer.connection->write(pattern(5'000));
  CHECK(peer.all_sent().empty());
  // But not for ever.
  peer.now = peer.connection->next_deadline();
  peer.pass(0s);
  CHECK(peer.sent());
}

TEST_CASE("the window opens by a whole segment or not at all", "[tcp][output][rfc9293-3.8.6.2.2]") {
  Bench bench;
  bench.config.receive_buffer_initial = bench.config.receive_buffer_max = 14'600;
  ScriptedPeer peer(bench);
  for (int i = 0; i < 10; ++i) {
    peer.receive(pattern(1'460));
    peer.next.seq = peer.next.seq + 1'460U;
    peer.all_sent();
  }
  std::array<std::byte, 100> little{};
  peer.connection->read(peer.now, little);
  peer.receive(pattern(1));  // Beyond the window: the answer shows it.
  const auto closed = peer.sent();
  REQUIRE(closed);
  CHECK(closed->header.window == 0);
  std::array<std::byte, 8'000> much{};
  peer.connection->read(peer.now, much);
  peer.receive(pattern(1));
  const auto open = peer.sent();
  REQUIRE(open);
  CHECK(open->header.window >= 1'460);
}

TEST_CASE("a reset is taken at a closed window", "[tcp][input][rfc9293-3.10.7.4]") {
  Bench bench;
  bench.config.receive_buffer_initial = bench.config.receive_buffer_max = 1'000;
  ScriptedPeer peer(bench);
  peer.receive(pattern(1'000));
  const auto ack = peer.sent();
  REQUIRE(ack);
  REQUIRE(ack->header.window == 0);
  peer.next.seq = SeqNum(6'001);
  peer.next.flags = TcpFlags::Rst;
  CHECK(peer.receive().closed);
}

TEST_CASE("an ACK is taken at a closed window", "[tcp][input][rfc9293-3.10.7.4]") {
  Bench bench;
  bench.config.receive_buffer_initial = bench.config.receive_buffer_max = 1'000;
  ScriptedPeer peer(bench);
  peer.connection->write(pattern(100));
  peer.all_sent();
  peer.receive(pattern(1'000));
  peer.all_sent();
  peer.next.seq = SeqNum(6'001);
  peer.next.ack = SeqNum(201);
  peer.receive();
  CHECK(peer.connection->info().bytes_acked == 100);
}

TEST_CASE("segments are full, and the last of what is queued carries PSH",
          "[tcp][output][rfc9293-3.9.1.2]") {
  Bench bench;
  ScriptedPeer peer(bench);
  peer.connection->write(pattern(1'000));
  peer.connection->write(pattern(3'000));
  const auto sent = peer.all_sent();
  REQUIRE(sent.size() == 3);
  CHECK(sent[0].payload_length == 1'460);
  CHECK(sent[1].payload_length == 1'460);
  CHECK(sent[2].payload_length == 1'080);
  CHECK_FALSE(has(sent[0].header.flags, TcpFlags::Psh));
  CHECK_FALSE(has(sent[1].header.flags, TcpFlags::Psh));
  CHECK(has(sent[2].header.flags, TcpFlags::Psh));
}

TEST_CASE("an unreachable host ends an attempt but no open connection",
          "[tcp][deadline][rfc9293-3.9.2.2]") {
  Bench bench;
  Connection attempt(bench.environment(), {bench.config, SeqNum(100), 0, 1'460}, Instant(1s));
  wire::TxSegment syn;
  REQUIRE(attempt.poll_transmit(Instant(1s), syn));
  CHECK_FALSE(attempt.on_unreachable(SeqNum(99)).closed);
  CHECK(attempt.on_unreachable(SeqNum(100)).closed);
  CHECK(attempt.close_reason() == CloseReason::Unreachable);

  ScriptedPeer peer(bench);
  peer.connection->write(pattern(10));
  peer.all_sent();
  CHECK_FALSE(peer.connection->on_unreachable(SeqNum(101)).closed);
  CHECK(peer.connection->state() == State::Established);
}

TEST_CASE("a filled hole is acknowledged with all that waited behind it",
          "[tcp][input][rfc9293-3.10.7.4]") {
  Bench bench;
  ScriptedPeer peer(bench);
  const auto octets = pattern(500);
  const wire::TcpHeader first = peer.next;
  for (std::uint32_t at = 400; at > 0; at -= 100) {
    peer.next.seq = first.seq + at;
    peer.receive(std::span(octets).subspan(at, 100));
  }
  peer.all_sent();
  peer.receive(first, std::span(octets).first(100));
  const auto acks = peer.all_sent();
  REQUIRE(acks.size() == 1);
  CHECK(acks[0].header.ack == SeqNum(5'501));
}

TEST_CASE("urgent data is read like any other", "[tcp][input][rfc9293-3.8.5]") {
  Bench bench;
  ScriptedPeer peer(bench);
  const auto octets = pattern(50);
  peer.next.flags |= TcpFlags::Urg;
  CHECK(peer.receive(octets).readable);
  std::vector<std::byte> got(100);
  got.resize(peer.connection->read(peer.now, got));
  CHECK(got == octets);
}

TEST_CASE("a transfer passes the wrap of both sequence spaces", "[tcp][transfer][rfc9293-3.4]") {
  Bench bench;
  EnginePair pair(bench, 5ms, SeqNum(0xffff'ff00), SeqNum(0xffff'0000));
  pair.establish();
  const auto up = pattern(300'000);
  CHECK(pair.transfer(*pair.a, *pair.b, up, 30s) == up);
  const auto down = pattern(200'000, 7);
  CHECK(pair.transfer(*pair.b, *pair.a, down, 30s) == down);
}

}  // namespace
}  // namespace dataplane::tcp::test
