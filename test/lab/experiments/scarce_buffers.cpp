#include <fmt/format.h>

#include "test/lab/experiments/experiments.hpp"
#include "test/lab/paths.hpp"

namespace lab {

namespace {

using mptcp::SchedulerKind;

constexpr std::uint64_t kOctets = 32ULL << 20;

struct Place {
  std::size_t queue;     ///< Packets.
  std::uint32_t buffer;  ///< Of either host, octets.
};
constexpr Place kNetwork{40, 16U << 20};
constexpr Place kHost{400, 512U << 10};

double goodput(const Place& place, SchedulerKind scheduler, bool opportunistic,
               std::uint64_t seed) {
  Network network(seed, 32'768);
  const Paths paths(network, {emulated(20'000'000, 10ms, 0, place.queue),
                              emulated(20'000'000, 50ms, 0, place.queue)});
  FlowPlan plan = paths.plan();
  plan.octets = kOctets;
  // Else all seeds are the same.
  plan.start = network.rng().between(0ms, 100ms);
  plan.mptcp.scheduler = scheduler;
  plan.mptcp.opportunistic_retransmission = opportunistic;
  plan.tcp.send_buffer_max = plan.tcp.receive_buffer_max = place.buffer;
  const Flow& flow = network.add_flow(plan);
  network.run_to_end(300s);
  return goodput_mbps(flow);
}

Outcome beside_min_rtt(const Place& place, SchedulerKind scheduler, bool opportunistic,
                       std::uint64_t seed) {
  const double own = goodput(place, scheduler, opportunistic, seed);
  return {.figures = {own, own / goodput(place, SchedulerKind::MinRtt, true, seed)}};
}

constexpr auto kNoStms =
    "There is no STMS here, and where queues are small the congestion windows decide: four "
    "schedulers give the same.";
constexpr auto kRescued =
    "There is no STMS here; min-rtt itself gains a tenth by opportunistic retransmission (the row "
    "without), to which ECF adds nothing, and BLEST hardly uses the slow path.";

}  // namespace

Experiment scarce_buffers() {
  Experiment out;
  out.name = "E14";
  out.title = "small buffers in the network and in the host";
  out.setup =
      "32 MiB over 20 Mbit/s, 20 ms and 20 Mbit/s, 100 ms with CUBIC: with queues of 40 packets "
      "and large hosts, and with queues of 400 and 512 KiB to send and to receive. Shi and others "
      "(STMS, USENIX ATC 2018) gain 30 % and 15 % over min-rtt by giving the slow path what is to "
      "arrive in order; their rates and delays are not in our source. BLEST and ECF stand for it.";
  out.seeds = 3;
  const auto add = [&](const char* where, const Place& place, SchedulerKind scheduler,
                       bool opportunistic, Figure ratio) {
    ratio.name = "goodput / min-rtt";
    const std::string label =
        fmt::format("{}, {}{}", where, mptcp::name_of(scheduler),
                    opportunistic ? "" : " without opportunistic retransmission");
    out.cases.push_back(
        {label, {{.name = "goodput", .unit = "Mbit/s"}, ratio}, [=](std::uint64_t seed) {
           return beside_min_rtt(place, scheduler, opportunistic, seed);
         }});
  };
  const auto figure = [](std::optional<double> paper, Band band, const char* why = "") {
    return Figure{.name = "", .unit = "", .paper = paper, .band = band, .why = why};
  };
  for (const auto scheduler : {SchedulerKind::Blest, SchedulerKind::Ecf, SchedulerKind::RoundRobin})
    add("network", kNetwork, scheduler, true, figure(1.3, {0.97, 1.05}, kNoStms));
  add("host", kHost, SchedulerKind::MinRtt, false, figure({}, {0.8, 1.05}));
  add("host", kHost, SchedulerKind::Blest, true, figure(1.15, {0.55, 1.3}, kRescued));
  add("host", kHost, SchedulerKind::Ecf, true, figure(1.15, {0.95, 1.3}, kRescued));
  return out;
}

}  // namespace lab
