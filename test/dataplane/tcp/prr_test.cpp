#include "dataplane/tcp/prr.hpp"

#include <catch2/catch.hpp>

#include "dataplane/base/rng.hpp"

namespace dataplane::tcp::test {
namespace {

constexpr std::uint32_t kMss = 1'000;

/// A recovery: a flight of segments, some lost at once; each ACK delivers one and lets the sender
/// fill what the window allows.
struct Recovery {
  Prr prr;
  std::uint64_t flight;
  std::uint64_t threshold;
  std::uint64_t pipe;
  std::uint64_t sent = 0;
  std::uint64_t largest_burst = 0;

  Recovery(std::uint64_t segments, std::uint64_t lost, double beta)
      : flight(segments * kMss),
        threshold(static_cast<std::uint64_t>(static_cast<double>(flight) * beta)),
        pipe((segments - lost) * kMss) {
    prr.start(flight);
  }
  void ack(bool advanced = false) {
    pipe -= kMss;
    prr.on_ack(kMss, pipe, threshold, kMss, advanced);
    std::uint64_t burst = 0;
    for (; pipe + kMss <= prr.window(); pipe += kMss, burst += kMss)
      prr.on_sent(kMss);
    sent += burst;
    largest_burst = std::max(largest_burst, burst);
  }
};

TEST_CASE("one loss: the flight shrinks to the threshold over the round, evenly",
          "[tcp][prr][rfc6937-3]") {
  Recovery recovery(100, 1, 0.7);
  int silent = 0;
  for (int i = 0; i < 99; ++i) {
    const std::uint64_t before = recovery.sent;
    recovery.ack();
    silent = recovery.sent == before ? silent + 1 : 0;
    CHECK(silent <= 2);  // Seven of ten ACKs let a segment go.
  }
  CHECK(recovery.largest_burst <= 2 * kMss);
  CHECK(recovery.pipe + kMss >= recovery.threshold);
  CHECK(recovery.pipe <= recovery.threshold);
}

TEST_CASE("many losses: what arrives is replaced, and no more", "[tcp][prr][rfc6937-3]") {
  Recovery recovery(100, 60, 0.7);
  for (int i = 0; i < 40; ++i)
    recovery.ack();
  CHECK(recovery.sent <= 40 * kMss);
  CHECK(recovery.sent >= 39 * kMss);
}

TEST_CASE("while ACKs advance without new losses the flight grows back to the threshold",
          "[tcp][prr][rfc6937-3]") {
  Recovery recovery(100, 60, 0.7);
  for (int i = 0; i < 40; ++i)
    recovery.ack(true);
  CHECK(recovery.pipe > 60 * kMss);
  CHECK(recovery.pipe <= recovery.threshold);
  CHECK(recovery.largest_burst <= 2 * kMss);
}

TEST_CASE("whatever is lost, the flight ends at the threshold at most", "[tcp][prr][rfc6937-3]") {
  Rng rng(11);
  for (int i = 0; i < 200; ++i) {
    const std::uint64_t segments = 4 + rng.below(500);
    Recovery recovery(segments, 1 + rng.below(segments - 2), 0.5 + 0.4 * rng.unit());
    const std::uint64_t acks = recovery.pipe / kMss;
    for (std::uint64_t k = 0; k < acks; ++k)
      recovery.ack(rng.below(2) == 0);
    CHECK(recovery.pipe <= std::max<std::uint64_t>(recovery.threshold, kMss));
  }
}

}  // namespace
}  // namespace dataplane::tcp::test
