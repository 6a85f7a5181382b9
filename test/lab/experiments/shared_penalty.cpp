#include <fmt/format.h>

#include "test/lab/dumbbell.hpp"
#include "test/lab/experiments/experiments.hpp"
#include "test/lab/paths.hpp"

namespace lab {

namespace {

using mptcp::SchedulerKind;

constexpr std::uint64_t kRate = 20'000'000;
constexpr Duration kRoundTrip = 40ms;
constexpr Duration kWarmUp = 10s;
constexpr Duration kEnd = 70s;

struct Setting {
  SchedulerKind scheduler;
  double queue;   ///< Bandwidth-delay products.
  double buffer;  ///< Of the receiver, the same.
  bool rival;     ///< A TCP beside it.
};

struct Found {
  double rate;
  double penalties;
};

Found run(const Setting& setting, bool penalise, std::uint64_t seed) {
  Network network(seed, 32'768);
  Dumbbell dumbbell(network, link_of(kRate, kRoundTrip, setting.queue));
  const auto pair = dumbbell.add_pair({.ports = 2});
  FlowPlan plan;
  plan.from = &pair.sender;
  plan.to = &pair.receiver;
  plan.multipath = true;
  plan.mptcp.max_subflows = 2;
  plan.mptcp.scheduler = setting.scheduler;
  plan.mptcp.penalisation = penalise;
  plan.tcp.receive_buffer_initial = plan.tcp.receive_buffer_max =
      static_cast<std::uint32_t>(setting.buffer * kRate / 8 * in_seconds(kRoundTrip));
  const Flow& flow = network.add_flow(plan);
  if (setting.rival) {
    const auto other = dumbbell.add_pair({}, 200us);
    FlowPlan rival;
    rival.from = &other.sender;
    rival.to = &other.receiver;
    rival.start = 100ms;
    network.add_flow(rival);
  }
  network.run_for(kEnd);
  return {1e-6 * flow.rate_between(kWarmUp, kEnd),
          static_cast<double>(pair.sender.core().stats().mptcp.penalties)};
}

Outcome on_against_off(const Setting& setting, std::uint64_t seed) {
  const Found on = run(setting, true, seed);
  const Found off = run(setting, false, seed);
  return {.figures = {on.rate / off.rate, on.penalties}};
}

/// Two paths of their own; the second one only fills its queue.
Found run_apart(bool penalise, std::uint64_t seed) {
  Network network(seed, 32'768);
  const Paths paths(network,
                    {emulated(20'000'000, 10ms, 0, 60), emulated(2'000'000, 30ms, 0, 1000)});
  FlowPlan plan = paths.plan();
  plan.start = network.rng().between(0ms, 100ms);
  plan.mptcp.penalisation = penalise;
  plan.mptcp.opportunistic_retransmission = false;
  plan.tcp.receive_buffer_max = 512U << 10;
  const Flow& flow = network.add_flow(plan);
  network.run_for(kEnd);
  return {1e-6 * flow.rate_between(kWarmUp, kEnd),
          static_cast<double>(paths.sender().core().stats().mptcp.penalties)};
}

Outcome apart(std::uint64_t seed) {
  const Found on = run_apart(true, seed);
  return {.figures = {on.rate / run_apart(false, seed).rate, on.penalties}};
}

}  // namespace

Experiment shared_penalty() {
  Experiment out;
  out.name = "shared-penalty";
  out.title = "penalisation does not hurt subflows that share a bottleneck";
  out.setup =
      "A connection of two subflows over one link of 20 Mbit/s and 40 ms, alone or beside a TCP, "
      "CUBIC; queue and receive buffer in bandwidth-delay products; from 10 to 70 s, with "
      "penalisation and without. Last, two paths of their own, where it is to help: 20 Mbit/s, "
      "20 ms, 60 packets, and 2 Mbit/s, 60 ms, 1,000 packets, with a receive buffer of 512 KiB "
      "and no opportunistic retransmission.";
  out.seeds = 3;
  Figure ratio{.name = "rate with / without", .unit = "", .band = {.low = 0.9}};
  Figure penalties{.name = "penalties", .unit = "", .band = {.high = 10}};
  for (const SchedulerKind scheduler : {SchedulerKind::MinRtt, SchedulerKind::RoundRobin})
    for (const double queue : {1.0, 4.0})
      for (const double buffer : {1.0, 2.0})
        for (const bool rival : {false, true})
          out.cases.push_back({fmt::format("{}, queue {}, buffer {}, {}", mptcp::name_of(scheduler),
                                           queue, buffer, rival ? "beside a TCP" : "alone"),
                               {ratio, penalties},
                               [=](std::uint64_t seed) {
                                 return on_against_off({scheduler, queue, buffer, rival}, seed);
                               }});
  out.cases.push_back({"two paths, min-rtt",
                       {{.name = "rate with / without", .unit = "", .band = {.low = 1}},
                        {.name = "penalties", .unit = "", .band = {.low = 1}}},
                       apart});
  return out;
}

}  // namespace lab
