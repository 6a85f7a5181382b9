#include <fmt/format.h>

#include "test/lab/bcube.hpp"
#include "test/lab/experiments/experiments.hpp"
#include "test/lab/fat_tree.hpp"
#include "test/lab/traffic.hpp"

namespace lab {

namespace {

constexpr Duration kWarmUp = 300ms;
constexpr Duration kEnd = 800ms;
constexpr std::size_t kLevels = 3;
constexpr std::size_t kPackets = 100'000;

enum class Traffic { Permutation, OneToMany, Sparse };

/// Sparse traffic is cheap enough for the size of the paper.
std::size_t ports_of_router(Traffic traffic) { return traffic == Traffic::Sparse ? 8 : 6; }
std::size_t ports_of_switch(Traffic traffic) { return traffic == Traffic::Sparse ? 5 : 4; }

LinkConfig link() {
  LinkConfig out;
  out.rate_bps = 100'000'000;
  out.delay = 20us;
  out.queue_frames = 100;
  return out;
}

FlowPlan plan_of(bool multipath, std::size_t subflows) {
  FlowPlan out;
  out.multipath = multipath;
  out.tcp.congestion_control = multipath ? cc::Kind::Lia : cc::Kind::NewReno;
  out.tcp.rto_min = 10ms;
  out.mptcp.max_subflows = static_cast<std::uint8_t>(subflows);
  return out;
}

/// Mbit/s of each machine that sends.
Outcome rates_of(Network& network, const std::vector<Flow*>& flows, std::size_t senders) {
  network.run_for(kEnd);
  double sum = 0;
  for (const Flow* flow : flows)
    sum += flow->rate_between(kWarmUp, kEnd);
  return {.figures = {sum / 1e6 / static_cast<double>(senders)}};
}

std::vector<Call> calls_of(Traffic traffic, std::size_t hosts, sim::Rng& rng) {
  switch (traffic) {
    case Traffic::Permutation:
      return permutation(hosts, rng);
    case Traffic::OneToMany:
      return one_to_many(hosts, 12, rng);
    case Traffic::Sparse:
      break;
  }
  return sparse(hosts, 0.3, rng);
}

std::size_t senders_of(Traffic traffic, std::size_t calls, std::size_t hosts) {
  return traffic == Traffic::Sparse ? calls : hosts;
}

Outcome fat_tree(Traffic traffic, bool multipath, std::uint64_t seed) {
  constexpr std::size_t kSubflows = 8;
  Network network(seed, kPackets);
  FatTree tree(network, ports_of_router(traffic), link(), {.ports = multipath ? kSubflows : 1});
  const std::vector<Machine*>& hosts = tree.machines();
  const std::vector<Call> calls = calls_of(traffic, hosts.size(), network.rng());
  std::vector<Flow*> flows;
  FlowPlan plan = plan_of(multipath, kSubflows);
  for (const Call& call : calls) {
    plan.from = hosts[call.from];
    plan.to = hosts[call.to];
    plan.start = network.rng().between(0ms, 20ms);
    flows.push_back(&network.add_flow(plan));
  }
  return rates_of(network, flows, senders_of(traffic, calls.size(), hosts.size()));
}

/// A port whose path is a shortest one.
std::size_t port_between(const BCube& cube, const Call& call, sim::Rng& rng) {
  std::size_t level = rng.below(cube.levels());
  while (cube.digit(call.from, level) == cube.digit(call.to, level))
    level = (level + 1) % cube.levels();
  return level;
}

/// Each server to all that one switch is away.
std::vector<Call> to_neighbors(const BCube& cube, std::size_t n) {
  std::vector<Call> out;
  for (std::size_t from = 0; from < cube.size(); ++from)
    for (std::size_t level = 0; level < cube.levels(); ++level)
      for (std::size_t digit = 0; digit < n; ++digit)
        if (digit != cube.digit(from, level))
          out.push_back({from, cube.with_digit(from, level, digit)});
  return out;
}

Outcome bcube(Traffic traffic, bool multipath, std::uint64_t seed) {
  Network network(seed, kPackets);
  BCube cube(network, ports_of_switch(traffic), kLevels, link(), {});
  const std::vector<Call> calls = traffic == Traffic::OneToMany
                                      ? to_neighbors(cube, ports_of_switch(traffic))
                                      : calls_of(traffic, cube.size(), network.rng());
  std::vector<Flow*> flows;
  FlowPlan plan = plan_of(multipath, kLevels);
  for (const Call& call : calls) {
    cube.connect(call.from, call.to);
    plan.from = &cube.machine(call.from);
    plan.to = &cube.machine(call.to);
    plan.port = port_between(cube, call, network.rng());
    plan.start = network.rng().between(0ms, 20ms);
    flows.push_back(&network.add_flow(plan));
  }
  return rates_of(network, flows, senders_of(traffic, calls.size(), cube.size()));
}

constexpr const char* kNoCause =
    "the cause is not found: queues of 20 frames, delays of 200 us, an RTO of 200 ms at least, one "
    "of 20 ms at first, and "
    "no penalisation do not bring it within 15 %.";
constexpr const char* kFewFlows =
    "38 flows, whose collisions are a matter of the seed: see the spread.";
constexpr const char* kJoins =
    "some of a flow's eight subflows are still waiting for their SYN to be asked for when it is "
    "measured: addresses are announced a few at a time.";

struct Row {
  Traffic traffic;
  bool multipath;
  double paper;
  Band band;
  std::string why = {};
};

std::string label_of(const char* topology, const Row& row, const char* multipath) {
  constexpr const char* kNames[] = {"permutation", "one to many", "sparse"};
  return fmt::format("{}, {}, {}", topology, kNames[static_cast<std::size_t>(row.traffic)],
                     row.multipath ? multipath : "one path");
}

Case case_of(std::string label, const Row& row, std::function<Outcome(std::uint64_t)> run) {
  return {std::move(label),
          {{.name = "a sender",
            .unit = "Mbit/s",
            .paper = row.paper,
            .band = row.band,
            .why = row.why}},
          std::move(run)};
}

}  // namespace

Experiment data_centre() {
  Experiment out;
  out.name = "E4";
  out.title = "a data centre's many paths: FatTree and BCube";
  out.setup =
      "All links of 100 Mbit/s and 20 us, queues of 100 frames. FatTree of 6-port routers (54 "
      "hosts) "
      "and BCube(4, 2) (64 servers that relay for each other); for the sparse traffic 8 ports (128 "
      "hosts) and BCube(5, 2) (125), as in the paper. Permutation: each host sends to one other. "
      "One "
      "to many: to twelve others at random, in BCube to its nine neighbours. Sparse: 30 % of the "
      "hosts "
      "send to one other. One path is NewReno (ECMP, or a shortest path), else LIA with 8 subflows "
      "(ECMP) or the 3 parallel paths of BCube. From 0.3 to 0.8 s, of payload: 94 % of a link at "
      "most. Wischik, Raiciu, Greenhalgh and Handley (NSDI 2011, §4).";
  out.seeds = 3;
  const Row trees[] = {
      {Traffic::Permutation, false, 51, {42, 54}},
      {Traffic::Permutation, true, 95, {75, 95}, kNoCause},
      {Traffic::OneToMany, false, 94, {84, 94}},
      {Traffic::OneToMany, true, 97, {60, 95}, kNoCause},
      {Traffic::Sparse, false, 60, {50, 80}, kFewFlows},
      {Traffic::Sparse, true, 99, {65, 96}, kJoins},
  };
  for (const Row& row : trees)
    out.cases.push_back(
        case_of(label_of("FatTree", row, "8 subflows"), row,
                [=](std::uint64_t seed) { return fat_tree(row.traffic, row.multipath, seed); }));
  const Row cubes[] = {
      {Traffic::Permutation, false, 64.5, {45, 60}, kNoCause},
      {Traffic::Permutation, true, 86.5, {68, 90}, kNoCause},
      {Traffic::OneToMany, false, 297, {240, 285}},
      {Traffic::OneToMany, true, 272, {180, 285}, kNoCause},
      {Traffic::Sparse, false, 78, {60, 95}},
      {Traffic::Sparse, true, 135, {105, 160}},
  };
  for (const Row& row : cubes)
    out.cases.push_back(case_of(label_of("BCube", row, "3 subflows"), row, [=](std::uint64_t seed) {
      return bcube(row.traffic, row.multipath, seed);
    }));
  return out;
}

}  // namespace lab
