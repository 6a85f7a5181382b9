#include <catch2/catch.hpp>

#include "test/mptcp/scheduler/views.hpp"

namespace mptcp {
namespace {

using namespace test;

TEST_CASE("BLEST passes the slow subflow over when it would block the fast one",
          "[mptcp][scheduler][blest]") {
  Blest scheduler;
  // In 100 ms the fast one sends (10 + 9 / 2) * 10 = 145 segments; the slow one's would hold 21.
  const std::vector<SubflowView> views{subflow(0, 10ms, 10, 10), subflow(1, 100ms, 100, 20)};
  Demand demand = bulk();
  demand.window = 165 * kMss;
  CHECK_FALSE(scheduler.next(views, demand));
  demand.window = 166 * kMss;
  REQUIRE(scheduler.next(views, demand));
  CHECK(scheduler.next(views, demand)->subflow == 1);
}

TEST_CASE("BLEST uses the fast subflow whenever it has room", "[mptcp][scheduler][blest]") {
  Blest scheduler;
  const std::vector<SubflowView> views{subflow(0, 10ms, 10, 9), subflow(1, 100ms, 100)};
  Demand demand = bulk();
  demand.window = 10 * kMss;
  CHECK(scheduler.next(views, demand) == Grant{0, false, kMss});
}

TEST_CASE("BLEST grows its margin by stalls, and forgets them in time",
          "[mptcp][scheduler][blest]") {
  Blest scheduler;
  const std::vector<SubflowView> views{subflow(0, 10ms, 10, 10), subflow(1, 100ms, 100)};
  Demand demand = bulk();
  demand.now = Instant{1s};
  demand.stalls = 1;
  scheduler.next(views, demand);
  CHECK(scheduler.margin() == Approx(1.04));
  demand.stalls = 2;
  demand.now += 99ms;
  scheduler.next(views, demand);
  CHECK(scheduler.margin() == Approx(1.04));
  demand.now += 1ms;
  scheduler.next(views, demand);
  CHECK(scheduler.margin() == Approx(1.08));
  for (int i = 0; i < 20; ++i) {
    demand.now += 100ms;
    scheduler.next(views, demand);
  }
  CHECK(scheduler.margin() == Approx(1.0));
  for (int i = 0; i < 20; ++i) {
    demand.now += 100ms;
    ++demand.stalls;
    scheduler.next(views, demand);
  }
  CHECK(scheduler.margin() == Approx(1.3));
}

TEST_CASE("ECF waits for the fast subflow when that is done earlier", "[mptcp][scheduler][ecf]") {
  Ecf scheduler;
  const std::vector<SubflowView> views{subflow(0, 10ms, 10, 10), subflow(1, 100ms, 10)};
  Demand demand = bulk();
  SECTION("a short rest is left to it") {
    demand.waiting = 20 * kMss;
    CHECK_FALSE(scheduler.next(views, demand));
    CHECK(scheduler.is_waiting());
  }
  SECTION("a long rest is shared") {
    demand.waiting = 2'000 * kMss;
    REQUIRE(scheduler.next(views, demand));
    CHECK(scheduler.next(views, demand)->subflow == 1);
    CHECK_FALSE(scheduler.is_waiting());
  }
  SECTION("who waits goes on waiting a little longer") {
    // (1 + k / 10) * 10 ms lies between 110 ms and 137.5 ms for these.
    demand.waiting = 110 * kMss;
    CHECK(scheduler.next(views, demand));
    demand.waiting = 20 * kMss;
    CHECK_FALSE(scheduler.next(views, demand));
    demand.waiting = 110 * kMss;
    CHECK_FALSE(scheduler.next(views, demand));
    demand.waiting = 130 * kMss;
    CHECK(scheduler.next(views, demand));
  }
}

TEST_CASE("ECF uses a slow subflow that is done before the fast one could be",
          "[mptcp][scheduler][ecf]") {
  Ecf scheduler;
  const std::vector<SubflowView> views{subflow(0, 10ms, 10, 10), subflow(1, 15ms, 100)};
  Demand demand = bulk();
  demand.waiting = kMss;
  CHECK(scheduler.next(views, demand) == Grant{1, false, kMss});
}

TEST_CASE("a fast subflow that was never measured is not waited for", "[mptcp][scheduler]") {
  const std::vector<SubflowView> views{subflow(0, 0ms, 10, 10), subflow(1, 100ms, 100)};
  Demand demand = bulk();
  demand.window = 10 * kMss;
  Blest blest;
  CHECK(blest.next(views, demand));
  Ecf ecf;
  CHECK(ecf.next(views, demand));
}

}  // namespace
}  // namespace mptcp
