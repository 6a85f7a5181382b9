#include <fmt/format.h>

#include "test/lab/dumbbell.hpp"
#include "test/lab/experiments/experiments.hpp"

namespace lab {

namespace {

constexpr Duration kWarmUp = 20s;
constexpr Duration kEnd = 120s;
constexpr std::size_t kOfEach = 3;

/// What the connections of so many subflows have, as a part of what as many TCPs have.
Outcome share_of(cc::Kind kind, std::size_t subflows, std::uint64_t seed) {
  Network network(seed);
  Dumbbell dumbbell(network, link_of(120'000'000, 40ms));
  double taken = 0;
  double left = 0;
  std::vector<Flow*> flows;
  for (std::size_t i = 0; i < 2 * kOfEach; ++i) {
    FlowPlan plan;
    plan.multipath = i < kOfEach;
    const auto pair = dumbbell.add_pair({.ports = plan.multipath ? subflows : 1});
    plan.from = &pair.sender;
    plan.to = &pair.receiver;
    plan.start = network.rng().between(0ms, 1s);
    plan.tcp.congestion_control = plan.multipath ? kind : cc::Kind::NewReno;
    plan.mptcp.max_subflows = static_cast<std::uint8_t>(subflows);
    flows.push_back(&network.add_flow(plan));
  }
  network.run_for(kEnd);
  for (const Flow* flow : flows)
    (flow->plan().multipath ? taken : left) += flow->rate_between(kWarmUp, kEnd);
  return {.figures = {taken / left}};
}

}  // namespace

Experiment shared_bottleneck() {
  Experiment out;
  out.name = "E1";
  out.title = "subflows that share a bottleneck take together what one TCP takes";
  out.seeds = 3;
  out.setup =
      "Three connections of n subflows each and three TCPs (NewReno) over one link of 120 Mbit/s "
      "and "
      "40 ms, its queue one bandwidth-delay product; from 20 to 120 s. RFC 6356 §2.2 asks for at "
      "most "
      "the share of one TCP; Barré, Paasch and Bonaventure (IFIP Networking 2011) measured it for "
      "LIA "
      "with one to three subflows. LIA weighs with the largest window of the moment, which among "
      "many sawteeth is well above their mean: that is what its eight subflows have too much.";
  for (const cc::Kind kind : {cc::Kind::Lia, cc::Kind::Olia, cc::Kind::Balia}) {
    for (const std::size_t n : {1U, 2U, 4U, 8U}) {
      const bool many = n == 8;
      Figure figure{
          .name = "share of one TCP", .unit = "", .band = {many ? 0.7 : 0.85, many ? 1.35 : 1.15}};
      if (kind == cc::Kind::Lia && n <= 3) figure.paper = 1;
      out.cases.push_back({fmt::format("{}, {} subflows", cc::name_of(kind), n),
                           {figure},
                           [=](std::uint64_t seed) { return share_of(kind, n, seed); }});
    }
  }
  return out;
}

}  // namespace lab
