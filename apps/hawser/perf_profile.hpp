#pragma once

#include <cstddef>
#include <string>

#include <boost/json/object.hpp>

#include "dataplane/dpdk/loop_stats.hpp"

namespace apps::hawser {

/// What the turns of one core cost while it had connections.
class PerfProfile {
 public:
  using LoopStats = dataplane::dpdk::LoopStats;

  /// `stats` of the core's loop while it has a connection; the first call begins.
  void note(const LoopStats& stats);

  /// Two lines for people: how busy the core was, and cycles for each frame that came or went.
  std::string text(std::size_t core) const;
  /// The same for programs.
  boost::json::object fields(std::size_t core) const;

 private:
  /// Of `cycles`, what one frame took.
  double per_frame(std::uint64_t LoopStats::*cycles) const;
  std::uint64_t spent(std::uint64_t LoopStats::*field) const {
    return last_.*field - first_.*field;
  }
  /// `field` for each one of `of`; 0 when there are none.
  double ratio(std::uint64_t LoopStats::*field, std::uint64_t LoopStats::*of) const;
  double busy_share() const;

  bool has_begun_ = false;
  LoopStats first_;
  LoopStats last_;
};

}  // namespace apps::hawser
