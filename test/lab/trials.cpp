#include "test/lab/trials.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

namespace lab {

namespace {

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, FileCloser>;

/// One seed of one case, and the file through which its process answers.
struct Trial {
  std::size_t number;  ///< Of the case.
  std::uint64_t seed;
  File answer;
};

void write_answer(std::FILE* file, const Outcome& outcome) {
  for (const double figure : outcome.figures)
    fmt::print(file, "f {}\n", figure);
  for (const Series& series : outcome.series) {
    fmt::print(file, "s {}\n", series.name);
    for (const auto& [x, y] : series.points)
      fmt::print(file, "p {} {}\n", x, y);
  }
}

Outcome read_answer(std::FILE* file) {
  Outcome out;
  std::rewind(file);
  std::array<char, 256> line{};
  while (std::fgets(line.data(), line.size(), file) != nullptr) {
    std::string text(line.data());
    text.pop_back();
    double x = 0;
    double y = 0;
    if (std::sscanf(text.c_str(), "f %lf", &x) == 1) {
      out.figures.push_back(x);
    } else if (std::sscanf(text.c_str(), "p %lf %lf", &x, &y) == 2) {
      out.series.back().points.emplace_back(x, y);
    } else {
      out.series.push_back({text.substr(2), {}});
    }
  }
  return out;
}

pid_t start(const Case& one, const Trial& trial) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child != 0) return child;
  write_answer(trial.answer.get(), one.run(trial.seed));
  std::fflush(trial.answer.get());
  std::_Exit(0);
}

void take(CaseResult& into, const Case& one, Trial trial, int status) {
  const Outcome outcome = read_answer(trial.answer.get());
  if (status != 0 || outcome.figures.size() != one.figures.size()) {
    into.failures.push_back(fmt::format("{}: seed {} ended with status {} and {} of {} figures",
                                        one.label, trial.seed, status, outcome.figures.size(),
                                        one.figures.size()));
    return;
  }
  for (std::size_t i = 0; i < outcome.figures.size(); ++i)
    into.figures[i].values.push_back(outcome.figures[i]);
  if (trial.seed == 1) into.series = outcome.series;
}

}  // namespace

std::vector<CaseResult> run_trials(const Experiment& experiment, const TrialOptions& options) {
  const unsigned seeds = options.seeds != 0 ? options.seeds : experiment.seeds;
  std::vector<CaseResult> out(experiment.cases.size());
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i].figures.resize(experiment.cases[i].figures.size());
  std::map<pid_t, Trial> running;
  const auto wait_for_one = [&] {
    int status = 0;
    const pid_t done = wait(&status);
    const auto found = running.find(done);
    if (found == running.end()) throw std::runtime_error("a trial was lost");
    const std::size_t number = found->second.number;
    take(out[number], experiment.cases[number], std::move(found->second), status);
    running.erase(found);
  };
  for (std::size_t number = 0; number < experiment.cases.size(); ++number) {
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
      if (running.size() == options.jobs) wait_for_one();
      Trial trial{number, seed, File(std::tmpfile())};
      if (!trial.answer) throw std::runtime_error("no temporary file for a trial");
      const pid_t child = start(experiment.cases[number], trial);
      running.emplace(child, std::move(trial));
    }
  }
  while (!running.empty())
    wait_for_one();
  for (CaseResult& result : out)
    for (Result& figure : result.figures)
      std::sort(figure.values.begin(), figure.values.end());
  return out;
}

}  // namespace lab
