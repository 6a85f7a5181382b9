#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <sstream>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "cc/kind.hpp"
#include "test/sim/run.hpp"

namespace sim {
namespace {

constexpr unsigned kHangSeconds =
    300;  ///< Of real time for one scenario: an endless loop in the engine.

struct Options {
  std::optional<std::uint64_t> seed;
  std::uint64_t count = 0;
  std::uint64_t first = 1;
  unsigned jobs = 1;
  std::string scenario;
  std::string control;
  std::string seeds_file;
  std::string pcap;
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

/// Runs one scenario; true when all was well.
bool run_one(const Options& options, const Scenario& scenario) {
  const std::string replay = replay_of(options, scenario);
  std::strncpy(replay_command, replay.c_str(), sizeof replay_command - 1);
  alarm(kHangSeconds);
  const auto start = std::chrono::steady_clock::now();
  const RunResult result =
      run(scenario, {options.digest, options.trace, options.pcap, scenario.name});
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
        "{} frames lost, "
        "queue up to {:.1f} ms; {} frames in {:.1f} s real\n",
        scenario.name, stats.goodput_bps / 1e6, stats.utilisation * 100,
        std::chrono::duration<double>(stats.elapsed).count(), stats.resent, stats.losses,
        std::chrono::duration<double, std::milli>(stats.queue_delay).count(), stats.frames, real);
  } else if (options.verbose) {
    fmt::print(
        "{:24} {} {} frames, {} octets, {} resent, {} lost, {:.3f} s virtual, {:.1f} ms real\n",
        scenario.name, result.violation ? "FAILED" : "ok", stats.frames, stats.octets, stats.resent,
        stats.losses, std::chrono::duration<double>(stats.elapsed).count(), real * 1e3);
  }
  std::fflush(stdout);
  return !result.violation;
}

/// What the processes of one run share.
struct Progress {
  std::uint64_t next = 0;  ///< The number that this process works on.
  std::uint64_t failed = 0;
};

/// Seeds `job`, `job + jobs`, ... of the run, in a process of its own: an assertion in the engine
/// ends that process only, and the next one goes on behind the seed that did it.
void work(const Options& options, unsigned job, Progress& progress) {
  for (; progress.next < options.count; progress.next += options.jobs) {
    if (progress.next % options.jobs != job) continue;
    if (!run_one(options, random_scenario(options.first + progress.next))) ++progress.failed;
  }
}

pid_t start_job(const Options& options, unsigned job, Progress& progress) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child != 0) return child;
  work(options, job, progress);
  std::fflush(stdout);
  std::_Exit(0);
}

std::uint64_t run_many(const Options& options) {
  const std::size_t size = sizeof(Progress) * options.jobs;
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    fmt::print("cannot share memory between jobs\n");
    return 1;
  }
  auto* progress = static_cast<Progress*>(memory);
  std::vector<pid_t> children;
  for (unsigned job = 0; job < options.jobs; ++job) {
    progress[job] = {job, 0};
    children.push_back(start_job(options, job, progress[job]));
  }
  for (unsigned job = 0; job < options.jobs; ++job) {
    while (true) {
      int status = 0;
      waitpid(children[job], &status, 0);
      if (WIFEXITED(status) && WEXITSTATUS(status) == 0) break;
      fmt::print("FAILED seed-{}: the process ended with status {:#x}\n",
                 options.first + progress[job].next, status);
      ++progress[job].failed;
      progress[job].next += options.jobs;
      children[job] = start_job(options, job, progress[job]);
    }
  }
  std::uint64_t failed = 0;
  for (unsigned job = 0; job < options.jobs; ++job)
    failed += progress[job].failed;
  munmap(memory, size);
  return failed;
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
    ++total;
    if (!run_one(options, scenario)) ++failed;
  };
  if (!options.seeds_file.empty())
    for (const std::uint64_t seed : read_seeds(options.seeds_file))
      run_scenario(random_scenario(seed));
  if (options.scenario == "all" || options.scenario == "quick") {
    for (const Scenario& scenario : named_scenarios())
      if (options.scenario == "all" || !scenario.goal) run_scenario(scenario);
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
  app.add_option("--first", options.first, "the first of them")->capture_default_str();
  app.add_option("--jobs", options.jobs, "processes")
      ->check(CLI::Range(1U, 64U))
      ->capture_default_str();
  app.add_option("--scenario", options.scenario, "a named scenario, 'quick' or 'all'");
  app.add_option("--congestion-control", options.control, "for these scenarios, instead of theirs")
      ->check([](const std::string& name) {
        return cc::kind_named(name) ? std::string() : "there is no controller " + name;
      });
  app.add_option("--seeds-file", options.seeds_file, "run the seeds of a file");
  app.add_option("--pcap", options.pcap, "write a capture of each host's link into this folder");
  app.add_flag("--trace", options.trace, "print every frame");
  app.add_flag("--digest", options.digest, "print a digest of all frames and their times");
  app.add_flag("--list", options.list,
               "print the names of the scenarios, with --verbose what they are");
  app.add_flag("--verbose", options.verbose, "print a line for each run");
  CLI11_PARSE(app, argc, argv);
  if (options.list) {
    list_all(options.verbose);
    return 0;
  }
  if (!options.seed && options.count == 0 && options.scenario.empty() &&
      options.seeds_file.empty()) {
    fmt::print("nothing to run; see --help\n");
    return 2;
  }
  options.verbose = options.verbose || options.seed || !options.scenario.empty();
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM})
    std::signal(signal, on_fatal_signal);
  return run_chosen(options);
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
