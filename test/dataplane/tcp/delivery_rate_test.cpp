#include "dataplane/tcp/delivery_rate.hpp"

#include <catch2/catch.hpp>

#include "dataplane/tcp/scoreboard.hpp"

namespace dataplane::tcp::test {
namespace {

constexpr std::uint32_t kLength = 1'000;

/// Segments of 1,000 octets on a scoreboard.
struct Sender {
  Scoreboard board;
  SeqNum una{1'000};
  SeqNum nxt{1'000};
  Instant now{5s};

  void send(int count, Duration apart = 0ns) {
    for (int i = 0; i < count; ++i, nxt += kLength, now += apart)
      board.on_sent(nxt, kLength, now);
  }
  Scoreboard::Acked ack(std::uint32_t segments, std::span<const wire::SackBlock> sacks = {}) {
    const SeqNum to = una + segments * kLength;
    const auto out = board.on_ack(una, to, sacks, now, min_rtt, rack);
    una = to;
    return out;
  }
  Duration min_rtt = 10ms;
  Rack rack;
};

TEST_CASE("the rate is what was delivered in one flight over the time that it took",
          "[tcp][delivery_rate]") {
  Sender sender;
  sender.send(10);
  sender.now += 20ms;
  const auto acked = sender.ack(10);
  CHECK(acked.rate.octets() == 10 * kLength);
  CHECK(acked.rate.interval == 20ms);
  CHECK(acked.rate.rate() == Approx(500'000));
  CHECK(acked.rate.total == 10 * kLength);
  CHECK(acked.rate.prior == 0);
}

TEST_CASE("ACKs in a bunch do not make a rate that was not sent", "[tcp][delivery_rate]") {
  Sender sender;
  sender.send(1);
  sender.now += 20ms;
  sender.ack(1);
  // Sent over 100 ms, acknowledged all at once.
  sender.send(100, 1ms);
  const auto acked = sender.ack(100);
  CHECK(acked.rate.rate() <= Approx(100 * kLength / 0.099));
}

TEST_CASE("segments in a bunch do not make a rate that was not delivered", "[tcp][delivery_rate]") {
  Sender sender;
  sender.send(100);
  sender.now += 20ms;
  double most = 0;
  for (int i = 0; i < 100; ++i, sender.now += 1ms)
    most = std::max(most, sender.ack(1).rate.rate());
  CHECK(most <= 1.01 * kLength / 0.001);
}

TEST_CASE("octets count when a SACK block reports them, and once", "[tcp][delivery_rate]") {
  Sender sender;
  sender.send(10);
  sender.now += 20ms;
  const wire::SackBlock block{sender.una + 5 * kLength, sender.una + 8 * kLength};
  CHECK(sender.ack(0, {&block, 1}).rate.total == 3 * kLength);
  const auto again = sender.ack(0, {&block, 1});
  CHECK(again.rate.total == 3 * kLength);
  CHECK_FALSE(again.rate.has_data);
  CHECK(sender.ack(10).rate.total == 10 * kLength);
}

TEST_CASE("what was sent while the application was the limit says so, until it is delivered",
          "[tcp][delivery_rate]") {
  Sender sender;
  sender.send(2);
  sender.board.on_app_limited();
  sender.send(2);
  sender.now += 20ms;
  CHECK_FALSE(sender.ack(2).rate.app_limited);
  sender.send(1);
  CHECK(sender.ack(2).rate.app_limited);
  sender.send(1);
  sender.now += 20ms;
  CHECK(sender.ack(1).rate.app_limited);
  CHECK_FALSE(sender.ack(1).rate.app_limited);
}

TEST_CASE("time in which nothing was in flight does not count", "[tcp][delivery_rate]") {
  Sender sender;
  sender.send(1);
  sender.now += 20ms;
  sender.ack(1);
  sender.now += 10s;
  sender.send(10);
  sender.now += 20ms;
  CHECK(sender.ack(10).rate.interval == 20ms);
}

TEST_CASE("an interval shorter than any round trip gives no rate", "[tcp][delivery_rate]") {
  Sender sender;
  sender.send(1);
  sender.now += 1ms;
  sender.board.mark_all_lost();
  sender.board.on_retransmitted(sender.una, kLength, sender.now);
  sender.now += 1ms;
  const auto acked = sender.ack(1);
  CHECK(acked.rate.has_data);
  CHECK(acked.rate.rate() == 0);
}

TEST_CASE("losses are told once, as runs, with what was in flight", "[tcp][delivery_rate]") {
  Sender sender;
  sender.send(10);
  sender.now += 20ms;
  // 0, 1 and 4 are missing.
  const std::array<wire::SackBlock, 2> blocks{
      {{sender.una + 5 * kLength, sender.una + 10 * kLength},
       {sender.una + 2 * kLength, sender.una + 4 * kLength}}};
  sender.ack(0, blocks);
  sender.board.mark_lost_by_sack(kLength);
  const cc::LossSample loss = sender.board.take_newly_lost();
  CHECK(loss.octets == 3 * kLength);
  CHECK(loss.ranges == 2);
  CHECK(loss.lost == 3 * kLength);
  CHECK(loss.in_flight == 5 * kLength);  // When the last of them was sent.
  CHECK(sender.board.take_newly_lost().octets == 0);
}

TEST_CASE("a sample knows how much was lost since its segment was sent", "[tcp][delivery_rate]") {
  Sender sender;
  sender.send(10);
  sender.now += 20ms;
  const wire::SackBlock block{sender.una + 5 * kLength, sender.una + 10 * kLength};
  CHECK(sender.ack(0, {&block, 1}).rate.lost == 0);
  sender.board.mark_lost_by_sack(kLength);
  sender.send(1);
  for (int i = 0; i < 5; ++i)
    sender.board.on_retransmitted(sender.una + static_cast<std::uint32_t>(i) * kLength, kLength,
                                  sender.now);
  sender.now += 20ms;
  CHECK(sender.ack(11).rate.lost == 0);  // Sent after the losses were known.
}

}  // namespace
}  // namespace dataplane::tcp::test
