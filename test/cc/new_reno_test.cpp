#include "cc/new_reno.hpp"

#include <catch2/catch.hpp>

#include "test/cc/flow.hpp"

using namespace cc;
using namespace cc::test;

TEST_CASE("slow start doubles the window in each round trip", "[cc][new_reno][rfc5681-3.1]") {
  Flow flow(Kind::NewReno);
  CHECK(flow.segments() == 10);
  for (const std::uint64_t expected : {20U, 40U, 80U}) {
    flow.round();
    CHECK(flow.segments() == expected);
  }
}

TEST_CASE("one ACK opens the window by a bounded number of segments",
          "[cc][new_reno][rfc3465-2.2]") {
  Flow flow(Kind::NewReno);
  const auto limit = Flow::config().slow_start_limit_segments;
  flow.ack(100 * kMss);
  CHECK(flow.segments() == 10 + limit);
  flow.ack(1);
  CHECK(flow.window_octets() == (10 + limit) * kMss + 1);
}

TEST_CASE("congestion avoidance adds one segment for each window", "[cc][new_reno][rfc3465-2.1]") {
  Flow flow(Kind::NewReno);
  flow.open_to(40);
  flow.lose();
  const auto begin = flow.segments();
  CHECK(begin == 20);
  for (std::uint64_t round = 1; round <= 10; ++round) {
    flow.round();
    CHECK(flow.segments() == begin + round);
  }
}

TEST_CASE("slow start stops at the threshold", "[cc][new_reno][rfc5681-3.1]") {
  Flow flow(Kind::NewReno);
  flow.open_to(80);
  flow.time_out();
  CHECK(flow.segments() == 1);
  CHECK(ssthresh(flow.controller()) == 40UL * kMss);
  for (int i = 0; i < 6; ++i)
    flow.round();
  CHECK(flow.segments() == 40);
  flow.round();
  CHECK(flow.segments() == 41);
}
