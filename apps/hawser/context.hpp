#pragma once

#include "apps/common/config.hpp"
#include "apps/common/engine.hpp"
#include "apps/common/exit_code.hpp"
#include "apps/common/options.hpp"
#include "apps/common/report.hpp"
#include "apps/common/signals.hpp"

namespace apps::hawser {

/// What every command works with: a running node and ways to speak and to be stopped.
struct Context {
  const Config& config;
  Engine& engine;
  Reporter& reporter;
  Signals& signals;
};

// The commands; each returns when it is done or was interrupted, with its summary said.
ExitCode run_serve(Context& context, const ServeOptions& options);
ExitCode run_get(Context& context, const GetOptions& options);
ExitCode run_put(Context& context, const PutOptions& options);
ExitCode run_perf_serve(Context& context, const PerfServeOptions& options);
ExitCode run_perf(Context& context, const PerfRunOptions& options);
ExitCode run_ports(Context& context, const PortsOptions& options);

}  // namespace apps::hawser
