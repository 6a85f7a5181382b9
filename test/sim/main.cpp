#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <span>
#include <sstream>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "cc/kind.hpp"
#include "test/sim/jobs.hpp"
#include "test/sim/pairs.hpp"
#include "test/sim/run.hpp"

namespace sim {
namespace {

constexpr unsigned kHangSeconds =
    300;  ///< Of real time for one scenario: an endless loop in the engine.

struct Options {
  std::optional<std::uint64_t> seed;
  std::uint64_t count = 0;
  std::uint64_t pairs = 0;
  std::uint64_t first = 1;
  unsigned jobs = 1;
  std::string scenario;
  std::string control;
  std::string scheduler;
  std::string seeds_file;
  std::string pcap;
  unsigned watch_ms = 0;
  bool opportunistic = true;
  bool penalisation = true;
  bool trace = false;
  bool digest = false;
  bool list = false;
  bool verbose = false;
  std::string program;
};

// What runs now, for the handler of the signals that end a process.
char replay_command[512] = "";  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

void on_fatal_signal(int number) {
  constexpr char kText[] = "FAILED: the engine stopped the process, or ran for ever; replay: ";
  static_cast<void>(!write(STDOUT_FILENO, kText, sizeof kText - 1));
  static_cast<void>(!write(STDOUT_FILENO, replay_command, strlen(replay_command)));
  static_cast<void>(!write(STDOUT_FILENO, "\n", 1));
  std::signal(number, SIG_DFL);
  std::raise(number == SIGALRM ? SIGABRT : number);
}

std::string replay_of(const Options& options, const Scenario& scenario) {
  const bool named = scenario.name.rfind("seed-", 0) != 0;
  return options.program +
         (named ? " --scenario " + scenario.name : fmt::format(" --seed {}", scenario.seed));
}

RecorderConfig recorder_of(const Options& options) {
  return {options.digest, options.trace, options.watch_ms * 1ms, options.pcap, {}};
}

/// Runs one scenario; true when all was well.
bool run_one(const Options& options, const Scenario& scenario) {
  const std::string replay = replay_of(options, scenario);
  std::strncpy(replay_command, replay.c_str(), sizeof replay_command - 1);
  RecorderConfig recorder = recorder_of(options);
  recorder.name = scenario.name;
  alarm(kHangSeconds);
  const auto start = std::chrono::steady_clock::now();
  const RunResult result = run(scenario, recorder);
  const double real =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  alarm(0);
  const RunStats& stats = result.stats;
  if (result.violation) {
    fmt::print("FAILED {}: {}\n{}  replay: {}\n", scenario.name, result.violation->to_string(),
               describe(scenario), replay);
  }
  if (options.digest) fmt::print("{} digest {:016x}\n", scenario.name, result.digest);
  if (scenario.goal) {
    fmt::print(
        "{:20} {:8.1f} Mbit/s goodput, {:5.1f} % of the link, {:.2f} s virtual, {} octets resent, "
        "{} frames lost, {} marked, silent for {:.1f} ms, {} timeouts undone, "
        "queue up to {:.1f} ms; {} frames in {:.1f} s real\n",
        scenario.name, stats.goodput_bps / 1e6, stats.utilisation * 100,
        std::chrono::duration<double>(stats.elapsed).count(), stats.resent, stats.losses,
        stats.marked, std::chrono::duration<double, std::milli>(stats.silence).count(),
        stats.undone, std::chrono::duration<double, std::milli>(stats.queue_delay).count(),
        stats.frames, real);
  } else if (options.verbose) {
    fmt::print(
        "{:24} {} {} frames, {} octets, {} resent, {} lost, {:.3f} s virtual, {:.1f} ms real\n",
        scenario.name, result.violation ? "FAILED" : "ok", stats.frames, stats.octets, stats.resent,
        stats.losses, std::chrono::duration<double>(stats.elapsed).count(), real * 1e3);
  }
  std::fflush(stdout);
  return !result.violation;
}

std::uint64_t run_many(const Options& options) {
  Batch batch{.first = options.first, .count = options.count, .jobs = options.jobs};
  batch.work = [&](std::uint64_t seed) { return run_one(options, random_scenario(seed)); };
  batch.on_death = [](std::uint64_t seed, int status) {
    fmt::print("FAILED seed-{}: the process ended with status {:#x}\n", seed, status);
  };
  return run_batch(batch);
}

std::string verdict_of(const Pair& pair, const PairResult& result) {
  std::string out = describe(pair) + "; alone";
  const auto takes = static_cast<double>(result.takes);
  for (const double time : result.alone)
    out += fmt::format(" {:.2f} s", time / takes);
  for (std::size_t i = 0; i < kPairSchedulers.size(); ++i)
    out += fmt::format(", {} {:.2f} s {:.1f} %", name_of(kPairSchedulers[i]),
                       result.both[i] / takes, result.ratio[i] * 100);
  return out + fmt::format("; {} takes{}\n", result.takes, result.is_good() ? "" : " FAILED");
}

void print_pairs(std::span<const PairResult> results, std::uint64_t first) {
  constexpr std::size_t kWorst = 10;
  for (std::size_t i = 0; i < kPairSchedulers.size(); ++i) {
    std::vector<std::size_t> order;
    for (std::size_t k = 0; k < results.size(); ++k)
      if (results[k].valid) order.push_back(k);
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return results[a].ratio[i] < results[b].ratio[i];
    });
    fmt::print("{}: the worst of {}, in % of the better path alone:", name_of(kPairSchedulers[i]),
               order.size());
    for (std::size_t k = 0; k < std::min(kWorst, order.size()); ++k)
      fmt::print(" {:.1f} (pair {})", results[order[k]].ratio[i] * 100, first + order[k]);
    fmt::print("\n");
  }
}

