// What the parts of Multipath TCP cost, each alone.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/base/heap_packet_pool.hpp"
#include "dataplane/base/rng.hpp"
#include "mptcp/reorder_queue.hpp"
#include "mptcp/scheduler/scheduler.hpp"
#include "test/bench/micro/cycles.hpp"

namespace {

using namespace std::chrono_literals;
using bench::Meter;
using dataplane::HeapPacketPool;
using dataplane::Packet;
using mptcp::Demand;
using mptcp::ReorderQueue;
using mptcp::SubflowView;

/// Small, so that a million packets are no gigabytes; the queue looks at their lengths only.
constexpr std::uint32_t kOctets = 32;

std::vector<Packet> packets_of(HeapPacketPool& pool, std::size_t count) {
  std::vector<Packet> out;
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back(pool.alloc());
    out.back().append(kOctets);
  }
  return out;
}

/// A queue with so many holes, to which packets come; those of each batch are made ready before.
void insert(benchmark::State& state, bool behind_all) {
  const auto holes = static_cast<std::size_t>(state.range(0));
  const std::size_t batch = std::max<std::size_t>(holes / 10, 1);
  HeapPacketPool pool(holes + batch, 2 * kOctets);
  dataplane::tcp::MemoryBudget budget{std::size_t{1} << 40};
  dataplane::Rng rng(7);
  Meter meter;
  std::uint64_t items = 0;
  double seconds = 0;
  for (auto _ : state) {
    ReorderQueue queue(budget);
    std::uint64_t position = kOctets;
    for (Packet& packet : packets_of(pool, holes)) {
      queue.insert(position, std::move(packet));
      position += 2 * kOctets;
    }
    std::vector<Packet> coming = packets_of(pool, batch);
    std::vector<std::uint64_t> where;
    for (std::size_t i = 0; i < batch; ++i, position += 2 * kOctets)
      where.push_back(behind_all ? position : 2 * kOctets * (1 + rng.below(holes)));
    const auto start = std::chrono::steady_clock::now();
    meter.start();
    for (std::size_t i = 0; i < batch; ++i)
      queue.insert(where[i], std::move(coming[i]));
    meter.stop();
    const double took =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    state.SetIterationTime(took);
    seconds += took;
    items += batch;
  }
  meter.report(state, items);
  state.counters["ns"] = seconds * 1e9 / static_cast<double>(items);
}

void reorder_insert_behind_all(benchmark::State& state) { insert(state, true); }
void reorder_insert_between(benchmark::State& state) { insert(state, false); }

/// One decision: who of so many subflows gets the next burst.
void decide(benchmark::State& state, mptcp::SchedulerKind kind) {
  std::vector<SubflowView> views;
  for (std::uint8_t id = 0; id < state.range(0); ++id) {
    SubflowView view;
    view.id = id;
    view.mss = 1'448;
    view.srtt = (10 + id) * 1ms;
    view.rttvar = 1ms;
    view.cwnd = 200'000;
    view.in_flight = id == 0 ? 200'000 : 100'000;  // The fastest is full: the others are weighed.
    view.room = view.cwnd - view.in_flight;
    views.push_back(view);
  }
  Demand demand;
  demand.waiting = 10'000'000;
  demand.window = demand.window_room = 10'000'000;
  mptcp::AnyScheduler scheduler = mptcp::make_scheduler(kind);
  Meter meter;
  meter.start();
  for (auto _ : state) {
    demand.now += 1us;
    benchmark::DoNotOptimize(mptcp::next_grant(scheduler, views, demand));
  }
  meter.stop();
  meter.report(state, static_cast<std::uint64_t>(state.iterations()));
}

[[maybe_unused]] const bool kSchedulersRegistered = [] {
  for (std::size_t i = 0; i < mptcp::kSchedulerKindCount; ++i) {
    const auto kind = static_cast<mptcp::SchedulerKind>(i);
    benchmark::RegisterBenchmark(("scheduler/" + std::string(name_of(kind))).c_str(), decide, kind)
        ->Arg(2)
        ->Arg(8)
        ->Arg(32);
  }
  return true;
}();

BENCHMARK(reorder_insert_behind_all)
    ->Arg(10)
    ->Arg(1'000)
    ->Arg(100'000)
    ->Arg(1'000'000)
    ->UseManualTime();
BENCHMARK(reorder_insert_between)
    ->Arg(10)
    ->Arg(1'000)
    ->Arg(100'000)
    ->Arg(1'000'000)
    ->UseManualTime();

}  // namespace
