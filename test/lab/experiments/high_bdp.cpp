#include <fmt/format.h>

#include "test/lab/experiments/experiments.hpp"
#include "test/lab/paths.hpp"

namespace lab {

namespace {

constexpr Duration kWarmUp = 300s;
constexpr Duration kEnd = 500s;
constexpr std::uint64_t kLongRate = 100'000'000;

Outcome used(cc::Kind control, std::uint64_t seed) {
  Network network(seed, 65'536);
  const Paths paths(network,
                    {emulated(20'000'000, 10ms, 0, 40), emulated(kLongRate, 150ms, 1e-5, 2600)});
  FlowPlan plan = paths.plan();
  plan.tcp.congestion_control = control;
  plan.tcp.send_buffer_max = plan.tcp.receive_buffer_max = 64U << 20;
  network.add_flow(plan);
  network.run_for(kWarmUp);
  const std::uint64_t before = paths.there(1).stats().octets;
  network.run_for(kEnd - kWarmUp);
  const auto carried = static_cast<double>(paths.there(1).stats().octets - before);
  return {.figures = {8 * carried / in_seconds(kEnd - kWarmUp) / kLongRate}};
}

}  // namespace

Experiment high_bdp() {
  Experiment out;
  out.name = "E17";
  out.title = "what coupled controllers use of a path with a high bandwidth-delay product";
  out.setup =
      "One connection over 20 Mbit/s, 20 ms, a queue of 40 packets, and over 100 Mbit/s, 300 ms, a "
      "queue of one bandwidth-delay product, of which one frame in 100,000 is lost; from 300 to "
      "500 s, for LIA's window needs minutes to find its size. A paper of 2023 on a coupled CUBIC "
      "has less than 20 % of such a path for LIA and more than 80 % for its own; its topology is "
      "not in our source. There is no coupled CUBIC here: CUBIC of each path stands beside it.";
  out.seeds = 2;
  const auto add = [&](cc::Kind kind, std::optional<double> paper, Band band) {
    Figure figure{.name = "of the long path", .unit = "", .paper = paper, .band = band};
    if (kind == cc::Kind::Lia)
      figure.why =
          "With losses of one in 100,000 the window of Reno, which LIA's never exceeds, "
          "is 390 packets by RFC 5681's law, 15 % of the path, and the few losses of one "
          "run spread about it.";
    out.cases.push_back({std::string(cc::name_of(kind)), {figure}, [=](std::uint64_t seed) {
                           return used(kind, seed);
                         }});
  };
  add(cc::Kind::Lia, 0.2, {0.08, 0.3});
  add(cc::Kind::Olia, {}, {0.01, 0.15});
  add(cc::Kind::Balia, {}, {0.01, 0.15});
  add(cc::Kind::Cubic, 0.8, {0.7, 1});
  return out;
}

}  // namespace lab
