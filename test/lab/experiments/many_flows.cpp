#include <fmt/format.h>

#include "test/lab/dumbbell.hpp"
#include "test/lab/experiments/experiments.hpp"

namespace lab {

namespace {

constexpr std::size_t kFlows = 1000;
constexpr std::size_t kPairs = 10;
constexpr std::uint64_t kRate = 1'000'000'000;
constexpr Duration kWarmUp = 3s;
constexpr Duration kEnd = 13s;

Outcome share(cc::Kind kind, std::uint64_t seed) {
  Network network(seed, 60'000);
  Dumbbell dumbbell(network, link_of(kRate, 20ms));
  std::vector<Flow*> flows;
  FlowPlan plan;
  plan.tcp.congestion_control = kind;
  for (std::size_t pair = 0; pair < kPairs; ++pair) {
    const auto ends = dumbbell.add_pair({}, network.rng().between(10us, 500us));
    plan.from = &ends.sender;
    plan.to = &ends.receiver;
    for (std::size_t i = 0; i < kFlows / kPairs; ++i) {
      plan.start = network.rng().between(0ms, 1s);
      flows.push_back(&network.add_flow(plan));
    }
  }
  network.run_for(kEnd);
  double sum = 0;
  double squares = 0;
  std::size_t starved = 0;
  for (const Flow* flow : flows) {
    const double rate = flow->rate_between(kWarmUp, kEnd);
    sum += rate;
    squares += rate * rate;
    if (rate == 0) ++starved;
  }
  return {.figures = {100 * sum / static_cast<double>(kRate),
                      sum * sum / (static_cast<double>(kFlows) * squares),
                      static_cast<double>(starved)}};
}

}  // namespace

Experiment many_flows() {
  Experiment out;
  out.name = "many-flows";
  out.title = "1,000 flows through one link";
  out.setup =
      "1,000 TCPs of ten pairs of machines over one link of 1 Gbit/s and 20 ms, its queue one "
      "bandwidth-delay product: 1.7 packets of each on the way, and as many in the queue. They "
      "start within the first second; measured from 3 to 13 s.";
  out.seeds = 3;
  for (const cc::Kind kind : {cc::Kind::Cubic, cc::Kind::NewReno, cc::Kind::Bbr}) {
    out.cases.push_back({std::string(cc::name_of(kind)),
                         {{.name = "payload", .unit = "% of the link", .band = {.low = 93}},
                          {.name = "Jain's index", .unit = "", .band = {.low = 0.8}},
                          {.name = "without an octet", .unit = "flows", .band = {.high = 5}}},
                         [=](std::uint64_t seed) { return share(kind, seed); }});
  }
  return out;
}

}  // namespace lab
