#include <algorithm>

#include <fmt/format.h>

#include "test/lab/dumbbell.hpp"
#include "test/lab/experiments/experiments.hpp"

namespace lab {

namespace {

constexpr Duration kEnd = 60s;

/// A transfer for ever, and beside it somebody who writes a little now and then.
Outcome talk_beside(cc::Kind kind, std::uint64_t seed) {
  Network network(seed);
  Dumbbell dumbbell(network, link_of(20'000'000, 20ms, 100));
  const auto bulk = dumbbell.add_pair();
  const auto talk = dumbbell.add_pair();
  FlowPlan plan;
  plan.from = &bulk.sender;
  plan.to = &bulk.receiver;
  plan.tcp.congestion_control = kind;
  const Flow& first = network.add_flow(plan);
  plan.from = &talk.sender;
  plan.to = &talk.receiver;
  plan.start = 1s + network.rng().between(0ms, 100ms);
  plan.rate_bps = 100'000;
  plan.chunk = 1000;
  plan.tcp.congestion_control = cc::Kind::Cubic;
  const Flow& second = network.add_flow(plan);
  network.run_for(kEnd);
  std::vector<Duration> delays = second.delays();
  std::sort(delays.begin(), delays.end());
  const auto ms = [](Duration span) {
    return std::chrono::duration<double, std::milli>(span).count();
  };
  return {.figures = {first.rate_between(10s, kEnd) * 1514 / 1448 / 20'000'000 * 100,
                      ms(delays[delays.size() / 2]), ms(delays[delays.size() * 95 / 100])}};
}

}  // namespace

Experiment bufferbloat() {
  Experiment out;
  out.name = "bufferbloat";
  out.title = "a queue of two seconds, and somebody who talks through it";
  out.seeds = 3;
  out.quick = true;
  out.setup =
      "20 Mbit/s and 20 ms with a queue of 100 bandwidth-delay products; a transfer for 60 s, and "
      "a "
      "connection beside it that writes 1,000 octets every 80 ms: how long those take from the "
      "write "
      "to the read. Without a queue it is 10 ms.";
  // What fills a queue until it loses fills this one; BBR looks at the round trip instead.
  for (const auto& [kind, most] : std::initializer_list<std::pair<cc::Kind, double>>{
           {cc::Kind::NewReno, 2200}, {cc::Kind::Cubic, 2200}, {cc::Kind::Bbr, 100}})
    out.cases.push_back({std::string(cc::name_of(kind)),
                         {{"transfer, of the link", "%", {}, {90, 101}, ""},
                          {"half of the words within", "ms", {}, {10, most}, ""},
                          {"95 % within", "ms", {}, {10, most}, ""}},
                         [kind = kind](std::uint64_t seed) { return talk_beside(kind, seed); }});
  return out;
}

}  // namespace lab
