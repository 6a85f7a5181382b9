#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "mptcp/config.hpp"
#include "test/sim/recorder.hpp"
#include "test/sim/scenario.hpp"

namespace sim {

/// What a second path must never cost: one transfer by TCP over each of two paths that differ in
/// everything, and by MPTCP over both.
struct Pair {
  std::uint64_t seed = 0;
  LinkConfig paths[2];
  std::uint64_t octets = 0;
};
Pair pair_of(std::uint64_t seed);
std::string describe(const Pair& pair);

inline constexpr std::array kPairSchedulers = {
    mptcp::SchedulerKind::MinRtt, mptcp::SchedulerKind::Blest, mptcp::SchedulerKind::Ecf};

/// A download by MPTCP over both, or by TCP over one of them; of several `takes` each has chances
/// of its own.
Scenario both_paths(const Pair& pair, const mptcp::Config& mptcp, std::uint64_t take = 0);
Scenario one_path(const Pair& pair, std::size_t which, std::uint64_t take = 0);

/// Of a pair that was not well in its first.
inline constexpr std::size_t kMostTakes = 9;

struct PairResult {
  bool valid = false;
  double alone[2] = {};  ///< Seconds by TCP over each path, summed over the takes.
  double both[kPairSchedulers.size()] = {};
  /// The rate by MPTCP, of that by the better path alone: the median of the takes.
  double ratio[kPairSchedulers.size()] = {};
  std::size_t takes = 0;

  bool is_good() const;
};
/// Where chance takes frames, one take says little: what falls below the better path alone is run
/// some times more and judged by those.
PairResult run_pair(const Pair& pair, const mptcp::Config& mptcp, const RecorderConfig& recorder);

}  // namespace sim
