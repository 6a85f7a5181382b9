#include <fmt/format.h>

#include "test/lab/dumbbell.hpp"
#include "test/lab/experiments/experiments.hpp"

namespace lab {

namespace {

constexpr std::uint64_t kRate = 50'000'000;
constexpr Duration kRoundTrip = 40ms;
constexpr Duration kEnd = 40s;
constexpr Duration kSample = 50ms;

/// What the path does to a flow: its link, and the link that it becomes in the middle.
struct Pattern {
  const char* name;
  const char* title;
  const char* about;
  LinkConfig link;
  LinkConfig later;
  double least;  ///< Of each controller, per cent of what the link could carry.
};

double capacity(const Pattern& pattern) {
  return static_cast<double>(pattern.link.rate_bps + pattern.later.rate_bps) / 2;
}

Outcome course_of(const Pattern& pattern, cc::Kind kind, std::uint64_t seed) {
  Network network(seed);
  Machine& sender = network.add_machine();
  Machine& receiver = network.add_machine();
  Wire& wire = network.add_wire(pattern.link, receiver.port(0));
  sender.connect(0, wire);
  receiver.connect(0, network.add_wire(link_of(kRate, kRoundTrip), sender.port(0)));
  FlowPlan plan;
  plan.from = &sender;
  plan.to = &receiver;
  plan.tcp.congestion_control = kind;
  const Flow& flow = network.add_flow(plan);
  Outcome out;
  Series cwnd{fmt::format("{}: cwnd", cc::name_of(kind)), {}};
  while (network.elapsed() < kEnd) {
    if (network.elapsed() == kEnd / 2) wire.change(pattern.later);
    network.run_for(kSample);
    const double seconds = std::chrono::duration<double>(network.elapsed()).count();
    cwnd.points.emplace_back(seconds, static_cast<double>(flow.info().cwnd) / 1448);
  }
  const double rate = flow.rate_between(0s, kEnd) * 1514 / 1448;
  out.figures = {rate / capacity(pattern) * 100};
  out.series = {std::move(cwnd)};
  return out;
}

Experiment experiment_of(const Pattern& pattern) {
  Experiment out;
  out.name = fmt::format("pattern-{}", pattern.name);
  out.title = pattern.title;
  out.setup = fmt::format(
      "One flow of each controller alone over 50 Mbit/s and 40 ms, the queue one bandwidth-delay "
      "product, 40 s. {} Utilisation in per cent, headers counted; the plot has the congestion "
      "window in segments.",
      pattern.about);
  out.seeds = 3;
  out.plot = Plot{"seconds", "cwnd, segments"};
  for (const cc::Kind kind : {cc::Kind::NewReno, cc::Kind::Cubic, cc::Kind::Bbr})
    out.cases.push_back({std::string(cc::name_of(kind)),
                         {{"utilisation", "%", {}, {pattern.least, 101}, ""}},
                         [=](std::uint64_t seed) { return course_of(pattern, kind, seed); }});
  return out;
}

Pattern pattern_of(const char* name, const char* title, const char* about, double least) {
  const LinkConfig link = link_of(kRate, kRoundTrip);
  return {name, title, about, link, link, least};
}

}  // namespace

std::vector<Experiment> patterns() {
  std::vector<Pattern> all;
  all.push_back(
      pattern_of("queue", "losses of a full queue only", "Nothing is lost but by the queue.", 85));

  Pattern random = pattern_of("random", "random loss", "One frame in a thousand is lost.", 15);
  random.link.faults.loss = random.later.faults.loss = 1e-3;
  all.push_back(random);

  Pattern bursts =
      pattern_of("bursts", "losses in bursts",
                 "Losses come in bursts (Gilbert and Elliott): one frame in 10,000 begins "
                 "a bad time of 20 frames on average, in which half are lost.",
                 10);
  bursts.link.faults.burst = bursts.later.faults.burst = {1e-4, 0.05, 0.5};
  all.push_back(bursts);

  Pattern cut =
      pattern_of("cut", "a second without a path", "From 10 to 11 s nothing comes through.", 60);
  cut.link.faults.cuts = cut.later.faults.cuts = {{kStart + 10s, kStart + 11s}};
  all.push_back(cut);

  Pattern slower = pattern_of("slower", "the path becomes slower",
                              "After 20 s the link has a fifth of its rate.", 70);
  slower.later = link_of(kRate / 5, kRoundTrip, 5);
  all.push_back(slower);

  Pattern shuffled = pattern_of("reordering", "frames overtake each other",
                                "Three frames in a hundred come up to 10 ms later.", 80);
  shuffled.link.faults.reorder = shuffled.later.faults.reorder = 0.03;
  shuffled.link.faults.reorder_delay = shuffled.later.faults.reorder_delay = kRoundTrip / 4;
  all.push_back(shuffled);

  std::vector<Experiment> out;
  for (const Pattern& pattern : all)
    out.push_back(experiment_of(pattern));
  return out;
}

}  // namespace lab
