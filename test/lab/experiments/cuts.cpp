#include <fmt/format.h>

#include "test/lab/dumbbell.hpp"
#include "test/lab/experiments/experiments.hpp"

namespace lab {

namespace {

constexpr Duration kRoundTrip = 40ms;
constexpr Duration kFrom = 5s;

double ms(Duration span) { return std::chrono::duration<double, std::milli>(span).count(); }

/// How long nothing arrives after the link is back, and what was sent again.
Outcome after_cut(Duration cut, std::uint64_t seed) {
  Network network(seed);
  Machine& sender = network.add_machine();
  Machine& receiver = network.add_machine();
  LinkConfig link = link_of(100'000'000, kRoundTrip);
  const Duration from = kFrom + network.rng().between(0ms, 500ms);
  link.faults.cuts = {{kStart + from, kStart + from + cut}};
  network.join(sender, 0, receiver, 0, link);
  FlowPlan plan;
  plan.from = &sender;
  plan.to = &receiver;
  const Flow& flow = network.add_flow(plan);
  network.run_for(from);
  const std::uint64_t before = flow.info().segments_retransmitted;
  const std::uint64_t window = flow.info().in_flight;
  network.run_for(cut + 70s);
  const Duration silent = flow.longest_silence(from - 100ms);
  const std::uint64_t resent = flow.info().segments_retransmitted - before;
  return {.figures = {ms(std::max(silent - cut, Duration{0})),
                      static_cast<double>(resent * 1448) / static_cast<double>(window)}};
}

}  // namespace

Experiment cuts() {
  Experiment out;
  out.name = "cuts";
  out.title = "how soon a connection goes on after its only path was away";
  out.seeds = 3;
  out.setup =
      "A transfer over 100 Mbit/s and 40 ms; after 5 s nothing comes through, either way, for so "
      "long. How much longer than that the receiver waited, and how much was sent again in parts "
      "of "
      "the window in flight at the cut. The retransmission timeout is 240 ms there; "
      "while nothing is acknowledged it grows to a second and stays there.";
  for (const Duration cut :
       {Duration(10ms), Duration(100ms), Duration(1s), Duration(10s), Duration(60s)}) {
    const std::string label =
        cut < 1s ? fmt::format("{} ms", cut / 1ms) : fmt::format("{} s", cut / 1s);
    out.cases.push_back({label,
                         {{"silence beyond the cut", "ms", {}, {0, cut < 1s ? 400.0 : 1100.0}, ""},
                          {"sent again, of a window", "", {}, {0, 1.8}, ""}},
                         [cut](std::uint64_t seed) { return after_cut(cut, seed); }});
  }
  return out;
}

}  // namespace lab
