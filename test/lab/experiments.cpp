#include "test/lab/experiments/experiments.hpp"

namespace lab {

std::vector<Experiment> all_experiments() {
  std::vector<Experiment> out = {
      shared_bottleneck(), wifi_and_3g(),    two_bottlenecks(), single_path(),    grid(),
      bufferbloat(),       cuts(),           impaired(),        blest(),          simultaneous(),
      long_and_lossy(),    scarce_buffers(), high_bdp(),        shared_penalty(), handover(),
      lossy_path(),        data_centre(),    many_flows(),
  };
  for (Experiment& each : patterns())
    out.push_back(std::move(each));
  return out;
}

}  // namespace lab
