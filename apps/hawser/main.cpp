#include <cstdio>
#include <exception>
#include <string>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "apps/hawser/context.hpp"

namespace {

using namespace apps;

ExitCode say_config_errors(Reporter& reporter, const std::vector<Diagnostic>& diagnostics) {
  std::string text;
  for (const Diagnostic& diagnostic : diagnostics)
    text += (text.empty() ? "" : "\n") + to_string(diagnostic);
  reporter.error(ExitCode::Config, text);
  return ExitCode::Config;
}

struct Dispatch {
  hawser::Context& context;
  ExitCode operator()(const ServeOptions& options) { return run_serve(context, options); }
  ExitCode operator()(const GetOptions& options) { return run_get(context, options); }
  ExitCode operator()(const PutOptions& options) { return run_put(context, options); }
  ExitCode operator()(const PerfServeOptions& options) { return run_perf_serve(context, options); }
  ExitCode operator()(const PerfRunOptions& options) { return run_perf(context, options); }
  ExitCode operator()(const PortsOptions& options) { return run_ports(context, options); }
};

/// "-" as the destination of get makes stdout the file, so that nothing else may go there.
bool writes_to_stdout(const Options& options) {
  const auto* get = std::get_if<GetOptions>(&options.command);
  return get != nullptr && get->destination == "-";
}

ExitCode run(const Options& options, Reporter& reporter) {
  ConfigResult config = load_config(options.common.config, Machine::here());
  if (!config) return say_config_errors(reporter, config.error());
  options.common.multipath.apply_to(*config);
  for (const Diagnostic& note : config->notes)
    reporter.line(to_string(note));
  if (!options.common.capture.empty())
    config->node.capture = {.path = options.common.capture,
                            .filter = options.common.capture_filter};

  Signals signals;
  auto engine = Engine::start(*config);
  if (!engine) {
    reporter.error(ExitCode::Setup, engine.error());
    return ExitCode::Setup;
  }
  hawser::Context context{*config, **engine, reporter, signals};
  return std::visit(Dispatch{context}, options.command);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    auto parsed = parse_command_line(argc, argv);
    if (const auto* farewell = std::get_if<Farewell>(&parsed)) {
      fmt::print(farewell->code == ExitCode::Ok ? stdout : stderr, "{}", farewell->text);
      return static_cast<int>(farewell->code);
    }
    const Options& options = std::get<Options>(parsed);
    Reporter reporter =
        Reporter::of_process(options.common.json, options.common.quiet, writes_to_stdout(options));
    return static_cast<int>(run(options, reporter));
  } catch (const std::exception& error) {
    fmt::print(stderr, "hawser: internal error: {}\n", error.what());
    return static_cast<int>(ExitCode::Internal);
  }
}
