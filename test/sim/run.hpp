#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "test/sim/oracle.hpp"
#include "test/sim/recorder.hpp"
#include "test/sim/scenario.hpp"

namespace sim {

/// Figures of a run; those of the first connection where they are of one.
struct RunStats {
  std::uint64_t events = 0;
  std::uint64_t frames = 0;  ///< Sent by hosts.
  std::uint64_t octets = 0;  ///< Read by applications.
  std::uint64_t resent = 0;  ///< Octets of payload sent again.
  std::uint64_t losses = 0;  ///< Of all links, for all reasons.
  std::uint64_t marked = 0;  ///< Frames that links have marked.
  Duration elapsed{};        ///< Virtual, until all applications were done.
  double goodput_bps =
      0;  ///< Payload from server to client, from the call until the last octet was read.
  double utilisation = 0;    ///< The same with headers counted, of the link's rate.
  Duration silence{};        ///< The longest time between two reads.
  std::uint64_t undone = 0;  ///< Timeouts that were found to be spurious.
  Duration queue_delay{};    ///< At the fullest of the bottleneck's queue.
};

struct RunResult {
  std::optional<Violation> violation;
  std::uint64_t digest = 0;
  RunStats stats;
};

/// Builds the world of a scenario and runs it to its end or its first violation.
RunResult run(const Scenario& scenario, const RecorderConfig& recorder);

}  // namespace sim
