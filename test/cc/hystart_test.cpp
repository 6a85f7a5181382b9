#include "cc/hystart.hpp"

#include <catch2/catch.hpp>

using namespace cc;
using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t kMss = 1448;

/// Slow start whose rounds are whole windows, each with one round trip time.
class SlowStart {
 public:
  explicit SlowStart(Duration base) : base_(base) {}

  /// One round; all its segments see `delay` more than the base.
  void round(Duration delay) {
    const std::uint64_t before = window.octets();
    const std::uint64_t prior = total_;
    for (std::uint64_t acked = 0; acked < before; acked += kMss) {
      total_ += kMss;
      AckSample ack{.now = Instant(1s),
                    .acked_bytes = kMss,
                    .rtt = base_ + delay,
                    .srtt = base_,
                    .cwnd_limited = true};
      // The first segment of a round was sent when the round before began.
      ack.rate = {.total = total_, .prior = acked == 0 ? prior : 0, .has_data = true};
      if (window.in_slow_start()) slow_start.on_ack(window, ack);
    }
  }
  double growth(Duration delay) {
    const double before = window.cwnd;
    round(delay);
    return window.cwnd / before;
  }

  Window window{{.mss = kMss}};
  HyStart slow_start;

 private:
  Duration base_;
  std::uint64_t total_ = 0;
};

}  // namespace

TEST_CASE("slow start doubles the window while the delay stays", "[cc][hystart][rfc9406-4]") {
  SlowStart flow(100ms);
  for (int i = 0; i < 8; ++i)
    CHECK(flow.growth(Duration(i % 2 == 0 ? 0ms : 3ms)) == Approx(2).epsilon(0.1));
  CHECK(flow.window.ssthresh == kNoThreshold);
}

TEST_CASE("slow start ends some rounds after the delay has grown, without a loss",
          "[cc][hystart][rfc9406-4]") {
  SlowStart flow(100ms);
  for (int i = 0; i < 5; ++i)
    flow.round(0ms);
  flow.round(20ms);
  CHECK(flow.slow_start.is_conservative());
  int rounds = 0;
  for (; flow.window.in_slow_start() && rounds < 20; ++rounds)
    CHECK(flow.growth(30ms) < 1.3);
  CHECK(rounds < 8);
  CHECK(flow.window.ssthresh <= flow.window.octets());
}

TEST_CASE("slow start goes on when the delay goes down again", "[cc][hystart][rfc9406-4]") {
  SlowStart flow(100ms);
  for (int i = 0; i < 5; ++i)
    flow.round(0ms);
  flow.round(20ms);
  REQUIRE(flow.slow_start.is_conservative());
  flow.round(0ms);
  CHECK_FALSE(flow.slow_start.is_conservative());
  CHECK(flow.growth(0ms) == Approx(2).epsilon(0.1));
}

TEST_CASE("a queue that drains while the sender pauses was no mistake", "[cc][hystart]") {
  SlowStart flow(100ms);
  for (int i = 0; i < 5; ++i)
    flow.round(0ms);
  flow.round(20ms);
  REQUIRE(flow.slow_start.is_conservative());
  flow.slow_start.on_pause();
  flow.round(0ms);
  CHECK(flow.slow_start.is_conservative());
}

TEST_CASE("what is small beside the round trip time is no queue", "[cc][hystart][rfc9406-4]") {
  SlowStart flow(40us);
  for (int i = 0; i < 6; ++i)
    flow.round(Duration(i * 500us));
  CHECK_FALSE(flow.slow_start.is_conservative());
}

TEST_CASE("a slow start that knows its threshold does not look at the delay",
          "[cc][hystart][rfc9406-4]") {
  SlowStart flow(100ms);
  flow.window.ssthresh = 100'000'000;
  for (int i = 0; i < 6; ++i)
    CHECK(flow.growth(Duration(i * 20ms)) == Approx(2).epsilon(0.1));
}

TEST_CASE("slow start does not jump with an ACK for very much", "[cc][hystart][rfc9406-4]") {
  Window window({.mss = kMss});
  HyStart slow_start;
  const std::uint64_t before = window.octets();
  slow_start.on_ack(window, {.now = Instant(1s), .acked_bytes = 100 * kMss});
  CHECK(window.octets() <= before + 8 * kMss);
}
