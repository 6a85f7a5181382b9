#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "apps/common/diagnostic.hpp"
#include "test/sim/link.hpp"

namespace emulator {

using dataplane::Duration;

/// From `at` on the path is as `ways` say. Counted from the start of the emulator.
struct Change {
  Duration at{};
  std::array<sim::LinkConfig, 2> ways;
};

/// Two ports and what lies between them: ways[0] leads from the first to the second.
struct PathPlan {
  std::array<std::string, 2> devices;
  std::array<sim::LinkConfig, 2> ways;
  std::vector<Change> changes;  ///< In the order of their times.
};

/// What the file says.
struct Plan {
  std::uint64_t seed = 1;
  std::vector<PathPlan> paths;
};

/// Reads a plan in TOML. Everything that is wrong with it is said, with its line.
///
///     seed = 7
///     [[path]]
///     devices = ["net_af_packet0,iface=left0", "net_af_packet1,iface=right0"]
///     rate = "50Mbit/s"       # and delay, jitter, queue (octets), loss, reorder, reorder_delay,
///     delay = "10ms"          # duplicate, corrupt, good_to_bad, bad_to_good, loss_in_bad
///     [[cut]]                 # of path 0, as path = 0 would say
///     from = "3s"
///     until = "4.5s"
///     [[change]]
///     at = "5s"
///     way = "back"            # both, if nothing is said
///     loss = "1%"
tl::expected<Plan, std::vector<apps::Diagnostic>> parse_plan(std::string_view text,
                                                             const std::string& file);

}  // namespace emulator