void take_switches(const Options& options, mptcp::Config& mptcp) {
  mptcp.opportunistic_retransmission = options.opportunistic;
  mptcp.penalisation = options.penalisation;
}

/// Pairs of paths: MPTCP over both is never slower than TCP over the better one.
int run_pairs(const Options& options) {
  const std::size_t size = sizeof(PairResult) * options.pairs;
  auto* results = static_cast<PairResult*>(shared_memory(size));
  mptcp::Config mptcp;
  take_switches(options, mptcp);
  Batch batch{.first = options.first, .count = options.pairs, .jobs = options.jobs};
  batch.work = [&](std::uint64_t seed) {
    const Pair pair = pair_of(seed);
    PairResult& result = results[seed - options.first];
    std::snprintf(replay_command, sizeof replay_command, "%s --pairs 1 --first %lu",
                  options.program.c_str(), seed);
    alarm(kHangSeconds);
    result = run_pair(pair, mptcp, recorder_of(options));
    alarm(0);
    if (!result.is_good() || options.verbose) fmt::print("{}", verdict_of(pair, result));
    std::fflush(stdout);
    return result.is_good();
  };
  batch.on_death = [](std::uint64_t seed, int status) {
    fmt::print("FAILED pair {}: the process ended with status {:#x}\n", seed, status);
  };
  const std::uint64_t failed = run_batch(batch);
  print_pairs({results, static_cast<std::size_t>(options.pairs)}, options.first);
  fmt::print("{} passed, {} failed\n", options.pairs - failed, failed);
  return failed == 0 ? 0 : 1;
}

/// Lines of "SEED SENTENCE"; # starts a comment.
std::vector<std::uint64_t> read_seeds(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::vector<std::uint64_t> seeds;
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::uint64_t seed = 0;
    if (words >> seed) seeds.push_back(seed);
  }
  return seeds;
}

void list_all(bool verbose) {
  for (const Scenario& scenario : named_scenarios())
    fmt::print("{}\n",
               verbose ? fmt::format("{:24} {}", scenario.name, scenario.about) : scenario.name);
}

