#include "test/sim/pairs.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "test/sim/run.hpp"

namespace sim {

namespace {

constexpr double kLeast = 0.95;
constexpr unsigned kTakes = 8;
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
  out.bound = 3600s;
  return out;
}

/// What no second path can be spared: it is asked for when the first has shown that both ends
/// speak MPTCP, and carries nothing before its own handshake.
double setup_of(const Pair& pair) {
  return 2 * seconds(2 * pair.paths[0].delay) + 2 * seconds(2 * pair.paths[1].delay);
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

/// Adds one take to the sums.
bool add_take(const Pair& pair, mptcp::Config mptcp, const RecorderConfig& recorder,
              std::uint64_t take, PairResult& sums) {
  mptcp.enabled = true;
  for (std::size_t i = 0; i < 2; ++i) {
    const auto time = time_of(one_path(pair, i, take), recorder, pair.octets);
    if (!time) return false;
    sums.alone[i] += *time;
  }
  for (std::size_t i = 0; i < kPairSchedulers.size(); ++i) {
    mptcp.scheduler = kPairSchedulers[i];
    const auto time = time_of(both_paths(pair, mptcp, take), recorder, pair.octets);
    if (!time) return false;
    sums.both[i] += *time;
  }
  return true;
}

void judge(const Pair& pair, PairResult& result) {
  const double best = std::min(result.alone[0], result.alone[1]) / result.takes;
  for (std::size_t i = 0; i < kPairSchedulers.size(); ++i)
    result.ratio[i] = best / (result.both[i] / result.takes - setup_of(pair));
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
  out.up = out.down = pair.paths[which];
  return out;
}

Scenario both_paths(const Pair& pair, const mptcp::Config& mptcp, std::uint64_t take) {
  Scenario out = base(pair, take);
  out.name = fmt::format("pair-{}-{}", pair.seed, name_of(mptcp.scheduler));
  out.up = out.down = pair.paths[0];
  out.more_paths.push_back({pair.paths[1], pair.paths[1], {}});
  out.client.mptcp = out.server.mptcp = mptcp;
  return out;
}

PairResult run_pair(const Pair& pair, const mptcp::Config& mptcp, const RecorderConfig& recorder) {
  PairResult result;
  result.valid = add_take(pair, mptcp, recorder, 0, result);
  if (!result.valid) return result;
  judge(pair, result);
  const bool by_chance = pair.paths[0].faults.loss > 0 || pair.paths[1].faults.loss > 0;
  if (result.is_good() || !by_chance) return result;
  // The first take chose this pair, so it does not count.
  result = {};
  result.valid = true;
  for (result.takes = 0; result.takes < kTakes && result.valid; ++result.takes)
    result.valid = add_take(pair, mptcp, recorder, result.takes + 1, result);
  if (result.valid) judge(pair, result);
  return result;
}

}  // namespace sim
