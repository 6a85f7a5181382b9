#include <fmt/format.h>

#include "test/sim/scenario.hpp"

namespace sim {

namespace {

constexpr std::uint64_t kOctets = 16ULL << 20;
constexpr std::uint64_t kSeeds = 3;

/// Two paths of the Linux kernel's tools/testing/selftests/net/mptcp/simult_flows.sh: rates in
/// Mbit/s, delays each way in ms.
struct Shape {
  std::uint64_t rates[2];
  std::uint64_t delays[2];
};
constexpr Shape kShapes[] = {{{10, 10}, {0, 0}},
                             {{10, 10}, {1, 25}},
                             {{15, 5}, {0, 0}},
                             {{15, 5}, {1, 25}},
                             {{15, 5}, {25, 1}}};

/// The kernel's figure: 90 % of both rates, and 450 ms for all that comes before and after.
Duration bound_of(const Shape& shape) {
  const double seconds = static_cast<double>(kOctets) * 8 /
                         (static_cast<double>(shape.rates[0] + shape.rates[1]) * 1e6 * 0.9);
  return Duration(static_cast<std::int64_t>(seconds * 1e9)) + 450ms;
}

Scenario simult_flow(const Shape& shape, bool up, std::uint64_t seed) {
  Scenario out;
  out.name = fmt::format("simult-{}-{}-{}-{}-{}-{}", shape.rates[0], shape.rates[1],
                         shape.delays[0], shape.delays[1], up ? "up" : "down", seed);
  out.about = fmt::format("{} and {} Mbit/s, {} and {} ms each way", shape.rates[0], shape.rates[1],
                          shape.delays[0], shape.delays[1]);
  out.seed = seed;
  // The first seed has the kernel's own queue; in others it is shorter, and what it does not hold
  // is lost.
  Rng rng(seed);
  const std::uint64_t queue = seed == 1 ? 1000 : rng.between(40, 400);
  for (Station* station : {&out.client, &out.server}) {
    station->mptcp.enabled = true;
    station->tcp.time_wait = 1s;
    station->pool_packets = 20'000;
    station->back_pressure = seed == 1;
  }
  out.send_memory = 64UL << 20;
  out.more_paths.resize(1);
  LinkConfig* const links[][2] = {{&out.up, &out.down},
                                  {&out.more_paths[0].up, &out.more_paths[0].down}};
  for (std::size_t path = 0; path < 2; ++path) {
    for (LinkConfig* link : links[path]) {
      link->rate_bps = shape.rates[path] * 1'000'000;
      link->delay = shape.delays[path] * 1ms;
      link->queue_frames = queue;
    }
  }
  out.connections.resize(1);
  AppPlan& sender = up ? out.connections[0].client_app : out.connections[0].server_app;
  // The bound is for what the kernel's test takes the time of: its programs, which end when both
  // have read the end of the stream, whatever a subflow still repairs then.
  sender.octets = kOctets;
  out.goal = Goal{.utilisation = 0, .within = bound_of(shape), .quick = true};
  return out;
}

}  // namespace

std::vector<Scenario> simult_flows() {
  std::vector<Scenario> all;
  for (const Shape& shape : kShapes)
    for (const bool up : {false, true})
      for (std::uint64_t seed = 1; seed <= kSeeds; ++seed)
        all.push_back(simult_flow(shape, up, seed));
  return all;
}

}  // namespace sim
