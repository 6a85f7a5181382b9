#pragma once

#include <algorithm>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <catch2/catch.hpp>

#include "dataplane/base/heap_packet_pool.hpp"
#include "dataplane/tcp/connection.hpp"

namespace dataplane::tcp::test {

/// What both sides of a test need: memory, counters, configuration.
struct Bench {
  HeapPacketPool packets{8'192};
  BlockPool blocks{16UL << 20};
  Stats stats;
  MemoryBudget receive_memory{64UL << 20};
  Config config;

  Environment environment() { return {blocks, stats, receive_memory}; }

  /// A received segment from a header and octets.
  wire::TcpSegment received(const wire::TcpHeader& header, ByteSpan payload = {}) {
    wire::TcpSegment segment;
    segment.header = header;
    segment.payload = packets.alloc();
    REQUIRE(segment.payload.mbuf() != nullptr);
    if (!payload.empty())
      std::memcpy(segment.payload.append(static_cast<std::uint32_t>(payload.size())),
                  payload.data(), payload.size());
    return segment;
  }
  /// What the other side receives when `sent` arrives.
  wire::TcpSegment delivered(const wire::TxSegment& sent) {
    wire::TcpSegment segment = received(sent.header);
    segment.ecn = sent.ecn;
    for (const ByteSpan piece : sent.payload())
      std::memcpy(segment.payload.append(static_cast<std::uint32_t>(piece.size())), piece.data(),
                  piece.size());
    return segment;
  }
};

inline std::vector<std::byte> pattern(std::size_t length, std::size_t from = 0) {
  std::vector<std::byte> out(length);
  for (std::size_t i = 0; i < length; ++i)
    out[i] = static_cast<std::byte>(((from + i) * 2'654'435'761U) >> 13);
  return out;
}

/// Two connections on a wire with a delay, in virtual time. `drop` sees each segment and says
/// whether it is lost.
class EnginePair {
 public:
  using Drop = std::function<bool(int direction, const wire::TxSegment&)>;
  using Late = std::function<Duration(int direction, const wire::TxSegment&)>;

  explicit EnginePair(Bench& bench, Duration delay = 5ms, SeqNum iss_a = SeqNum(1'000),
                      SeqNum iss_b = SeqNum(9'000))
      : bench_(bench), delay_(delay) {
    a.emplace(bench.environment(), OpenParameters{bench.config, iss_a, 7, 1'460}, now);
    iss_b_ = iss_b;
  }

  Outcome on_event_a, on_event_b;  ///< All that happened so far.
  std::optional<Connection> a, b;
  Instant now = Instant(100s);
  Drop drop;
  Drop mark;  ///< Says whether an ECN-capable segment gets a mark.
  Late late;  ///< How much longer than others a segment is on its way.
  std::uint64_t segments = 0;
  /// Segments that a side may send in one value; the wire takes them apart.
  std::uint32_t most = 1;
  std::uint64_t values_of_several = 0;

  /// Runs until `until` or until nothing is left to happen.
  void run(Duration span) {
    const Instant end = now + span;
    for (;;) {
      transmit(0);
      transmit(1);
      Instant next = end;
      if (!wire_.empty()) next = std::min(next, wire_.front().at);
      if (a) next = std::min(next, a->next_deadline());
      if (b) next = std::min(next, b->next_deadline());
      now = std::max(now, next);
      deliver();
      if (a) merge(on_event_a, a->on_deadline(now));
      if (b) merge(on_event_b, b->on_deadline(now));
      if (now >= end) return;
    }
  }
  void establish() {
    run(4 * delay_ + 1ms);
    REQUIRE(a->state() == State::Established);
    REQUIRE(b->state() == State::Established);
  }

  /// Writes all of `octets` on one side while reading on the other; returns what was read.
  std::vector<std::byte> transfer(Connection& from, Connection& to, ByteSpan octets,
                                  Duration patience) {
    std::vector<std::byte> got;
    std::vector<std::byte> buffer(64 * 1024);
    const Instant limit = now + patience;
    while (got.size() < octets.size() && now < limit) {
      written_ += from.write(octets.subspan(written_));
      run(1ms);
      for (std::size_t n; (n = to.read(now, buffer)) != 0;)
        got.insert(got.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(n));
    }
    written_ = 0;
    return got;
  }

 private:
  struct InFlight {
    Instant at;
    int direction;
    wire::TcpSegment segment;
  };

  static void merge(Outcome& into, const Outcome& more) {
    into.established |= more.established;
    into.readable |= more.readable;
    into.end_of_stream |= more.end_of_stream;
    into.writable |= more.writable;
    into.closed |= more.closed;
  }
  void transmit(int direction) {
    std::optional<Connection>& from = direction == 0 ? a : b;
    if (!from) return;
    wire::TxSegment out;
    while (from->poll_transmit(now, out, most)) {
      if (out.segment_size == 0) {
        carry(direction, out);
        continue;
      }
      ++values_of_several;
      std::vector<std::byte> all;
      for (const ByteSpan piece : out.payload())
        all.insert(all.end(), piece.begin(), piece.end());
      REQUIRE(all.size() == std::size_t{out.segment_size} * out.segments());
      for (std::size_t at = 0; at < all.size(); at += out.segment_size) {
        wire::TxSegment one = out;
        one.header.seq += static_cast<std::uint32_t>(at);
        one.pieces[0] = ByteSpan(all).subspan(at, out.segment_size);
        one.piece_count = 1;
        one.payload_length = out.segment_size;
        if (at + out.segment_size < all.size()) one.header.flags = without_end(out.header.flags);
        carry(direction, one);
      }
    }
  }
  static wire::TcpFlags without_end(wire::TcpFlags flags) {
    const auto at_the_end = wire::TcpFlags::Fin | wire::TcpFlags::Psh;
    return wire::TcpFlags{static_cast<std::uint8_t>(static_cast<unsigned>(flags) &
                                                    ~static_cast<unsigned>(at_the_end))};
  }
  void carry(int direction, wire::TxSegment out) {
    ++segments;
    if (drop && drop(direction, out)) return;
    if (mark && out.ecn != wire::Ecn::NotEct && mark(direction, out)) out.ecn = wire::Ecn::Ce;
    const Instant at = now + delay_ + (late ? late(direction, out) : Duration::zero());
    const auto before =
        std::upper_bound(wire_.begin(), wire_.end(), at,
                         [](Instant left, const InFlight& right) { return left < right.at; });
    wire_.insert(before, InFlight{at, direction, bench_.delivered(out)});
  }
  void deliver() {
    while (!wire_.empty() && wire_.front().at <= now) {
      InFlight next = std::move(wire_.front());
      wire_.pop_front();
      std::optional<Connection>& to = next.direction == 0 ? b : a;
      if (!to)
        open_b(next.segment);
      else
        merge(next.direction == 0 ? on_event_b : on_event_a,
              to->on_segment(now, std::move(next.segment)));
    }
  }
  /// A listener of one: b answers the SYN by simultaneous-open rules, so no table is needed here.
  void open_b(const wire::TcpSegment& syn) {
    if (!has(syn.header.flags, wire::TcpFlags::Syn)) return;
    b.emplace(bench_.environment(), OpenParameters{bench_.config, iss_b_, 9, 1'460}, now);
    merge(on_event_b, b->on_segment(now, bench_.received(syn.header)));
  }

  Bench& bench_;
  Duration delay_;
  SeqNum iss_b_;
  std::deque<InFlight> wire_;
  std::size_t written_ = 0;
};

}  // namespace dataplane::tcp::test
