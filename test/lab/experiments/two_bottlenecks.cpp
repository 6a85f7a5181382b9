#include <array>

#include <fmt/format.h>

#include "test/lab/dumbbell.hpp"
#include "test/lab/experiments/experiments.hpp"

namespace lab {

namespace {

constexpr Duration kEnd = 100s;
constexpr double kMega = 1e6;

/// What the others are, and how many round trips of octets the queues hold.
struct Beside {
  cc::Kind kind = cc::Kind::NewReno;
  double queue = 1;
};

/// One connection over two bottlenecks, and a TCP on each of them.
Outcome rates_of(cc::Kind kind, const Beside& beside, std::uint64_t seed) {
  Network network(seed);
  Dumbbell first(network, link_of(10'000'000, 40ms, beside.queue));
  Dumbbell second(network, link_of(10'000'000, 40ms, beside.queue));
  Machine& sender = network.add_machine({.ports = 2});
  Machine& receiver = network.add_machine({.ports = 2});
  first.hang(sender, 0, receiver, 0);
  second.hang(sender, 1, receiver, 1);
  FlowPlan plan;
  plan.from = &sender;
  plan.to = &receiver;
  plan.multipath = true;
  plan.tcp.congestion_control = kind;
  std::vector<Flow*> flows = {&network.add_flow(plan)};
  plan.multipath = false;
  plan.tcp.congestion_control = beside.kind;
  for (Dumbbell* each : {&first, &second}) {
    const auto pair = each->add_pair();
    plan.from = &pair.sender;
    plan.to = &pair.receiver;
    plan.start = network.rng().between(0ms, 1s);
    flows.push_back(&network.add_flow(plan));
  }
  network.run_for(kEnd);
  Outcome out;
  for (const Flow* flow : flows)
    out.figures.push_back(flow->rate_between(0s, kEnd) / kMega);
  return out;
}

struct Paper {
  cc::Kind kind;
  std::array<double, 3> rates;
};

constexpr const char* kWhy =
    "that issue tells neither the queues nor the TCPs; with CUBIC beside it and queues of five "
    "round "
    "trips (last case) ours yields as much";

Case case_of(const std::string& label, cc::Kind kind, const Beside& beside,
             const std::array<double, 3>* paper, Band band) {
  Case out{label, {}, {}};
  const std::array<const char*, 3> names = {"MPTCP", "first TCP", "second TCP"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    out.figures.push_back({names[i], "Mbit/s", {}, band, kWhy});
    if (paper != nullptr) out.figures.back().paper = (*paper)[i];
  }
  out.run = [=](std::uint64_t seed) { return rates_of(kind, beside, seed); };
  return out;
}

}  // namespace

Experiment two_bottlenecks() {
  Experiment out;
  out.name = "E5";
  out.title = "one connection over two bottlenecks, with a TCP on each";
  out.quick = true;
  out.setup =
      "Two links of 10 Mbit/s and 40 ms, queues of one bandwidth-delay product; a connection with "
      "a "
      "subflow over each, and a TCP (NewReno) on each; 100 s. Ideal: 6.67 Mbit/s for each of the "
      "three, of which 6.38 are payload; the bands are 10 % around that. The numbers beside ours "
      "are "
      "those of issue 504 of multipath-tcp.org's Linux.";
  constexpr double kIdeal = 20.0 / 3 * 1448 / 1514;
  for (const auto& [kind, rates] :
       std::initializer_list<Paper>{{cc::Kind::Lia, {3.44, 7.64, 7.94}},
                                    {cc::Kind::Olia, {5.42, 6.64, 6.96}},
                                    {cc::Kind::Balia, {4.76, 7.31, 6.94}}})
    out.cases.push_back(
        case_of(std::string(cc::name_of(kind)), kind, {}, &rates, {0.9 * kIdeal, 1.1 * kIdeal}));
  out.cases.push_back(case_of("lia beside CUBIC, deep queues", cc::Kind::Lia, {cc::Kind::Cubic, 5},
                              nullptr, {3, 9}));
  return out;
}

}  // namespace lab
