#include <fmt/format.h>

#include "test/lab/dumbbell.hpp"
#include "test/lab/experiments/experiments.hpp"

namespace lab {

namespace {

constexpr Duration kWarmUp = 20s;
constexpr Duration kEnd = 140s;
constexpr std::size_t kOthers = 4;

/// The aggregate of `subflows` as a part of what each of the others has.
Outcome share_of(cc::Kind kind, std::size_t subflows, std::uint64_t seed) {
  Network network(seed);
  Dumbbell dumbbell(network, link_of(20'000'000, 40ms));
  FlowPlan plan;
  plan.multipath = true;
  plan.tcp.congestion_control = kind;
  plan.mptcp.max_subflows = static_cast<std::uint8_t>(subflows);
  std::vector<Flow*> flows;
  for (std::size_t i = 0; i <= kOthers; ++i) {
    // Round trips that differ a little: else all lose in the same rhythm.
    const Duration access = network.rng().between(10us, 500us);
    const auto pair = dumbbell.add_pair({.ports = i == 0 ? subflows : 1}, access);
    plan.from = &pair.sender;
    plan.to = &pair.receiver;
    plan.start = network.rng().between(0ms, 1s);
    flows.push_back(&network.add_flow(plan));
    plan.multipath = false;
    plan.tcp.congestion_control = cc::Kind::NewReno;
  }
  network.run_for(kEnd);
  double others = 0;
  for (std::size_t i = 1; i <= kOthers; ++i)
    others += flows[i]->rate_between(kWarmUp, kEnd) / kOthers;
  return {.figures = {flows[0]->rate_between(kWarmUp, kEnd) / others}};
}

}  // namespace

Experiment shared_bottleneck() {
  Experiment out;
  out.name = "E1";
  out.title = "subflows that share a bottleneck take together what one TCP takes";
  out.setup =
      "One connection of n subflows and four TCPs (NewReno) over one link of 20 Mbit/s and 40 ms, "
      "its queue one bandwidth-delay product; from 20 to 140 s. RFC 6356 §2.2 asks for at most the "
      "share of one TCP; Barré, Paasch and Bonaventure (IFIP Networking 2011) measured it for LIA "
      "with one to three subflows.";
  for (const cc::Kind kind : {cc::Kind::Lia, cc::Kind::Olia, cc::Kind::Balia}) {
    for (const std::size_t n : {1U, 2U, 3U, 4U, 6U, 8U}) {
      Figure figure{.name = "share of one TCP", .unit = "", .band = {0.9, 1.1}};
      if (kind == cc::Kind::Lia && n <= 3) figure.paper = 1;
      out.cases.push_back({fmt::format("{}, {} subflows", cc::name_of(kind), n),
                           {figure},
                           [=](std::uint64_t seed) { return share_of(kind, n, seed); }});
    }
  }
  return out;
}

}  // namespace lab
