#include <fmt/format.h>

#include "test/lab/dumbbell.hpp"
#include "test/lab/experiments/experiments.hpp"

namespace lab {

namespace {

struct Cell {
  std::uint64_t rate_mbps;
  Duration round_trip;
  double queue;
  double loss;
  std::string label() const {
    return fmt::format("{} Mbit/s, {} ms, queue {}, loss {} %", rate_mbps, round_trip / 1ms, queue,
                       loss * 100);
  }
};

LinkConfig link_of(const Cell& cell) {
  LinkConfig out = lab::link_of(cell.rate_mbps * 1'000'000, cell.round_trip, cell.queue);
  out.faults.loss = cell.loss;
  return out;
}

constexpr Duration kEnd = 60s;
constexpr Duration kWarmUp = 15s;

/// Two flows: what both have of the link, and what the first has of both.
Outcome two_flows(const Cell& cell, cc::Kind kind, cc::Kind beside, std::uint64_t seed) {
  Network network(seed);
  Dumbbell dumbbell(network, link_of(cell));
  std::vector<Flow*> flows;
  for (const cc::Kind each : {kind, beside}) {
    const auto pair = dumbbell.add_pair();
    FlowPlan plan;
    plan.from = &pair.sender;
    plan.to = &pair.receiver;
    plan.start = network.rng().between(0ms, 1s);
    plan.tcp.congestion_control = each;
    flows.push_back(&network.add_flow(plan));
  }
  network.run_for(kEnd);
  const double first = flows[0]->rate_between(kWarmUp, kEnd);
  const double both = first + flows[1]->rate_between(kWarmUp, kEnd);
  return {.figures = {both * 1514 / 1448 / static_cast<double>(cell.rate_mbps) / 1e4,
                      first / both * 100}};
}

}  // namespace

Experiment grid() {
  Experiment out;
  out.name = "grid";
  out.title = "each controller beside CUBIC, over rate, round trip, queue and loss";
  out.setup =
      "Two flows over one link: one of the controller named and one of CUBIC; from 15 to 60 s. The "
      "queue is so many bandwidth-delay products. What both have of the link, headers counted, and "
      "what the first has of both: 50 % is an equal share.";
  out.seeds = 3;
  std::vector<Cell> cells;
  for (const std::uint64_t rate : {10U, 50U})
    for (const Duration round_trip : {Duration(10ms), Duration(100ms)})
      for (const double queue : {0.5, 4.0})
        for (const double loss : {0.0, 1e-3})
          cells.push_back({rate, round_trip, queue, loss});
  for (const cc::Kind kind : {cc::Kind::NewReno, cc::Kind::Cubic, cc::Kind::Bbr}) {
    for (const Cell& cell : cells) {
      // Random loss is the law of what answers to loss, not a queue's: no band for its utilisation.
      const Band used = cell.loss > 0 ? Band{10, 102} : Band{70, 102};
      const Band share = kind == cc::Kind::Cubic ? Band{30, 70} : Band{1, 99};
      out.cases.push_back(
          {fmt::format("{}: {}", cc::name_of(kind), cell.label()),
           {{"of the link", "%", {}, used, ""}, {"share", "%", {}, share, ""}},
           [=](std::uint64_t seed) { return two_flows(cell, kind, cc::Kind::Cubic, seed); }});
    }
  }
  return out;
}

}  // namespace lab
