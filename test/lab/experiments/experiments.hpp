#pragma once

#include "test/lab/experiment.hpp"

namespace lab {

Experiment shared_bottleneck();
Experiment two_bottlenecks();
Experiment single_path();
Experiment grid();
/// One for each of six ways to lose frames.
std::vector<Experiment> patterns();

}  // namespace lab
