#include <numeric>

#include <fmt/format.h>

#include "test/lab/experiments/experiments.hpp"
#include "test/lab/paths.hpp"

namespace lab {

namespace {

using mptcp::SchedulerKind;

constexpr std::uint64_t kBulk = 64ULL << 20;
constexpr Duration kCall = 90s;

LinkConfig wlan() { return emulated(25'000'000, 25ms, 0.01, 100); }
LinkConfig cellular() { return emulated(5'000'000, 65ms, 0, 3750); }

struct Setting {
  SchedulerKind scheduler = SchedulerKind::MinRtt;
  cc::Kind control = cc::Kind::Olia;
  std::uint32_t send_buffer = 16U << 20;
  std::uint32_t receive_buffer = 16U << 20;
  bool rescues = true;  ///< Opportunistic retransmission and penalisation.
};

/// The buffers of the Android phones that the paper has.
Setting on_a_phone(SchedulerKind scheduler, bool rescues = true) {
  return {scheduler, cc::Kind::Cubic, 1U << 20, 2U << 20, rescues};
}

FlowPlan plan_of(const Setting& setting, const Paths& paths) {
  FlowPlan plan = paths.plan();
  plan.tcp.congestion_control = setting.control;
  plan.tcp.send_buffer_max = setting.send_buffer;
  plan.tcp.receive_buffer_max = setting.receive_buffer;
  plan.mptcp.scheduler = setting.scheduler;
  plan.mptcp.opportunistic_retransmission = plan.mptcp.penalisation = setting.rescues;
  return plan;
}

struct Bulk {
  double goodput;
  double reinjected;
};

Bulk bulk(const Setting& setting, std::uint64_t seed) {
  Network network(seed, 32'768);
  const Paths paths(network, {wlan(), cellular()});
  FlowPlan plan = plan_of(setting, paths);
  plan.octets = kBulk;
  const Flow& flow = network.add_flow(plan);
  network.run_to_end(600s);
  return {goodput_mbps(flow), reinjected_packets(paths.sender())};
}

Outcome bulk_figures(const Setting& setting, std::uint64_t seed) {
  const Bulk found = bulk(setting, seed);
  return {.figures = {found.goodput, found.reinjected}};
}

Outcome bulk_beside_min_rtt(Setting setting, std::uint64_t seed) {
  const Bulk found = bulk(setting, seed);
  setting.scheduler = SchedulerKind::MinRtt;
  const Bulk base = bulk(setting, seed);
  return {.figures = {found.goodput / base.goodput, found.reinjected / base.reinjected}};
}

Outcome single(const LinkConfig& path, std::uint64_t seed) {
  Network network(seed, 32'768);
  const Paths paths(network, {path});
  FlowPlan plan = paths.plan();
  plan.multipath = false;
  plan.tcp.congestion_control = cc::Kind::NewReno;
  plan.octets = kBulk;
  const Flow& flow = network.add_flow(plan);
  network.run_to_end(600s);
  return {.figures = {goodput_mbps(flow)}};
}

/// Milliseconds from the write of a video frame to its last octet's read.
Outcome call(SchedulerKind scheduler, const LinkConfig& second, std::uint64_t seed) {
  Network network(seed, 32'768);
  const Paths paths(network, {wlan(), second});
  FlowPlan plan = plan_of({scheduler, cc::Kind::Olia, 1U << 20, 2U << 20}, paths);
  plan.rate_bps = 1'000'000;
  plan.chunk = 5 << 10;
  const Flow& flow = network.add_flow(plan);
  network.run_for(kCall);
  const Duration sum =
      std::accumulate(flow.delays().begin(), flow.delays().end(), Duration::zero());
  return {.figures = {1e3 * in_seconds(sum) / static_cast<double>(flow.delays().size())}};
}

constexpr auto kOliaHolds =
    "OLIA holds both paths together at what TCP has on the better one (the rows of TCP alone), so "
    "nothing blocks; where the window does, with CUBIC and a phone's buffers, there are thousands.";

Figure goodput(Band band) { return {.name = "goodput", .unit = "Mbit/s", .band = band}; }

Figure reinjections(Band band) { return {.name = "reinjected", .unit = "packets", .band = band}; }

std::vector<Case> bulk_cases() {
  const auto run = [](const Setting& setting) {
    return [=](std::uint64_t seed) { return bulk_figures(setting, seed); };
  };
  Figure with_min_rtt = reinjections({0, 150});
  with_min_rtt.paper = 366.37;
  with_min_rtt.why = kOliaHolds;
  Figure with_blest = with_min_rtt;
  with_blest.paper = 70.3;
  const Band olia{4.8, 5.4};
  return {
      {"OLIA, 16 MiB, min-rtt", {goodput(olia), with_min_rtt}, run({})},
      {"OLIA, 16 MiB, BLEST",
       {goodput(olia), with_blest},
       run({.scheduler = SchedulerKind::Blest})},
      {"TCP alone, WLAN", {goodput({2.6, 3.3})}, [](std::uint64_t s) { return single(wlan(), s); }},
      {"TCP alone, 3G", {goodput({4.4, 5})}, [](std::uint64_t s) { return single(cellular(), s); }},
      {"CUBIC, 1 and 2 MiB, min-rtt",
       {goodput({4.8, 6}), reinjections({})},
       run(on_a_phone(SchedulerKind::MinRtt))},
      {"... without opportunistic retransmission",
       {goodput({4.8, 6}), reinjections({0, 150})},
       run(on_a_phone(SchedulerKind::MinRtt, false))},
      {"CUBIC, 1 and 2 MiB, BLEST",
       {goodput({6.9, 7.7}), reinjections({0, 3000})},
       run(on_a_phone(SchedulerKind::Blest))},
      {"... without opportunistic retransmission",
       {goodput({6.9, 7.7}), reinjections({0, 150})},
       run(on_a_phone(SchedulerKind::Blest, false))},
      {"CUBIC, 1 and 2 MiB, ECF",
       {goodput({6.9, 7.9}), reinjections({0, 6000})},
       run(on_a_phone(SchedulerKind::Ecf))},
  };
}

std::vector<Case> beside_min_rtt() {
  Figure more{.name = "goodput / min-rtt", .unit = "", .paper = 1.12, .band = {0.98, 1.1}};
  Figure fewer{.name = "reinjected / min-rtt", .unit = "", .paper = 0.19, .band = {0, 1.1}};
  fewer.why = kOliaHolds;
  const auto olia = [](std::uint64_t seed) {
    return bulk_beside_min_rtt({.scheduler = SchedulerKind::Blest}, seed);
  };
  Figure much_more{.name = "goodput / min-rtt", .unit = "", .band = {.low = 1.1}};
  Figure far_fewer{.name = "reinjected / min-rtt", .unit = "", .band = {.high = 0.25}};
  const auto phone = [](std::uint64_t seed) {
    return bulk_beside_min_rtt(on_a_phone(SchedulerKind::Blest), seed);
  };
  return {{"OLIA, 16 MiB, BLEST", {more, fewer}, olia},
          {"CUBIC, 1 and 2 MiB, BLEST", {much_more, far_fewer}, phone}};
}

Case call_case(SchedulerKind scheduler, bool is_cellular, double paper) {
  Figure delay{.name = "mean delay", .unit = "ms", .paper = paper};
  delay.band = is_cellular ? Band{62, 80} : Band{42, 54};
  return {
      fmt::format("video, {}, {}", is_cellular ? "WLAN and 3G" : "two WLANs",
                  mptcp::name_of(scheduler)),
      {delay},
      [=](std::uint64_t seed) { return call(scheduler, is_cellular ? cellular() : wlan(), seed); }};
}

}  // namespace

Experiment blest() {
  Experiment out;
  out.name = "E8";
  out.title = "BLEST keeps a slow path from blocking a fast one";
  out.setup =
      "WLAN: 25 Mbit/s, 25 ms each way, 1 % loss, a queue of 100 packets; 3G: 5 Mbit/s, 65 ms, no "
      "loss, 3750 packets. Bulk: 64 MiB; with OLIA and 16 MiB of buffers, as in the paper, and "
      "with CUBIC and the 1024 KiB to send and 2048 KiB to receive of its phones. Video: frames of "
      "5 KiB, 1 Mbit/s, 90 s, OLIA, a phone's buffers. min-rtt has opportunistic retransmission "
      "and penalisation, as Linux v0.90. Ferlin, Alay, Mehani and Boreli (IFIP Networking 2016), "
      "who had background traffic on both paths besides; there is none here.";
  out.seeds = 3;
  out.cases = bulk_cases();
  for (Case& each : beside_min_rtt())
    out.cases.push_back(std::move(each));
  out.cases.push_back(call_case(SchedulerKind::MinRtt, true, 68));
  out.cases.push_back(call_case(SchedulerKind::Blest, true, 62.8));
  out.cases.push_back(call_case(SchedulerKind::MinRtt, false, 52.18));
  out.cases.push_back(call_case(SchedulerKind::Blest, false, 52.24));
  return out;
}

}  // namespace lab
