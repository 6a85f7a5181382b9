#pragma once

#include <string>
#include <vector>

#include "test/lab/experiment.hpp"

namespace lab {

/// What all seeds of one figure gave.
struct Result {
  std::vector<double> values;  ///< In ascending order; empty: no trial came to its end.
  double median() const {
    const std::size_t half = values.size() / 2;
    return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
  }
  double low() const { return values.front(); }
  double high() const { return values.back(); }
};

struct CaseResult {
  std::vector<Result> figures;
  std::vector<Series> series;
  std::vector<std::string> failures;  ///< A line for each trial that died.
};

struct TrialOptions {
  unsigned jobs = 1;
  unsigned seeds = 0;  ///< 0: as many as the experiment asks for.
};

/// Runs all trials of an experiment, each in a process of its own: an assertion ends that one, and
/// what it used of memory is its own.
std::vector<CaseResult> run_trials(const Experiment& experiment, const TrialOptions& options);

}  // namespace lab
