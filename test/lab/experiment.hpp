#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lab {

/// Where a figure must lie; CI fails when it leaves.
struct Band {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};

/// Something that is measured, and what the paper has for it.
struct Figure {
  std::string name;
  std::string unit;
  std::optional<double> paper = {};
  Band band = {};
  /// Why ours differs from the paper's by more than 15 %: one sentence that was checked.
  std::string why = {};
};

/// A line of a plot.
struct Series {
  std::string name;
  std::vector<std::pair<double, double>> points;
};

/// What one trial found: the figures in the order of their case.
struct Outcome {
  std::vector<double> figures;
  std::vector<Series> series = {};  ///< Those of the first seed are drawn.
};

/// One row or more of the experiment's table.
struct Case {
  std::string label;
  std::vector<Figure> figures;
  std::function<Outcome(std::uint64_t seed)> run;
};

struct Plot {
  std::string x;
  std::string y;
  bool log_x = false;
};

/// Topology, traffic, algorithms and seeds, and what somebody else found with them.
struct Experiment {
  std::string name;   ///< As it is called with --run.
  std::string title;  ///< One line.
  std::string setup;  ///< In some sentences, with the source of the paper's numbers.
  unsigned seeds = 5;
  bool quick = false;  ///< Cheap enough to run with each change.
  std::vector<Case> cases;
  std::optional<Plot> plot;
};

/// All of them, in the order of the report. A new one is a file and a line in experiments.cpp.
std::vector<Experiment> all_experiments();

}  // namespace lab
