#include <catch2/catch.hpp>

#include "test/dataplane/tcp/engine_pair.hpp"

namespace dataplane::tcp::test {
namespace {

using wire::TxSegment;

TEST_CASE("octets arrive once and in order on a perfect link", "[tcp][connection][rfc9293-3.4]") {
  Bench bench;
  // The wrap of the sequence space lies within the transfer, or the half of it.
  const std::uint32_t iss = GENERATE(1'000U, 0xffff'ff00U, 0x7fff'f000U);
  EnginePair pair(bench, 5ms, SeqNum(iss), SeqNum(iss + 77));
  pair.establish();
  const auto sent = pattern(300'000);
  CHECK(pair.transfer(*pair.a, *pair.b, sent, 30s) == sent);
  CHECK(pair.transfer(*pair.b, *pair.a, sent, 30s) == sent);
  CHECK(bench.stats.segments_retransmitted == 0);
}

TEST_CASE("a transfer survives heavy loss in both directions", "[tcp][recovery][rfc6675-5]") {
  Bench bench;
  bench.config.sack = GENERATE(true, false);
  bench.config.timestamps = GENERATE(true, false);
  EnginePair pair(bench, 2ms, SeqNum(0xffff'f000), SeqNum(5));
  pair.establish();
  std::uint32_t state = 12345;
  pair.drop = [&](int, const TxSegment&) {
    state = state * 1'664'525 + 1'013'904'223;
    return (state >> 24) < 26;  // One in ten.
  };
  const auto sent = pattern(200'000);
  CHECK(pair.transfer(*pair.a, *pair.b, sent, 600s) == sent);
  CHECK(bench.stats.segments_retransmitted > 0);
}

TEST_CASE("several segments in one value are what they would be one by one",
          "[tcp][output][rfc5681-3.1]") {
  const auto sent = pattern(700'000);
  std::uint32_t loss = GENERATE(0U, 13U);
  const auto run = [&](std::uint32_t most) {
    Bench bench;
    EnginePair pair(bench, 2ms, SeqNum(0xffff'f000), SeqNum(5));
    pair.most = most;
    std::vector<std::pair<Duration, std::uint32_t>> seen;
    pair.establish();
    std::uint32_t count = 0;
    pair.drop = [&](int direction, const TxSegment& segment) {
      if (direction != 0 || segment.payload_length == 0) return false;
      seen.emplace_back(pair.now.time_since_epoch(), segment.header.seq.raw());
      return loss != 0 && ++count % loss == 0;
    };
    CHECK(pair.transfer(*pair.a, *pair.b, sent, 60s) == sent);
    CHECK((pair.values_of_several != 0) == (most > 1));
    pair.a->close();
    pair.b->close();
    pair.run(1s);
    CHECK(bench.stats.segments_sent == pair.segments);
    return seen;
  };
  // Window, pace and recovery allow the same octets at the same times, but for rounding.
  const auto is_same = [](const auto& one, const auto& other) {
    return one.second == other.second && std::chrono::abs(one.first - other.first) < 1us;
  };
  const auto one_by_one = run(1);
  const auto together = run(16);
  CHECK(
      std::equal(one_by_one.begin(), one_by_one.end(), together.begin(), together.end(), is_same));
}

TEST_CASE("one lost segment is repaired by fast retransmit without a timeout",
          "[tcp][recovery][rfc5681-3.2]") {
  Bench bench;
  bench.config.sack = GENERATE(true, false);
  EnginePair pair(bench);
  pair.establish();
  int data = 0;
  pair.drop = [&](int direction, const TxSegment& segment) {
    return direction == 0 && segment.payload_length > 0 && ++data == 5;
  };
  const auto sent = pattern(100'000);
  CHECK(pair.transfer(*pair.a, *pair.b, sent, 10s) == sent);
  CHECK(bench.stats.segments_retransmitted == 1);
  CHECK(bench.stats.timeouts == 0);
  CHECK(bench.stats.fast_recoveries == 1);
}

TEST_CASE("a lost tail is repaired by the retransmission timer", "[tcp][deadline][rfc6298-5]") {
  Bench bench;
  bench.config.rack = false;
  EnginePair pair(bench);
  pair.establish();
  int dropped = 0;
  pair.drop = [&](int direction, const TxSegment& segment) {
    return direction == 0 && segment.payload_length > 0 && dropped++ < 1;
  };
  const auto sent = pattern(1'000);
  CHECK(pair.transfer(*pair.a, *pair.b, sent, 5s) == sent);
  CHECK(bench.stats.timeouts == 1);
}

TEST_CASE("a reader that stops closes the window, and probes find it open again",
          "[tcp][output][rfc9293-3.8.6.1]") {
  Bench bench;
  bench.config.receive_buffer_initial = bench.config.receive_buffer_max = 20'000;
  EnginePair pair(bench);
  pair.establish();
  const auto sent = pattern(100'000);
  REQUIRE(pair.a->write(sent) == sent.size());
  pair.run(30s);
  CHECK(pair.b->readable() <= 21'000);
  CHECK(pair.b->readable() >= 19'000);
  CHECK(bench.stats.zero_window_probes > 1);
  CHECK(pair.a->state() == State::Established);
  // The window update is lost, so that only a probe can find out.
  bool lost = false;
  pair.drop = [&](int direction, const TxSegment&) {
    return direction == 1 && !std::exchange(lost, true);
  };
  std::vector<std::byte> got;
  std::vector<std::byte> buffer(64 * 1024);
  for (int i = 0; i < 200'000 && got.size() < sent.size(); ++i) {
    const std::size_t n = pair.b->read(pair.now, buffer);
    got.insert(got.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(n));
    pair.run(1ms);
  }
  CHECK(got == sent);
}

TEST_CASE("both sides close in good order and one of them waits", "[tcp][state][rfc9293-3.6]") {
  Bench bench;
  EnginePair pair(bench);
  pair.establish();
  pair.a->write(pattern(5'000));
  pair.a->close();
  pair.run(100ms);
  CHECK(pair.a->state() == State::FinWait2);
  CHECK(pair.b->state() == State::CloseWait);
  CHECK(pair.on_event_b.end_of_stream);
  CHECK(pair.b->readable() == 5'000);
  // Half close: the other direction still works.
  const auto answer = pattern(3'000);
  pair.b->write(answer);
  pair.b->close();
  pair.run(100ms);
  std::vector<std::byte> got(4'000);
  got.resize(pair.a->read(pair.now, got));
  CHECK(got == answer);
  CHECK(pair.a->state() == State::TimeWait);
  CHECK(pair.b->state() == State::Closed);
  CHECK(pair.b->close_reason() == CloseReason::Finished);
  pair.run(bench.config.time_wait + 1s);
  CHECK(pair.a->state() == State::Closed);
  CHECK(pair.a->is_finished());
}

TEST_CASE("a simultaneous close ends in TIME-WAIT on both sides", "[tcp][state][rfc9293-3.6]") {
  Bench bench;
  EnginePair pair(bench);
  pair.establish();
  pair.a->close();
  pair.b->close();
  pair.run(12ms);
  CHECK(pair.a->state() == State::TimeWait);
  CHECK(pair.b->state() == State::TimeWait);
}

TEST_CASE("closing survives the loss of any one segment", "[tcp][state][rfc9293-3.6]") {
  const int lost = GENERATE(range(1, 8));
  Bench bench;
  EnginePair pair(bench);
  pair.establish();
  int count = 0;
  pair.drop = [&](int, const TxSegment&) { return ++count == lost; };
  pair.a->close();
  pair.run(5s);
  pair.b->close();
  pair.run(20s);
  CHECK(pair.a->close_reason() == CloseReason::Finished);
  CHECK(pair.b->close_reason() == CloseReason::Finished);
  CHECK(pair.b->state() == State::Closed);
}

TEST_CASE("an abort resets the peer", "[tcp][state][rfc9293-3.10.5]") {
  Bench bench;
  EnginePair pair(bench);
  pair.establish();
  pair.a->write(pattern(10));
  pair.a->abort();
  CHECK_FALSE(pair.a->is_finished());
  pair.run(100ms);
  CHECK(pair.a->is_finished());
  CHECK(pair.b->close_reason() == CloseReason::Reset);
}

TEST_CASE("a silent peer ends the connection after the user timeout",
          "[tcp][deadline][rfc9293-3.8.3]") {
  Bench bench;
  bench.config.user_timeout = 20s;
  EnginePair pair(bench);
  pair.establish();
  pair.drop = [](int, const TxSegment&) { return true; };
  pair.a->write(pattern(100));
  pair.run(19s);
  CHECK(pair.a->state() == State::Established);
  pair.run(2s);
  CHECK(pair.a->close_reason() == CloseReason::TimedOut);
}

TEST_CASE("keepalive notices a peer that has gone", "[tcp][deadline][rfc9293-3.8.4]") {
  Bench bench;
  bench.config.keepalive_idle = 10s;
  bench.config.keepalive_interval = 1s;
  bench.config.keepalive_probes = 3;
  EnginePair pair(bench);
  pair.establish();
  pair.run(60s);
  CHECK(pair.a->state() == State::Established);  // The peer answers.
  CHECK(bench.stats.keepalive_probes > 0);
  pair.drop = [](int, const TxSegment&) { return true; };
  pair.run(15s);
  CHECK(pair.a->close_reason() == CloseReason::TimedOut);
}

TEST_CASE("a SYN that nobody answers is given up", "[tcp][handshake][rfc9293-3.10.8]") {
  Bench bench;
  bench.config.syn_retries = 3;
  EnginePair pair(bench);
  pair.drop = [](int, const TxSegment&) { return true; };
  pair.run(14s);
  CHECK(pair.a->state() == State::SynSent);
  CHECK(pair.segments == 4);
  pair.run(2s);
  CHECK(pair.a->close_reason() == CloseReason::TimedOut);
}

TEST_CASE("Nagle holds a small segment while another is in flight",
          "[tcp][output][rfc9293-3.7.4]") {
  Bench bench;
  bench.config.nagle = GENERATE(true, false);
  EnginePair pair(bench, 50ms);
  pair.establish();
  pair.run(1s);
  int data = 0;
  pair.drop = [&](int, const TxSegment& segment) {
    data += segment.payload_length > 0 ? 1 : 0;
    return false;
  };
  pair.a->write(pattern(10));
  pair.run(1ms);
  pair.a->write(pattern(10));
  pair.run(1ms);
  CHECK(data == (bench.config.nagle ? 1 : 2));
  pair.run(1s);
  CHECK(pair.b->readable() == 20);
}

TEST_CASE("an idle connection holds no payload memory", "[tcp][connection]") {
  Bench bench;
  EnginePair pair(bench);
  pair.establish();
  const auto sent = pattern(500'000);
  CHECK(pair.transfer(*pair.a, *pair.b, sent, 30s) == sent);
  pair.run(5s);
  CHECK(bench.blocks.available() == bench.blocks.capacity());
  CHECK(bench.packets.available() == bench.packets.capacity());
  CHECK(sizeof(Connection) <= 1'536);
}

/// A thousand octets of a stream as they come from the peer of EnginePair's second end.
wire::TcpSegment thousand_at(Bench& bench, ByteSpan stream, std::uint32_t from) {
  wire::TcpHeader header;
  header.seq = SeqNum(1'001) + from;
  header.ack = SeqNum(9'001);
  header.flags = wire::TcpFlags::Ack;
  header.window = 1'000;
  header.options.timestamps = wire::Timestamps{0x7000'0000, 0};
  return bench.received(header, stream.subspan(from, 1'000));
}

TEST_CASE("a run is taken as the segments it is made of", "[tcp][input][rfc9293-3.10.7.4]") {
  // Behind a hole, beyond the window, and in order: what cannot go with the first is left over.
  Bench bench;
  bench.config.receive_buffer_initial = bench.config.receive_buffer_max = 5'000;
  EnginePair pair(bench);
  pair.establish();
  const auto sent = pattern(8'000);
  const auto run_at = [&](std::uint32_t from, std::uint32_t count) {
    wire::TcpSegment first = thousand_at(bench, sent, from);
    std::vector<Packet> more;
    for (std::uint32_t i = 1; i < count; ++i)
      more.push_back(thousand_at(bench, sent, from + i * 1'000).payload);
    std::span<Packet> rest(more);
    (void)pair.b->on_run(pair.now, std::move(first), rest);
    return rest.size();
  };
  CHECK(run_at(1'000, 2) == 1);  // Behind a hole each is looked at.
  CHECK(pair.b->readable() == 0);
  CHECK(run_at(0, 2) == 1);  // It fills the hole, and what follows is there already.
  CHECK(pair.b->readable() == 2'000);
  CHECK(run_at(2'000, 4) == 1);  // The window ends before the last.
  CHECK(pair.b->readable() == 5'000);
  std::vector<std::byte> got(8'000);
  got.resize(pair.b->read(pair.now, got));
  CHECK(std::equal(got.begin(), got.end(), sent.begin()));
}

TEST_CASE("a run is passed on where nothing waits and nothing is missing",
          "[tcp][input][rfc9293-3.10.7.4]") {
  Bench bench;
  bench.config.receive_buffer_initial = bench.config.receive_buffer_max = 5'000;
  EnginePair pair(bench);
  pair.establish();
  const auto sent = pattern(8'000);
  const SeqNum start(1'001);
  const auto segment_at = [&](std::uint32_t from) { return thousand_at(bench, sent, from); };
  std::vector<Packet> run;
  for (std::uint32_t i = 0; i < 6; ++i)
    run.push_back(segment_at(i * 1'000).payload);
  const auto passed = [&](std::uint32_t from, std::size_t count) {
    return pair.b->pass_run(pair.now, start + from, std::span(run).first(count));
  };
  CHECK(passed(1'000, 2) == 0);
  CHECK(passed(0, 2) == 2);
  CHECK(pair.b->rcv_nxt() == start + 2'000U);
  CHECK(pair.b->readable() == 0);

  // While something waits to be taken it would come too early.
  (void)pair.b->on_segment(pair.now, segment_at(2'000));
  CHECK(passed(3'000, 1) == 0);
  CHECK(pair.b->take_packet(pair.now).size() == 1'000);
  (void)pair.b->on_segment(pair.now, segment_at(4'000));
  CHECK(passed(3'000, 1) == 0);
  (void)pair.b->on_segment(pair.now, segment_at(3'000));
  while (pair.b->take_packet(pair.now)) {
  }
  // The window, which the reader has not opened again, ends within the run.
  wire::TxSegment ack;
  REQUIRE(pair.b->poll_transmit(pair.now, ack));
  CHECK(ack.header.ack == start + 5'000U);
  CHECK(passed(5'000, 6) == 5);
  CHECK(pair.b->rcv_nxt() == start + 10'000U);
}

TEST_CASE("a loss lowers the window from what was in flight when the lost segment left",
          "[tcp][ack][rfc9438-4.6]") {
  Bench bench;
  bench.config.receive_buffer_initial = bench.config.receive_buffer_max = 8 << 20;
  EnginePair pair(bench, 50ms);
  pair.establish();
  const auto warm = pattern(3'000'000);
  REQUIRE(pair.transfer(*pair.a, *pair.b, warm, 30s) == warm);
  pair.run(150ms);
  const std::uint64_t cwnd = pair.a->info().cwnd;
  // A full window and then nothing: when the loss is seen, all that came before it has left.
  std::uint64_t sent = 0;
  bool lost = false;
  pair.drop = [&](int direction, const wire::TxSegment& segment) {
    if (direction == 0) sent += segment.payload_length;
    const bool drops = direction == 0 && !lost && sent > cwnd - 6 * 1'460;
    lost = lost || drops;
    return drops;
  };
  const auto octets = pattern(cwnd);
  REQUIRE(pair.a->write(octets) == cwnd);
  pair.run(2s);
  REQUIRE(bench.stats.fast_recoveries == 1);
  CHECK(pair.a->info().cwnd < cwnd);
  CHECK(pair.a->info().cwnd > cwnd / 2);
}

}  // namespace
}  // namespace dataplane::tcp::test
