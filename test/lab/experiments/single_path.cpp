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
  double least;  ///< Per cent of the link.
};

constexpr double kFrame = 1514;
constexpr double kPayload = 1448;

LinkConfig lossy(std::uint64_t rate_bps, Duration round_trip, double loss) {
  LinkConfig out = link_of(rate_bps, round_trip);
  out.faults.loss = loss;
  return out;
}

/// Headers counted, in per cent of the link, from the SYN to the last octet.
double utilisation(const Flow& flow, std::uint64_t rate_bps) {
  const double seconds = std::chrono::duration<double>(flow.completion()).count();
  return static_cast<double>(flow.received()) * 8 / seconds * kFrame / kPayload /
         static_cast<double>(rate_bps) * 100;
}

Outcome transfer(const Path& path, std::uint64_t seed) {
  Network network(seed, 200'000);
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
  const mptcp::SocketInfo info = flow.info();
  return {.figures = {utilisation(flow, path.link.rate_bps),
                      static_cast<double>(info.segments_retransmitted)}};
}

}  // namespace

Experiment single_path() {
  Experiment out;
  out.name = "single-path";
  out.title = "one connection, one long path";
  out.seeds = 3;
  out.setup =
      "One transfer over one link, the queue one bandwidth-delay product, with losses at random from "
      "sender to receiver; slow start is part of it. In per cent of the link, headers counted.";
  const std::initializer_list<Path> paths = {
      {"10 Gbit/s, 100 ms, CUBIC", link_of(10'000'000'000, 100ms), cc::Kind::Cubic, 24ULL << 30, 95},
      {"1 Gbit/s, 100 ms, 0.01 % loss, CUBIC", lossy(1'000'000'000, 100ms, 1e-4), cc::Kind::Cubic,
       4ULL << 30, 88},
      {"1 Gbit/s, 100 ms, 1 % loss, BBR", lossy(1'000'000'000, 100ms, 1e-2), cc::Kind::Bbr,
       4ULL << 30, 85},
  };
  for (const Path& path : paths)
    out.cases.push_back({path.label,
                         {{"utilisation", "%", {}, {path.least, 100}, ""},
                          {"segments sent again", "", {}, {}, ""}},
                         [path](std::uint64_t seed) { return transfer(path, seed); }});
  return out;
}

}  // namespace lab
