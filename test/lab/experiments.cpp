#include "test/lab/experiments/experiments.hpp"

namespace lab {

std::vector<Experiment> all_experiments() {
  return {
      shared_bottleneck(),
  };
}

}  // namespace lab
