#pragma once

#include <optional>

#include "cc/kind.hpp"
#include "mptcp/path/kind.hpp"
#include "mptcp/scheduler/kind.hpp"

namespace CLI {
class App;
}

namespace apps {

struct Config;

/// What a command line says of the paths of this one command, instead of the node file.
struct MultipathOptions {
  std::optional<mptcp::SchedulerKind> scheduler;
  std::optional<mptcp::PathManagerKind> paths;
  std::optional<cc::Kind> congestion_control;

  void apply_to(Config& config) const;
};

/// --scheduler, --paths and --cc.
void add_multipath_options(CLI::App& app, MultipathOptions& target);

}  // namespace apps
