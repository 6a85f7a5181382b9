#pragma once

#include "test/lab/experiment.hpp"

namespace lab {

Experiment shared_bottleneck();
Experiment wifi_and_3g();
Experiment two_bottlenecks();
Experiment single_path();
Experiment grid();
Experiment bufferbloat();
Experiment cuts();
Experiment impaired();
/// One for each of six ways to lose frames.
std::vector<Experiment> patterns();
Experiment blest();
Experiment simultaneous();
Experiment long_and_lossy();
Experiment scarce_buffers();
Experiment high_bdp();
Experiment shared_penalty();
Experiment handover();
Experiment lossy_path();
Experiment data_centre();
Experiment many_flows();

}  // namespace lab
