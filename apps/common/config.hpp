#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "apps/common/diagnostic.hpp"
#include "dataplane/dpdk/node_config.hpp"
#include "dataplane/tcp/config.hpp"
#include "mptcp/config.hpp"

namespace apps {

/// A node file, validated: every field is within its bounds and consistent with the others.
struct Config {
  dataplane::dpdk::NodeConfig node;  ///< [engine] and the ports, at least one.
  dataplane::tcp::Config tcp;        ///< [tcp], and what [mptcp] says about congestion control.
  mptcp::Config mptcp;               ///< The rest of [mptcp].
  std::vector<Diagnostic> notes;     ///< Values that have no effect in this version.
};

/// What of this machine a configuration must fit.
struct Machine {
  std::vector<unsigned> cores;  ///< CPU numbers that this process may run on, ascending.
  /// This machine, as the scheduler affinity of the process shows it.
  static Machine here();
};

using ConfigResult = tl::expected<Config, std::vector<Diagnostic>>;

/// Parses and validates the text of a node file; `name` is what messages call it. All mistakes are
/// reported at once.
ConfigResult parse_config(std::string_view text, const std::string& name, const Machine& machine);
/// The same for a file.
ConfigResult load_config(const std::string& path, const Machine& machine);

/// A commented example with every table, for --help and for the message when there is no file.
std::string_view example_config();

}  // namespace apps
