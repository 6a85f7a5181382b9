#include <array>

#include "test/lab/dumbbell.hpp"
#include "test/lab/experiments/experiments.hpp"

namespace lab {

namespace {

constexpr Duration kWarmUp = 20s;
constexpr Duration kEnd = 140s;

/// A fast path with little delay and a slow one with a deep queue, as links of that time were.
struct Links {
  LinkConfig wifi;
  LinkConfig mobile;
};

Links links_of(std::uint64_t wifi_bps, std::uint64_t mobile_bps) {
  Links out{link_of(wifi_bps, 20ms, 2), link_of(mobile_bps, 150ms, 8)};
  return out;
}

/// Megabits a second of: a connection over both, a TCP over each; those that are asked for.
struct Who {
  bool multipath;
  bool wifi;
  bool mobile;
};

std::array<double, 3> rates_of(const Links& links, const Who& who, std::uint64_t seed) {
  Network network(seed);
  Dumbbell wifi(network, links.wifi);
  Dumbbell mobile(network, links.mobile);
  std::array<Flow*, 3> flows{};
  FlowPlan plan;
  const auto begin = [&] {
    plan.start = network.rng().between(0ms, 1s);
    return &network.add_flow(plan);
  };
  if (who.multipath) {
    Machine& sender = network.add_machine({.ports = 2});
    Machine& receiver = network.add_machine({.ports = 2});
    wifi.hang(sender, 0, receiver, 0);
    mobile.hang(sender, 1, receiver, 1);
    plan.from = &sender;
    plan.to = &receiver;
    plan.multipath = true;
    plan.tcp.congestion_control = cc::Kind::Lia;
    flows[0] = begin();
  }
  plan.multipath = false;
  plan.tcp.congestion_control = cc::Kind::NewReno;
  for (const std::size_t i : {1U, 2U}) {
    if (i == 1 ? !who.wifi : !who.mobile) continue;
    const auto pair = (i == 1 ? wifi : mobile).add_pair();
    plan.from = &pair.sender;
    plan.to = &pair.receiver;
    flows[i] = begin();
  }
  network.run_for(kEnd);
  std::array<double, 3> out{};
  for (std::size_t i = 0; i < flows.size(); ++i)
    if (flows[i] != nullptr) out[i] = flows[i]->rate_between(kWarmUp, kEnd) / 1e6;
  return out;
}

Case alone(const char* label, const Who& who, std::size_t which, double paper) {
  return {label,
          {{"rate", "Mbit/s", paper, {0.85 * paper, 1.15 * paper}, ""}},
          [=](std::uint64_t seed) {
            return Outcome{{rates_of(links_of(15'100'000, 2'210'000), who, seed)[which]}};
          }};
}

}  // namespace

Experiment wifi_and_3g() {
  Experiment out;
  out.name = "E2";
  out.title = "WiFi and 3G, idle and with others (NSDI 2011)";
  out.seeds = 3;
  out.quick = true;
  out.setup =
      "A connection with LIA over a WiFi link (20 ms, queue of two bandwidth-delay products) and a "
      "3G "
      "link (150 ms, queue of eight). Idle: the links have what the paper's TCPs found on them. "
      "Busy: "
      "with a TCP (NewReno) on each; the paper does not tell the rates of that hour, the sums of "
      "its "
      "table are 5.4 to 6.0 Mbit/s: here 4.5 and 1.4. From 20 to 140 s. Numbers beside ours: "
      "Wischik, "
      "Raiciu, Greenhalgh and Handley, NSDI 2011.";
  out.cases.push_back(alone("idle, TCP on WiFi", {false, true, false}, 1, 14.4));
  out.cases.push_back(alone("idle, TCP on 3G", {false, false, true}, 2, 2.1));
  out.cases.push_back(alone("idle, both paths", {true, false, false}, 0, 17.3));
  constexpr const char* kWhy =
      "the shares follow the rates of the links and their losses, which the paper does not tell";
  out.cases.push_back(
      {"busy",
       {{"both paths", "Mbit/s", 2.21, {1.2, 3.0}, kWhy},
        {"TCP on WiFi", "Mbit/s", 2.56, {2.0, 3.6}, kWhy},
        {"TCP on 3G", "Mbit/s", 0.65, {0.4, 1.3}, kWhy}},
       [](std::uint64_t seed) {
         const auto rates = rates_of(links_of(4'500'000, 1'400'000), {true, true, true}, seed);
         return Outcome{{rates.begin(), rates.end()}};
       }});
  return out;
}

}  // namespace lab
