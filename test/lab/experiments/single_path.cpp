#include <fmt/format.h>

#include "test/lab/dumbbell.hpp"
#include "test/lab/experiments/experiments.hpp"

namespace lab {

namespace {

/// One transfer over one path.
struct Path {
  const char* label;
  LinkConfig link;
  cc::Kind kind;
  std::uint64_t octets;
  double least;  ///< Per cent of the link, once it runs.
};

/// Slow start is over.
constexpr Duration kRunning = 5s;
constexpr double kFrame = 1514;
constexpr double kPayload = 1448;

LinkConfig lossy(std::uint64_t rate_bps, Duration round_trip, double loss) {
  LinkConfig out = link_of(rate_bps, round_trip);
  out.faults.loss = loss;
  return out;
}

/// Headers counted, in per cent of the link.
double utilisation(double rate, const Path& path) {
  return rate * kFrame / kPayload / static_cast<double>(path.link.rate_bps) * 100;
}

Outcome transfer(const Path& path, std::uint64_t seed) {
  // The window is bounded by the packets that there are to hold it.
  Network network(seed, 600'000);
  Machine& sender = network.add_machine({.turn = 20us});
  Machine& receiver = network.add_machine({.turn = 20us});
  LinkConfig back = path.link;
  back.faults = {};
  sender.connect(0, network.add_wire(path.link, receiver.port(0)));
  receiver.connect(0, network.add_wire(back, sender.port(0)));
  FlowPlan plan;
  plan.from = &sender;
  plan.to = &receiver;
  plan.octets = path.octets;
  plan.tcp.congestion_control = path.kind;
  plan.tcp.receive_buffer_max = plan.tcp.send_buffer_max = 512U << 20;
  const Flow& flow = network.add_flow(plan);
  network.run_to_end(900s);
  const Duration end = flow.completion();
  return {.figures = {utilisation(flow.rate_between(0s, end), path),
                      utilisation(flow.rate_between(kRunning, end - 1s), path),
                      static_cast<double>(flow.info().segments_retransmitted)}};
}

}  // namespace

Experiment single_path() {
  Experiment out;
  out.name = "single-path";
  out.title = "one connection, one long path";
  out.seeds = 2;
  out.setup =
      "One transfer over one link, the queue one bandwidth-delay product, with losses at random "
      "from "
      "sender to receiver; slow start is part of it. In per cent of the link, headers counted.";
  const std::initializer_list<Path> paths = {
      {"10 Gbit/s, 100 ms, CUBIC", link_of(10'000'000'000, 100ms), cc::Kind::Cubic, 12ULL << 30,
       95},
      {"1 Gbit/s, 100 ms, 0.01 % loss, BBR", lossy(1'000'000'000, 100ms, 1e-4), cc::Kind::Bbr,
       8ULL << 30, 90},
      {"1 Gbit/s, 100 ms, 1 % loss, BBR", lossy(1'000'000'000, 100ms, 1e-2), cc::Kind::Bbr,
       8ULL << 30, 85},
  };
  for (const Path& path : paths)
    out.cases.push_back({path.label,
                         {{"of the link, slow start and all", "%", {}, {80, 100}, ""},
                          {"from 5 s on", "%", {}, {path.least, 100}, ""},
                          {"segments sent again", "", {}, {}, ""}},
                         [path](std::uint64_t seed) { return transfer(path, seed); }});
  return out;
}

}  // namespace lab