int run_chosen(Options& options) {
  std::uint64_t total = 0, failed = 0;
  const auto run_scenario = [&](Scenario scenario) {
    if (const auto kind = cc::kind_named(options.control))
      scenario.client.tcp.congestion_control = scenario.server.tcp.congestion_control = *kind;
    if (const auto kind = mptcp::scheduler_named(options.scheduler))
      scenario.client.mptcp.scheduler = scenario.server.mptcp.scheduler = *kind;
    for (Station* station : {&scenario.client, &scenario.server})
      take_switches(options, station->mptcp);
    ++total;
    if (!run_one(options, scenario)) ++failed;
  };
  if (!options.seeds_file.empty())
    for (const std::uint64_t seed : read_seeds(options.seeds_file))
      run_scenario(random_scenario(seed));
  if (options.scenario == "all" || options.scenario == "quick") {
    for (const Scenario& scenario : named_scenarios())
      if (options.scenario == "all" || !scenario.goal || scenario.goal->quick)
        run_scenario(scenario);
  } else if (!options.scenario.empty()) {
    const std::optional<Scenario> scenario = find_scenario(options.scenario);
    if (!scenario) {
      fmt::print("no scenario {}; --list shows them\n", options.scenario);
      return 2;
    }
    run_scenario(*scenario);
  }
  if (options.seed) run_scenario(random_scenario(*options.seed));
  if (options.count > 0) {
    total += options.count;
    failed += run_many(options);
  }
  fmt::print("sim: {} runs, {} failed\n", total, failed);
  return failed == 0 ? 0 : 1;
}

int run_program(int argc, char** argv) {
  Options options;
  options.program = argv[0];
  CLI::App app("Hosts, links and middleboxes on a virtual clock, from one seed");
  app.add_option("--seed", options.seed, "run the scenario of this seed");
  app.add_option("--count", options.count, "run so many seeds");
  app.add_option("--pairs", options.pairs,
                 "so many random pairs of paths: MPTCP over both against TCP over each");
  app.add_option("--first", options.first, "the first of them")->capture_default_str();
  app.add_option("--jobs", options.jobs, "processes")
      ->check(CLI::Range(1U, 64U))
      ->capture_default_str();
  app.add_option("--scenario", options.scenario, "a named scenario, 'quick' or 'all'");
  app.add_option("--congestion-control", options.control, "for these scenarios, instead of theirs")
      ->check([](const std::string& name) {
        return cc::kind_named(name) ? std::string() : "there is no controller " + name;
      });
  app.add_option("--scheduler", options.scheduler, "likewise")->check([](const std::string& name) {
    return mptcp::scheduler_named(name) ? std::string() : "there is no scheduler " + name;
  });
  app.add_flag("--opportunistic,!--no-opportunistic", options.opportunistic,
               "likewise: a fast path sends again what a slow one keeps it waiting for");
  app.add_flag("--penalisation,!--no-penalisation", options.penalisation,
               "likewise: the slow path's window is reduced");
  app.add_option("--seeds-file", options.seeds_file, "run the seeds of a file");
  app.add_option("--pcap", options.pcap, "write a capture of each host's link into this folder");
  app.add_flag("--trace", options.trace, "print every frame");
  app.add_option("--watch", options.watch_ms,
                 "print what each path does, so many ms of virtual time apart");
  app.add_flag("--digest", options.digest, "print a digest of all frames and their times");
  app.add_flag("--list", options.list,
               "print the names of the scenarios, with --verbose what they are");
  app.add_flag("--verbose", options.verbose, "print a line for each run");
  CLI11_PARSE(app, argc, argv);
  if (options.list) {
    list_all(options.verbose);
    return 0;
  }
  if (!options.seed && options.count == 0 && options.pairs == 0 && options.scenario.empty() &&
      options.seeds_file.empty()) {
    fmt::print("nothing to run; see --help\n");
    return 2;
  }
  options.verbose = options.verbose || options.seed || !options.scenario.empty();
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM})
    std::signal(signal, on_fatal_signal);
  return options.pairs != 0 ? run_pairs(options) : run_chosen(options);
}

}  // namespace
}  // namespace sim

int main(int argc, char** argv) {
  try {
    return sim::run_program(argc, argv);
  } catch (const std::exception& error) {
    fmt::print("sim: {}\n", error.what());
    return 2;
  }
}
