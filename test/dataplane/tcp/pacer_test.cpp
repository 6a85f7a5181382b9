#include "dataplane/tcp/pacer.hpp"

#include <catch2/catch.hpp>

#include "test/dataplane/tcp/engine_pair.hpp"

namespace dataplane::tcp::test {
namespace {

constexpr std::uint32_t kSegment = 1'500;

/// Sends whenever it may, and comes back when the pacer says so, `late` too late.
struct Sent {
  std::uint64_t octets = 0;
  std::uint64_t visits = 0;
  std::uint64_t largest_burst = 0;
};
Sent send_for(Pacer& pacer, Instant& now, Duration span, Duration late = 0ns) {
  Sent out;
  for (const Instant end = now + span; now < end; now = pacer.next_visit() + late) {
    ++out.visits;
    std::uint64_t burst = 0;
    for (; pacer.allows(now) && burst < 10'000'000; burst += kSegment)
      pacer.on_sent(now, kSegment);
    out.octets += burst;
    out.largest_burst = std::max(out.largest_burst, burst);
  }
  return out;
}

/// The most segments with payload that leave a at one moment of `work`.
template <class Work>
std::size_t largest_burst_of(EnginePair& pair, Work&& work) {
  std::size_t burst = 0;
  std::size_t largest = 0;
  Instant last{};
  pair.drop = [&](int direction, const wire::TxSegment& segment) {
    if (direction != 0 || segment.payload_length == 0) return false;
    burst = pair.now == last ? burst + 1 : 1;
    last = pair.now;
    largest = std::max(largest, burst);
    return false;
  };
  work();
  pair.drop = nullptr;
  return largest;
}

/// While 300,000 octets go from a to b.
std::size_t largest_burst(EnginePair& pair) {
  return largest_burst_of(pair, [&] {
    const auto sent = pattern(300'000);
    CHECK(pair.transfer(*pair.a, *pair.b, sent, 10s) == sent);
  });
}

/// A connection with a window of more than 300,000 octets and a round trip of 100 ms, idle after a
/// loss that ended its slow start.
struct WideWindow {
  WideWindow()
      : pair((bench.config.receive_buffer_initial = bench.config.receive_buffer_max = 8 << 20,
              bench),
             50ms) {
    pair.establish();
    const auto warm = pattern(3'000'000);
    std::size_t count = 0;
    pair.drop = [&](int direction, const wire::TxSegment& segment) {
      return direction == 0 && segment.payload_length != 0 && ++count == 1'000;
    };
    REQUIRE(pair.transfer(*pair.a, *pair.b, warm, 30s) == warm);
    pair.run(150ms);
    pair.drop = nullptr;
    REQUIRE(bench.stats.fast_recoveries == 1);
    REQUIRE(pair.a->info().cwnd > 300'000);
  }
  Bench bench;
  EnginePair pair;
};

TEST_CASE("a pacer without a rate lets everything go", "[tcp][pacer]") {
  Pacer pacer;
  for (int i = 0; i < 10'000; ++i) {
    CHECK(pacer.allows(Instant(1s)));
    pacer.on_sent(Instant(1s), kSegment);
  }
}

TEST_CASE("a pacer keeps its rate over time, also when its visits come late", "[tcp][pacer]") {
  const std::uint64_t rate = GENERATE(100'000UL, 10'000'000UL, 125'000'000UL, 12'500'000'000UL);
  const Duration late = GENERATE(Duration(0us), Duration(66us), Duration(300us));
  Pacer pacer;
  pacer.set_rate(rate);
  Instant now(10s);
  const Duration span = rate > 1'000'000'000 ? 100ms : 5s;
  send_for(pacer, now, span);
  const Sent sent = send_for(pacer, now, span, late);
  const double due = static_cast<double>(rate) * std::chrono::duration<double>(span).count();
  CHECK(static_cast<double>(sent.octets) == Approx(due).epsilon(0.02));
}

TEST_CASE("a pacer sends in bursts of a millisecond at most, and of many segments when fast",
          "[tcp][pacer]") {
  const std::uint64_t rate = GENERATE(1'000'000UL, 125'000'000UL, 1'250'000'000UL);
  Pacer pacer;
  pacer.set_rate(rate);
  Instant now(10s);
  const Sent sent = send_for(pacer, now, 500ms);
  CHECK(sent.largest_burst <= rate / 1'000 + 2 * kSegment);
  // Half a millisecond a visit, so that a fast sender does not wake up for each segment.
  CHECK(sent.visits <= 1'000 + 10);
}

TEST_CASE("an idle time does not make a larger burst", "[tcp][pacer]") {
  Pacer pacer;
  pacer.set_rate(10'000'000);
  pacer.on_sent(Instant(10s), kSegment);
  Instant now(100s);
  CHECK(send_for(pacer, now, 1ns).octets <= 10'000 + 2 * kSegment);
}

TEST_CASE("a paced connection sends its window over the round trip, not at once",
          "[tcp][pacer][bbr]") {
  Bench bench;
  bench.config.congestion_control = cc::Kind::Bbr;
  bench.config.receive_buffer_initial = bench.config.receive_buffer_max = 1 << 20;
  EnginePair pair(bench, 20ms);
  pair.establish();
  CHECK(largest_burst(pair) <= 20);
}

TEST_CASE("a window that opens again is filled over the round trip, not at once", "[tcp][pacer]") {
  Bench bench;
  bench.config.receive_buffer_initial = bench.config.receive_buffer_max = 400'000;
  EnginePair pair(bench, 50ms);
  pair.establish();
  const auto warm = pattern(3'000'000);
  REQUIRE(pair.transfer(*pair.a, *pair.b, warm, 30s) == warm);
  pair.run(150ms);  // All is acknowledged, and the congestion window stays.
  REQUIRE(pair.a->info().cwnd > 150'000);
  CHECK(largest_burst(pair) <= 40);
}

TEST_CASE("a second of silence leaves the window, which is not sent at once",
          "[tcp][pacer][rfc7661-4.4]") {
  WideWindow wide;
  const std::uint64_t cwnd = wide.pair.a->info().cwnd;
  wide.pair.run(1s);
  const auto octets = pattern(cwnd);
  REQUIRE(wide.pair.transfer(*wide.pair.a, *wide.pair.b, pattern(100), 1s) == pattern(100));
  CHECK(wide.pair.a->info().cwnd >= cwnd);
  wide.pair.run(1s);
  const Instant start = wide.pair.now;
  CHECK(largest_burst_of(wide.pair, [&] {
          CHECK(wide.pair.transfer(*wide.pair.a, *wide.pair.b, octets, 10s) == octets);
        }) <= 40);
  CHECK(wide.pair.a->info().cwnd >= cwnd);
  // One round trip for its pacing, a half for the way; from ten segments on it would be five.
  CHECK(wide.pair.now - start < 200ms);
}

TEST_CASE("less than half of a window is not sent at once either", "[tcp][pacer]") {
  WideWindow wide;
  const std::uint64_t cwnd = wide.pair.a->info().cwnd;
  const auto octets = pattern(2 * cwnd);
  // Clocked by ACKs at its end, and then nothing more to send until a third of it is acknowledged.
  const std::size_t first = cwnd * 15 / 10;
  REQUIRE(wide.pair.a->write(std::span(octets).first(first)) == first);
  const auto in_flight = [&] { return wide.pair.a->info().in_flight; };
  wide.pair.run(120ms);
  while (in_flight() > cwnd * 65 / 100)
    wide.pair.run(1ms);
  REQUIRE(in_flight() > cwnd / 2);
  const std::size_t burst = largest_burst_of(wide.pair, [&] {
    wide.pair.a->write(std::span(octets).subspan(first));
    wide.pair.run(1s);
  });
  CHECK(burst <= 40);
}

}  // namespace
}  // namespace dataplane::tcp::test
