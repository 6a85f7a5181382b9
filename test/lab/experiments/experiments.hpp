#pragma once

#include "test/lab/experiment.hpp"

namespace lab {

Experiment shared_bottleneck();

}  // namespace lab
