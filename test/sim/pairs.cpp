#include "test/sim/pairs.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "test/sim/run.hpp"

namespace sim {

namespace {

constexpr double kLeast = 0.95;
/// For so long the better path alone would be busy at its full rate.
constexpr double kSeconds = 5;
constexpr std::uint64_t kMostOctets = 48UL << 20;

double seconds(Duration span) { return std::chrono::duration<double>(span).count(); }

LinkConfig draw_path(Rng& rng) {
  LinkConfig out;
  out.rate_bps = rng.log_between(1'000'000, 100'000'000);
  out.delay = rng.log_between(Duration(500us), 150ms);
  const double bdp = static_cast<double>(out.rate_bps) / 12'000 * seconds(2 * out.delay);
  out.queue_frames = std::max<std::size_t>(
      20, static_cast<std::size_t>(bdp * static_cast<double>(rng.log_between(25, 400)) / 100));
  if (rng.chance(0.4)) out.faults.loss = static_cast<double>(rng.log_between(1, 1000)) * 1e-5;
  return out;
}

/// One path, alone or beside the other, loses the same frames of those that it carries: otherwise a
/// slow start that chance ends early here and late there would say more than the scheduler.
LinkConfig link_of(const Pair& pair, std::size_t which, bool is_up) {
  LinkConfig out = pair.paths[which];
  out.luck = 1 + 2 * which + (is_up ? 1 : 0);
  return out;
}

Scenario base(const Pair& pair, std::uint64_t take) {
  Scenario out;
  out.seed = pair.seed + take * 1'000'003;
  for (Station* station : {&out.client, &out.server}) {
    station->tcp.time_wait = 1s;
    station->tcp.syn_retries = 30;
    station->pool_packets = 60'000;
    station->back_pressure = false;
  }
  out.send_memory = 64UL << 20;
  out.connections.resize(1);
  out.connections[0].server_app.octets = pair.octets;
  out.connections[0].server_app.write_chunk = 1 << 20;
  out.connections[0].client_app.read_chunk = 1 << 20;
  // So that --watch shows the end.
  out.connections[0].server_app.await_closed = true;
  out.bound = 3600s;
  return out;
}

/// What the better path loses as the second one of a connection, in seconds: it is asked for when
/// the first has brought the answer to the third segment, which is two and a half round trips after
/// the start, the neighbour's answer counted; and asks for its own neighbour only then, where a
/// path that is alone meets the neighbour's announcement half way. The first path loses nothing.
double setup_of(const Pair& pair, std::size_t which) {
  if (which == 0) return 0;
  return 2.5 * seconds(2 * pair.paths[0].delay) + 0.5 * seconds(2 * pair.paths[1].delay);
}

/// The time until the last octet was read; nothing when the run failed.
std::optional<double> time_of(const Scenario& scenario, RecorderConfig recorder,
                              std::uint64_t octets) {
  recorder.name = scenario.name;
  if (recorder.watch > 0ns) fmt::print("{}\n", scenario.name);
  const RunResult result = run(scenario, recorder);
  if (result.violation) {
    fmt::print("FAILED {}: {}\n{}", scenario.name, result.violation->to_string(),
               describe(scenario));
    return std::nullopt;
  }
  return static_cast<double>(octets) * 8 / result.stats.goodput_bps;
}

struct Take {
  double alone[2] = {};
  double both[kPairSchedulers.size()] = {};
  /// Of the rate of each path alone, the smaller.
  double ratio(const Pair& pair, std::size_t scheduler) const {
    return std::min(alone[0] / (both[scheduler] - setup_of(pair, 0)),
                    alone[1] / (both[scheduler] - setup_of(pair, 1)));
  }
};

std::optional<Take> run_take(const Pair& pair, mptcp::Config mptcp, const RecorderConfig& recorder,
                             std::uint64_t number) {
  Take take;
  mptcp.enabled = true;
  for (std::size_t i = 0; i < 2; ++i) {
    const auto time = time_of(one_path(pair, i, number), recorder, pair.octets);
    if (!time) return std::nullopt;
    take.alone[i] = *time;
  }
  for (std::size_t i = 0; i < kPairSchedulers.size(); ++i) {
    mptcp.scheduler = kPairSchedulers[i];
    const auto time = time_of(both_paths(pair, mptcp, number), recorder, pair.octets);
    if (!time) return std::nullopt;
    take.both[i] = *time;
  }
  return take;
}

/// The takes of these numbers together.
PairResult run_takes(const Pair& pair, const mptcp::Config& mptcp, const RecorderConfig& recorder,
                     std::uint64_t first, std::size_t count) {
  PairResult out;
  std::array<std::vector<double>, kPairSchedulers.size()> ratios;
  for (; out.takes < count; ++out.takes) {
    const std::optional<Take> take = run_take(pair, mptcp, recorder, first + out.takes);
    if (!take) return out;
    for (std::size_t i = 0; i < 2; ++i)
      out.alone[i] += take->alone[i];
    for (std::size_t i = 0; i < kPairSchedulers.size(); ++i) {
      out.both[i] += take->both[i];
      ratios[i].push_back(take->ratio(pair, i));
    }
  }
  for (std::size_t i = 0; i < kPairSchedulers.size(); ++i) {
    std::sort(ratios[i].begin(), ratios[i].end());
    out.ratio[i] = ratios[i][count / 2];
  }
  out.valid = true;
  return out;
}

}  // namespace

bool PairResult::is_good() const {
  return valid && std::all_of(std::begin(ratio), std::end(ratio),
                              [](double each) { return each >= kLeast; });
}

Pair pair_of(std::uint64_t seed) {
  Pair out;
  out.seed = seed;
  Rng rng(seed * 0x9e37'79b9'7f4a'7c15);
  for (LinkConfig& path : out.paths)
    path = draw_path(rng);
  const auto rate = static_cast<double>(std::max(out.paths[0].rate_bps, out.paths[1].rate_bps));
  out.octets = std::min(static_cast<std::uint64_t>(rate / 8 * kSeconds), kMostOctets);
  return out;
}

std::string describe(const Pair& pair) {
  std::string out = fmt::format("pair {}, {} octets:", pair.seed, pair.octets);
  for (const LinkConfig& path : pair.paths) {
    out += fmt::format(" [{:.2f} Mbit/s, {:.1f} ms, queue {}, loss {:.3f} %]",
                       static_cast<double>(path.rate_bps) / 1e6, 2e3 * seconds(path.delay),
                       path.queue_frames, path.faults.loss * 100);
  }
  return out;
}

Scenario one_path(const Pair& pair, std::size_t which, std::uint64_t take) {
  Scenario out = base(pair, take);
  out.name = fmt::format("pair-{}-path-{}", pair.seed, which);
  out.up = link_of(pair, which, true);
  out.down = link_of(pair, which, false);
  return out;
}

Scenario both_paths(const Pair& pair, const mptcp::Config& mptcp, std::uint64_t take) {
  Scenario out = base(pair, take);
  out.name = fmt::format("pair-{}-{}", pair.seed, name_of(mptcp.scheduler));
  out.up = link_of(pair, 0, true);
  out.down = link_of(pair, 0, false);
  out.more_paths.push_back({link_of(pair, 1, true), link_of(pair, 1, false), {}});
  out.client.mptcp = out.server.mptcp = mptcp;
  return out;
}

PairResult run_pair(const Pair& pair, const mptcp::Config& mptcp, const RecorderConfig& recorder) {
  const PairResult first = run_takes(pair, mptcp, recorder, 0, 1);
  const bool by_chance = pair.paths[0].faults.loss > 0 || pair.paths[1].faults.loss > 0;
  const bool well = *std::min_element(std::begin(first.ratio), std::end(first.ratio)) >= 1;
  if (!first.valid || !by_chance || well) return first;
  // The first take chose this pair, so it does not count.
  return run_takes(pair, mptcp, recorder, 1, kMostTakes);
}

}  // namespace sim
