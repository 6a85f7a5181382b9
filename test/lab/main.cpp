#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "test/lab/experiment.hpp"
#include "test/lab/report.hpp"
#include "test/lab/trials.hpp"

namespace {

struct Options {
  bool list = false;
  bool all = false;
  bool quick = false;
  std::vector<std::string> names;
  unsigned seeds = 0;
  unsigned jobs = 1;
  bool json = false;
  std::string report;  ///< A folder.
};

std::vector<lab::Experiment> chosen(const Options& options) {
  std::vector<lab::Experiment> out;
  for (lab::Experiment& each : lab::all_experiments()) {
    const bool named =
        std::find(options.names.begin(), options.names.end(), each.name) != options.names.end();
    if (options.all || named || (options.quick && each.quick)) out.push_back(std::move(each));
  }
  return out;
}

int list() {
  for (const lab::Experiment& each : lab::all_experiments())
    fmt::print("{:16} {:5}  {}\n", each.name, each.quick ? "quick" : "", each.title);
  return 0;
}

bool unknown(const Options& options) {
  const std::vector<lab::Experiment> all = lab::all_experiments();
  return std::any_of(options.names.begin(), options.names.end(), [&](const std::string& name) {
    const bool known = std::any_of(all.begin(), all.end(),
                                   [&](const lab::Experiment& each) { return each.name == name; });
    if (!known) fmt::print(stderr, "lab: no experiment {}; --list shows them\n", name);
    return !known;
  });
}

/// Writes sections and plots into a folder.
class Report {
 public:
  explicit Report(const std::string& folder) : folder_(folder) {
    std::filesystem::create_directories(folder_ / "plots");
    text_.open(folder_ / "REPORT.md");
    text_ << "# The laboratory's report\n\nWhat `scripts/dev lab --all --report test/lab` printed. "
             "Ours is the median of all seeds,\nthe spread goes from the smallest to the largest. "
             "Rates are of payload.\n\n";
  }
  void add(const lab::Experiment& experiment, const std::vector<lab::CaseResult>& results) {
    const std::string file = folder_ / "plots" / (experiment.name + ".svg");
    const bool drawn = experiment.plot && lab::draw(experiment, results, file);
    if (experiment.plot && !drawn)
      fmt::print(stderr, "lab: no plot of {}: plots need gnuplot (apt-get install gnuplot-nox)\n",
                 experiment.name);
    text_ << lab::section_of(experiment, results, drawn);
  }

 private:
  std::filesystem::path folder_;
  std::ofstream text_;
};

int run(const Options& options) {
  std::optional<Report> report;
  if (!options.report.empty()) report.emplace(options.report);
  std::size_t passed = 0;
  std::size_t failed = 0;
  for (const lab::Experiment& experiment : chosen(options)) {
    const auto results = lab::run_trials(experiment, {options.jobs, options.seeds});
    if (options.json) {
      fmt::print("{}\n", lab::json_of(experiment, results));
    } else {
      fmt::print("{}: {}\n{}", experiment.name, experiment.title,
                 lab::table_of(experiment, results));
    }
    const std::vector<std::string> wrong = lab::complaints(experiment, results);
    for (const std::string& line : wrong)
      fmt::print(stderr, "FAILED {}: {}\n", experiment.name, line);
    ++(wrong.empty() ? passed : failed);
    if (!options.json) fmt::print("\n");
    std::fflush(stdout);
    if (report) report->add(experiment, results);
  }
  if (!options.json) fmt::print("{} passed, {} failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("The laboratory: named experiments on the simulator, beside what papers found.\n");
  Options options;
  app.add_flag("--list", options.list, "what there is");
  app.add_flag("--all", options.all, "run all of them");
  app.add_flag("--quick", options.quick, "run those that CI runs");
  app.add_option("--run", options.names, "run these");
  app.add_option("--seeds", options.seeds, "of each case [as the experiment says]");
  app.add_option("--jobs", options.jobs, "trials at a time [1]")->check(CLI::PositiveNumber);
  app.add_flag("--json", options.json, "an object per experiment, one per line");
  app.add_option("--report", options.report, "folder for REPORT.md and plots (needs gnuplot)");
  CLI11_PARSE(app, argc, argv);
  if (options.list) return list();
  if (unknown(options)) return 2;
  if (!options.all && !options.quick && options.names.empty()) {
    fmt::print(stderr, "lab: nothing to do; try --list, --run NAME, --quick or --all\n");
    return 2;
  }
  return run(options);
}
