#include <fmt/format.h>

#include "test/lab/experiments/experiments.hpp"
#include "test/lab/paths.hpp"

namespace lab {

namespace {

using mptcp::SchedulerKind;

constexpr Duration kWarmUp = 10s;
constexpr Duration kEnd = 70s;

LinkConfig lossy(Duration delay = 10ms) { return emulated(30'000'000, delay, 0.01, 1000); }
LinkConfig distant(std::size_t queue = 1000) { return emulated(30'000'000, 100ms, 0, queue); }

Outcome rate(const std::vector<LinkConfig>& links, cc::Kind control, SchedulerKind scheduler,
             std::uint64_t seed) {
  Network network(seed, 32'768);
  const Paths paths(network, links);
  FlowPlan plan = paths.plan();
  plan.multipath = links.size() > 1;
  plan.tcp.congestion_control = control;
  plan.tcp.send_buffer_max = plan.tcp.receive_buffer_max = 6'000'000;
  plan.mptcp.scheduler = scheduler;
  const Flow& flow = network.add_flow(plan);
  network.run_for(kEnd);
  return {.figures = {1e-6 * flow.rate_between(kWarmUp, kEnd)}};
}

constexpr auto kShorter =
    "Ours comes within 7 % of it when the round trip is 26 ms instead of 20: it is short of delay, "
    "not of recovery.";
constexpr auto kRoomier =
    "Nothing says what queue the long path had: with Reno and one of 10 packets instead of 1,000 "
    "it comes down to about this, and both with it.";

}  // namespace

Experiment long_and_lossy() {
  Experiment out;
  out.name = "E7";
  out.title = "a short path that loses and a long one that does not";
  out.setup =
      "30 Mbit/s, 20 ms, 1 % loss, and 30 Mbit/s, 200 ms, no loss; buffers of 6 MB; from 10 to "
      "70 s. TCP on each, and one connection on both. The figures are those of issue 278 of the "
      "Linux kernel's Multipath TCP outside the tree, which tells neither controller nor queues: "
      "CUBIC and 1,000 packets here.";
  out.seeds = 3;
  const auto add = [&](const std::string& label, const std::vector<LinkConfig>& links,
                       cc::Kind control, SchedulerKind scheduler, Figure figure) {
    figure.name = "rate";
    figure.unit = "Mbit/s";
    out.cases.push_back({label, {figure}, [=](std::uint64_t seed) {
                           return rate(links, control, scheduler, seed);
                         }});
  };
  const auto figure = [](std::optional<double> paper, Band band, const char* why = "") {
    return Figure{.name = "", .unit = "", .paper = paper, .band = band, .why = why};
  };
  constexpr auto kCubic = cc::Kind::Cubic, kReno = cc::Kind::NewReno;
  constexpr auto kMinRtt = SchedulerKind::MinRtt;
  add("TCP, short path", {lossy()}, kCubic, kMinRtt, figure(5.7, {7, 8.5}, kShorter));
  add("TCP, short path of 26 ms", {lossy(13ms)}, kCubic, kMinRtt, figure({}, {5.2, 7}));
  add("TCP, long path", {distant()}, kCubic, kMinRtt, figure(10.4, {28, 29}, kRoomier));
  add("Reno, long path, 10 packets", {distant(10)}, kReno, kMinRtt, figure({}, {9, 14}));
  for (const auto scheduler : {kMinRtt, SchedulerKind::Blest, SchedulerKind::Ecf})
    add(fmt::format("both paths, {}", mptcp::name_of(scheduler)), {lossy(), distant()}, kCubic,
        scheduler, figure(24.8, {34.5, 38}, kRoomier));
  add("Reno, both paths, 10 packets", {lossy(), distant(10)}, kReno, kMinRtt, figure({}, {16, 22}));
  add("BBR, both paths", {lossy(), distant()}, cc::Kind::Bbr, kMinRtt, figure({}, {45, 56}));
  return out;
}

}  // namespace lab
