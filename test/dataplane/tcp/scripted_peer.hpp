#pragma once

#include <optional>
#include <vector>

#include "test/dataplane/tcp/engine_pair.hpp"

namespace dataplane::tcp::test {

/// The options of a peer's SYN: an MSS of 1460 and what is asked for.
struct Offers {
  bool sack = false;
  std::optional<wire::Timestamps> timestamps = std::nullopt;
};
inline wire::TcpOptions syn_with(const Offers& offers) {
  wire::TcpOptions options;
  options.mss = 1'460;
  options.sack_permitted = offers.sack;
  options.timestamps = offers.timestamps;
  return options;
}

/// One connection against segments written by hand. `next` is a valid segment of the peer; a test
/// changes one field.
struct ScriptedPeer {
  explicit ScriptedPeer(Bench& bench_used, wire::TcpOptions syn_options = syn_with({}),
                        wire::TcpFlags syn_flags = wire::TcpFlags::None)
      : bench(bench_used) {
    connection.emplace(bench.environment(), OpenParameters{bench.config, SeqNum(100), 0, 1'460},
                       now);
    const auto syn = sent();
    REQUIRE(syn);
    REQUIRE(has(syn->header.flags, wire::TcpFlags::Syn));
    next.seq = SeqNum(5'000);
    next.ack = SeqNum(101);
    next.flags = wire::TcpFlags::Syn | wire::TcpFlags::Ack | syn_flags;
    next.window = 60'000;
    next.options = syn_options;
    now += 10ms;
    receive();
    REQUIRE(connection->state() == State::Established);
    const auto ack = sent();
    REQUIRE(ack);
    CHECK(ack->header.ack == SeqNum(5'001));
    next.seq = SeqNum(5'001);
    next.flags = wire::TcpFlags::Ack;
    next.options = {};
    now += 1s;  // Whatever a limit allows per half a second is allowed again.
  }

  /// The next segment that the connection wants to send.
  std::optional<wire::TxSegment> sent() {
    wire::TxSegment out;
    if (!connection->poll_transmit(now, out)) return std::nullopt;
    return out;
  }
  std::vector<wire::TxSegment> all_sent() {
    std::vector<wire::TxSegment> out;
    while (auto segment = sent())
      out.push_back(*segment);
    return out;
  }
  Outcome receive(ByteSpan payload = {}) { return receive(next, payload); }
  Outcome receive(const wire::TcpHeader& header, ByteSpan payload = {}) {
    wire::TcpSegment segment = bench.received(header, payload);
    segment.ecn = ecn;
    return connection->on_segment(now, std::move(segment));
  }
  Outcome pass(Duration span) {
    now += span;
    return connection->on_deadline(now);
  }

  Bench& bench;
  Instant now = Instant(50s);
  std::optional<Connection> connection;
  wire::TcpHeader next;
  wire::Ecn ecn = wire::Ecn::NotEct;  ///< Of what is received.
};

}  // namespace dataplane::tcp::test
