#pragma once

#include <string>
#include <vector>

#include "test/lab/experiment.hpp"
#include "test/lab/trials.hpp"

namespace lab {

/// What is not as it should be: a trial that died, a figure that left its band, a difference to the
/// paper that nobody explains.
std::vector<std::string> complaints(const Experiment& experiment,
                                    const std::vector<CaseResult>& results);

/// Markdown: what was done, and a table with paper, ours, ratio and spread.
std::string section_of(const Experiment& experiment, const std::vector<CaseResult>& results,
                       bool has_plot);
/// The table alone, for a terminal.
std::string table_of(const Experiment& experiment, const std::vector<CaseResult>& results);
/// One JSON object on one line.
std::string json_of(const Experiment& experiment, const std::vector<CaseResult>& results);

/// Draws all lines of an experiment into an SVG file by gnuplot; false when there is no gnuplot.
bool draw(const Experiment& experiment, const std::vector<CaseResult>& results,
          const std::string& file);

}  // namespace lab
