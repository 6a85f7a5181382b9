#include <fmt/format.h>

#include "test/lab/dumbbell.hpp"
#include "test/lab/experiments/experiments.hpp"

namespace lab {

namespace {

constexpr Duration kWarmUp = 2s;
constexpr Duration kEnd = 14s;

struct Shape {
  const char* name;
  LinkConfig first;
  LinkConfig second;
};

LinkConfig link(std::uint64_t rate_bps, Duration delay, std::size_t queue_octets, double loss) {
  LinkConfig out;
  out.rate_bps = rate_bps;
  out.delay = delay;
  out.queue_octets = queue_octets;
  out.queue_frames = queue_octets / 60;
  out.faults.loss = loss;
  return out;
}

Outcome both_paths(const Shape& shape, cc::Kind kind, std::uint64_t seed) {
  Network network(seed, 60'000);
  Machine& sender = network.add_machine({.ports = 2});
  Machine& receiver = network.add_machine({.ports = 2});
  Dumbbell first(network, shape.first);
  Dumbbell second(network, shape.second);
  first.hang(sender, 0, receiver, 0);
  second.hang(sender, 1, receiver, 1);
  FlowPlan plan;
  plan.from = &sender;
  plan.to = &receiver;
  plan.multipath = true;
  plan.tcp.congestion_control = kind;
  const Flow& flow = network.add_flow(plan);
  Series series{fmt::format("{}, {}", shape.name, cc::name_of(kind)), {}};
  while (network.elapsed() < kEnd) {
    network.run_for(200ms);
    series.points.emplace_back(
        std::chrono::duration<double>(network.elapsed()).count(),
        flow.rate_between(network.elapsed() - 200ms, network.elapsed()) / 1e6);
  }
  const double sum = static_cast<double>(shape.first.rate_bps + shape.second.rate_bps);
  return {{flow.rate_between(kWarmUp, kEnd) / 1e6,
           flow.rate_between(kWarmUp, kEnd) * 1514 / 1424 / sum * 100},
          {series}};
}

}  // namespace

Experiment impaired() {
  Experiment out;
  out.name = "impaired";
  out.title = "the shapes of test/interop/impaired, in the simulator";
  out.setup =
      "A connection over two paths, from 2 to 14 s after its start: 50 Mbit/s and 20 ms with 10 "
      "Mbit/s "
      "and 100 ms; twice 200 Mbit/s, 10 and 40 ms, with 0.1 % loss; 100 Mbit/s and 5 ms with 20 "
      "Mbit/s "
      "and 200 ms behind a queue of a second.";
  out.plot = Plot{"seconds", "Mbit/s"};
  const std::initializer_list<Shape> shapes = {
      {"fast-and-far", link(50'000'000, 10ms, 128'000, 0), link(10'000'000, 50ms, 128'000, 0)},
      {"equal-rates-with-loss", link(200'000'000, 5ms, 512'000, 1e-3),
       link(200'000'000, 20ms, 1'024'000, 1e-3)},
      {"one-bufferbloated", link(100'000'000, 2500us, 128'000, 0),
       link(20'000'000, 100ms, 2'560'000, 0)}};
  for (const Shape& shape : shapes)
    for (const cc::Kind kind : {cc::Kind::Cubic, cc::Kind::Bbr})
      out.cases.push_back({fmt::format("{}, {}", shape.name, cc::name_of(kind)),
                           {{"rate", "Mbit/s", {}, {}, ""}, {"of the sum", "%", {}, {10, 101}, ""}},
                           [=](std::uint64_t seed) { return both_paths(shape, kind, seed); }});
  return out;
}

}  // namespace lab
