#include "mptcp/scheduler/scheduler.hpp"

#include <numeric>

#include <catch2/catch.hpp>

#include "test/mptcp/scheduler/views.hpp"

namespace mptcp {
namespace {

using namespace test;

SchedulerKind generate_kind() {
  return GENERATE(SchedulerKind::MinRtt, SchedulerKind::RoundRobin, SchedulerKind::Redundant,
                  SchedulerKind::Blest, SchedulerKind::Ecf);
}

TEST_CASE("a scheduler is found by the name in the configuration", "[mptcp][scheduler]") {
  const SchedulerKind kind = generate_kind();
  CHECK(scheduler_named(name_of(kind)) == kind);
  CHECK(make_scheduler(kind).index() == static_cast<std::size_t>(kind));
  CHECK_FALSE(scheduler_named("default"));
  CHECK_FALSE(scheduler_named(""));
}

TEST_CASE("without octets, window, room or subflows there is no grant", "[mptcp][scheduler]") {
  AnyScheduler scheduler = make_scheduler(generate_kind());
  std::vector<SubflowView> views{subflow(0, 10ms, 10), subflow(1, 20ms, 10)};
  Demand demand = bulk();
  SECTION("no octets") { demand.waiting = 0; }
  SECTION("no window") { demand.window_room = 0; }
  SECTION("no subflows") { views.clear(); }
  SECTION("no room") { views = {subflow(0, 10ms, 10, 10), subflow(1, 20ms, 10, 10)}; }
  SECTION("room for less than a segment") { views[0].room = views[1].room = kMss - 1; }
  CHECK_FALSE(next_grant(scheduler, views, demand));
}

TEST_CASE("bulk data fills every window with whole segments", "[mptcp][scheduler]") {
  AnyScheduler scheduler = make_scheduler(generate_kind());
  std::vector<SubflowView> views{subflow(3, 10ms, 200), subflow(7, 12ms, 100)};
  views[0].room += 999;
  Demand demand = bulk();
  const auto given = grant_all(scheduler, views, demand);
  CHECK(given[3] == 200 * kMss);
  CHECK(given[7] == 100 * kMss);
}

TEST_CASE("a grant is never larger than a burst", "[mptcp][scheduler]") {
  AnyScheduler scheduler = make_scheduler(generate_kind());
  const std::vector<SubflowView> views{subflow(0, 10ms, 1'000)};
  Demand demand = bulk();
  CHECK(next_grant(scheduler, views, demand)->octets == 65'000);
  demand.burst = 1;
  CHECK(next_grant(scheduler, views, demand)->octets == kMss);
}

TEST_CASE("the last octets are granted although they are no whole segment", "[mptcp][scheduler]") {
  AnyScheduler scheduler = make_scheduler(generate_kind());
  const std::vector<SubflowView> views{subflow(0, 10ms, 100)};
  Demand demand = bulk();
  demand.waiting = 2'001;
  CHECK(next_grant(scheduler, views, demand) == Grant{0, false, 2'001});
}

TEST_CASE("the last part of a window is left until it is a segment", "[mptcp][scheduler]") {
  AnyScheduler scheduler = make_scheduler(generate_kind());
  const std::vector<SubflowView> views{subflow(0, 10ms, 100)};
  Demand demand = bulk();
  demand.waiting = 5'000;
  demand.window_room = kMss - 1;
  CHECK_FALSE(next_grant(scheduler, views, demand));
  demand.window_room = 2 * kMss + 1;
  CHECK(next_grant(scheduler, views, demand) == Grant{0, false, 2 * kMss});
}

TEST_CASE("a backup carries data only when nothing else can", "[mptcp][scheduler][rfc8684-3.3.8]") {
  AnyScheduler scheduler = make_scheduler(generate_kind());
  std::vector<SubflowView> views{subflow(0, 100ms, 10), subflow(1, 1ms, 10)};
  views[1].backup = true;
  Demand demand = bulk();
  SECTION("it is idle while a regular subflow lives, with room or without") {
    CHECK(grant_all(scheduler, views, demand)[1] == 0);
    CHECK(views[0].room == 0);
  }
  SECTION("it serves when it is alone") {
    views.erase(views.begin());
    CHECK(next_grant(scheduler, views, demand)->subflow == 1);
  }
  SECTION("it serves when all regular ones are stale") {
    views[0].stale = true;
    CHECK(next_grant(scheduler, views, demand)->subflow == 1);
  }
  SECTION("a stale regular one is better than a stale backup") {
    views[0].stale = views[1].stale = true;
    CHECK(next_grant(scheduler, views, demand)->subflow == 0);
  }
}

TEST_CASE("the fastest subflow is filled first", "[mptcp][scheduler]") {
  AnyScheduler scheduler = make_scheduler(SchedulerKind::MinRtt);
  std::vector<SubflowView> views{subflow(0, 30ms, 10), subflow(1, 10ms, 10), subflow(2, 20ms, 10)};
  Demand demand = bulk();
  demand.waiting = 15 * kMss;
  const auto given = grant_all(scheduler, views, demand);
  CHECK(given[1] == 10 * kMss);
  CHECK(given[2] == 5 * kMss);
  CHECK(given[0] == 0);
}

TEST_CASE("subflows take turns, and one without room is passed over", "[mptcp][scheduler]") {
  AnyScheduler scheduler = make_scheduler(SchedulerKind::RoundRobin);
  std::vector<SubflowView> views{subflow(0, 30ms, 900), subflow(5, 10ms, 900),
                                 subflow(31, 20ms, 900)};
  Demand demand = bulk();
  std::vector<unsigned> order;
  for (int i = 0; i < 5; ++i)
    order.push_back(next_grant(scheduler, views, demand)->subflow);
  CHECK(order == std::vector<unsigned>{0, 5, 31, 0, 5});
  views[2].room = 0;
  CHECK(next_grant(scheduler, views, demand)->subflow == 0);
}

TEST_CASE("a redundant scheduler gives each subflow what the others were given",
          "[mptcp][scheduler]") {
  AnyScheduler scheduler = make_scheduler(SchedulerKind::Redundant);
  std::vector<SubflowView> views{subflow(0, 10ms, 50), subflow(1, 20ms, 50), subflow(2, 30ms, 20)};
  Demand demand = bulk();
  demand.waiting = 40 * kMss;
  const auto given = grant_all(scheduler, views, demand);
  CHECK(given[0] == 40 * kMss);
  CHECK(given[1] == 40 * kMss);
  CHECK(given[2] == 20 * kMss);
  CHECK(views[2].behind == 20 * kMss);
}

}  // namespace
}  // namespace mptcp
