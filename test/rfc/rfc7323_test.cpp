#include <catch2/catch.hpp>

#include "test/dataplane/tcp/scripted_peer.hpp"

// Requirements of RFC 7323 that no other test is about; test/rfc/rfc7323.toml names them all.
namespace dataplane::tcp::test {
namespace {

using wire::TcpFlags;
using wire::Timestamps;

wire::TcpOptions scaled_by(std::uint8_t shift) {
  wire::TcpOptions options = syn_with({});
  options.window_scale = shift;
  return options;
}

TEST_CASE("the window of a SYN is never scaled, and every other one is",
          "[tcp][handshake][rfc7323-2.2]") {
  Bench bench;
  ScriptedPeer peer(bench, scaled_by(7));
  CHECK(peer.connection->info().snd_wnd == 60'000);
  peer.next.window = 1'000;
  peer.receive();
  CHECK(peer.connection->info().snd_wnd == 128'000);
}

TEST_CASE("without the peer's window scale ours is not used", "[tcp][handshake][rfc7323-2.2]") {
  Bench bench;
  ScriptedPeer peer(bench);
  peer.next.window = 1'000;
  peer.receive(pattern(10));
  CHECK(peer.connection->info().snd_wnd == 1'000);
  const auto ack = peer.sent();
  REQUIRE(ack);
  CHECK(ack->header.window > 50'000);
  CHECK_FALSE(ack->header.options.window_scale.has_value());
}

TEST_CASE("a window scale outside of a SYN is ignored", "[tcp][input][rfc7323-2.2]") {
  Bench bench;
  ScriptedPeer peer(bench, scaled_by(2));
  peer.next.options.window_scale = 9;
  peer.next.window = 100;
  peer.receive();
  CHECK(peer.connection->info().snd_wnd == 400);
}

TEST_CASE("a shift above 14 is taken as 14", "[tcp][handshake][rfc7323-2.3]") {
  Bench bench;
  ScriptedPeer peer(bench,
                    scaled_by(GENERATE(std::uint8_t{14}, std::uint8_t{15}, std::uint8_t{255})));
  peer.next.window = 1;
  peer.receive();
  CHECK(peer.connection->info().snd_wnd == 1U << 14);
}

TEST_CASE("the largest buffer is announced by a shift that keeps the window below 1 GiB",
          "[tcp][handshake][rfc7323-2.3]") {
  Bench bench;
  bench.config.receive_buffer_max = kMaxReceiveBuffer;
  Connection connection(bench.environment(), {bench.config, SeqNum(1), 0, 1'460}, Instant(1s));
  wire::TxSegment syn;
  REQUIRE(connection.poll_transmit(Instant(1s), syn));
  REQUIRE(syn.header.options.window_scale.has_value());
  CHECK(*syn.header.options.window_scale <= 14);
  CHECK((std::uint64_t{0xffff} << *syn.header.options.window_scale) <= kMaxReceiveBuffer);
}

TEST_CASE("timestamps are on every segment once both sides offered them",
          "[tcp][output][rfc7323-3.2]") {
  Bench bench;
  ScriptedPeer peer(bench, syn_with({.timestamps = Timestamps{1'000, 50'000}}));
  peer.connection->write(pattern(4'000));
  peer.next.options.timestamps = Timestamps{1'001, 50'000};
  peer.receive(pattern(10));
  const auto sent = peer.all_sent();
  REQUIRE(sent.size() >= 3);
  for (const wire::TxSegment& segment : sent) {
    REQUIRE(segment.header.options.timestamps.has_value());
    CHECK(segment.header.options.timestamps->echo_reply == 1'001);
  }
}

TEST_CASE("timestamps that the peer did not offer are not sent", "[tcp][output][rfc7323-3.2]") {
  Bench bench;
  ScriptedPeer peer(bench);
  peer.connection->write(pattern(4'000));
  for (const wire::TxSegment& segment : peer.all_sent())
    CHECK_FALSE(segment.header.options.timestamps.has_value());
}

TEST_CASE("the timestamp of a SYN answers nothing", "[tcp][handshake][rfc7323-3.2]") {
  Bench bench;
  Connection connection(bench.environment(), {bench.config, SeqNum(1), 77, 1'460}, Instant(1s));
  wire::TxSegment syn;
  REQUIRE(connection.poll_transmit(Instant(1s), syn));
  REQUIRE(syn.header.options.timestamps.has_value());
  CHECK(syn.header.options.timestamps->value == 1'000 + 77);
  CHECK(syn.header.options.timestamps->echo_reply == 0);
}

TEST_CASE("a segment without the timestamp that was agreed on is let in",
          "[tcp][input][rfc7323-3.2]") {
  Bench bench;
  ScriptedPeer peer(bench, syn_with({.timestamps = Timestamps{1'000, 50'000}}));
  CHECK(peer.receive(pattern(10)).readable);
}

TEST_CASE("a segment that was sent again gives a sample by its timestamp",
          "[tcp][ack][rfc7323-4.1]") {
  Bench bench;
  ScriptedPeer peer(bench, syn_with({.timestamps = Timestamps{1'000, 50'000}}));
  peer.connection->write(pattern(10));
  REQUIRE(peer.sent());
  peer.now = peer.connection->next_deadline();
  peer.pass(0s);
  const auto again = peer.sent();
  REQUIRE(again);
  const Duration before = peer.connection->info().srtt;
  peer.now += 100ms;
  peer.next.ack = SeqNum(111);
  peer.next.options.timestamps = Timestamps{1'100, again->header.options.timestamps->value};
  peer.receive();
  CHECK(peer.connection->info().srtt > before);
  CHECK(peer.connection->info().srtt < 100ms);
}

TEST_CASE("a segment beyond a hole does not move the timestamp that is echoed",
          "[tcp][input][rfc7323-4.3]") {
  Bench bench;
  ScriptedPeer peer(bench, syn_with({.timestamps = Timestamps{1'000, 50'000}}));
  peer.next.options.timestamps = Timestamps{2'000, 50'000};
  peer.next.seq = peer.next.seq + 100U;
  peer.receive(pattern(100));
  auto ack = peer.sent();
  REQUIRE(ack);
  CHECK(ack->header.options.timestamps->echo_reply == 1'000);
  peer.next.seq = SeqNum(5'001);
  peer.receive(pattern(100));
  ack = peer.sent();
  REQUIRE(ack);
  CHECK(ack->header.options.timestamps->echo_reply == 2'000);
}

TEST_CASE("a reset with an old timestamp ends the connection all the same",
          "[tcp][input][rfc7323-5.2]") {
  Bench bench;
  ScriptedPeer peer(bench, syn_with({.timestamps = Timestamps{1'000, 50'000}}));
  peer.next.flags = TcpFlags::Rst;
  peer.next.options.timestamps = Timestamps{1, 50'000};
  CHECK(peer.receive().closed);
}

TEST_CASE("a window that rounding makes smaller takes nothing back", "[tcp][output][rfc7323-2.4]") {
  Bench bench;
  bench.config.receive_buffer_initial = bench.config.receive_buffer_max = 1'000'000;
  ScriptedPeer peer(bench, scaled_by(7));
  peer.receive(pattern(1'000));
  peer.all_sent();
  // All that was announced is taken, to the last octet.
  peer.next.seq = SeqNum(5'001 + 65'535 - 500);
  peer.receive(pattern(500));
  CHECK(bench.stats.segments_out_of_window == 0);
}

}  // namespace
}  // namespace dataplane::tcp::test
