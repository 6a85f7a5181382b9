#include <fmt/format.h>

#include "test/lab/experiments/experiments.hpp"
#include "test/lab/paths.hpp"

namespace lab {

namespace {

using mptcp::SchedulerKind;

constexpr std::uint64_t kOctets = 16ULL << 20;

/// Rates in Mbit/s, delays each way.
struct Shape {
  std::uint64_t mbps[2];
  Duration delays[2];
};
constexpr Shape kShapes[] = {{{10, 10}, {0ms, 0ms}},
                             {{10, 10}, {1ms, 25ms}},
                             {{15, 5}, {0ms, 0ms}},
                             {{15, 5}, {1ms, 25ms}},
                             {{15, 5}, {25ms, 1ms}}};

/// What of both rates the transfer used, from the call to the end of the stream. Frames count as
/// they stand on the wire: a full one has 1,514 octets for 1,428 of payload.
double used(const Shape& shape, FlowPlan plan, Network& network) {
  constexpr double kFrame = 1514, kPayload = 1428;
  plan.octets = kOctets;
  plan.multipath = true;
  const Flow& flow = network.add_flow(plan);
  network.run_to_end(60s);
  return goodput_mbps(flow) * (kFrame / kPayload) /
         static_cast<double>(shape.mbps[0] + shape.mbps[1]);
}

std::vector<LinkConfig> links_of(const Shape& shape, std::size_t queue) {
  std::vector<LinkConfig> out;
  for (const std::size_t path : {0U, 1U})
    out.push_back(emulated(shape.mbps[path] * 1'000'000, shape.delays[path], 0, queue));
  return out;
}

FlowPlan plan_of(Machine& client, Machine& server, bool up, SchedulerKind scheduler) {
  FlowPlan plan;
  plan.from = up ? &client : &server;
  plan.to = up ? &server : &client;
  plan.download = !up;
  plan.mptcp.scheduler = scheduler;
  return plan;
}

Outcome both_ways_to_queue(const Shape& shape, bool up, SchedulerKind scheduler,
                           std::uint64_t seed) {
  Network kernels(seed, 32'768);
  const MachineConfig config{.ports = 2, .connections = 16};
  Machine& client = kernels.add_machine(config);
  Machine& server = kernels.add_machine(config);
  const std::vector<LinkConfig> links = links_of(shape, 1000);
  for (const std::size_t path : {0U, 1U})
    kernels.join(client, path, server, path, links[path]);
  Network lossy(seed, 32'768);
  const Paths paths(lossy, links_of(shape, lossy.rng().between(60, 120)));
  return {.figures = {
              used(shape, plan_of(client, server, up, scheduler), kernels),
              used(shape, plan_of(paths.sender(), paths.receiver(), up, scheduler), lossy),
          }};
}

Case case_of(const Shape& shape, bool up, SchedulerKind scheduler) {
  const std::string label = fmt::format("{} and {} Mbit/s, {} and {} ms, {}, {}", shape.mbps[0],
                                        shape.mbps[1], shape.delays[0] / 1ms, shape.delays[1] / 1ms,
                                        up ? "up" : "down", mptcp::name_of(scheduler));
  const Band band{0.93, 1.001};
  return {label,
          {{.name = "of the sum, no loss", .unit = "", .band = band},
           {.name = "of the sum, short queue", .unit = "", .band = band}},
          [=](std::uint64_t seed) { return both_ways_to_queue(shape, up, scheduler, seed); }};
}

}  // namespace

Experiment simultaneous() {
  Experiment out;
  out.name = "E16";
  out.title = "two paths at once carry the sum of both";
  out.setup =
      "16 MiB over two paths, in both directions, with CUBIC: the shapes of the Linux kernel's "
      "simult_flows.sh (rates; delays each way), which asks for 90 % and 450 ms. Once with the "
      "kernel's queue of 1,000 packets in the sender, which loses nothing, and once with 60 to 120 "
      "in a router, which does. From the call to the end of the stream, slow start included; "
      "frames with their headers. Asked for here are 93 %.";
  out.seeds = 3;
  out.quick = true;
  for (const Shape& shape : kShapes)
    for (const bool up : {true, false})
      for (const auto scheduler : {SchedulerKind::MinRtt, SchedulerKind::RoundRobin,
                                   SchedulerKind::Blest, SchedulerKind::Ecf})
        out.cases.push_back(case_of(shape, up, scheduler));
  return out;
}

}  // namespace lab
