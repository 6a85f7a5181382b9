#include "apps/hawser/perf_profile.hpp"

#include <cmath>

#include <fmt/format.h>

namespace apps::hawser {
namespace {

double quotient(std::uint64_t of, std::uint64_t by) {
  return by == 0 ? 0 : static_cast<double>(of) / static_cast<double>(by);
}

double to_tenths(double value) { return std::round(value * 10) / 10; }

}  // namespace

void PerfProfile::note(const LoopStats& stats) {
  if (!has_begun_) first_ = stats;
  has_begun_ = true;
  last_ = stats;
}

double PerfProfile::per_frame(std::uint64_t LoopStats::*cycles) const {
  return quotient(spent(cycles), spent(&LoopStats::rx_frames) + spent(&LoopStats::tx_frames));
}

double PerfProfile::ratio(std::uint64_t LoopStats::*field, std::uint64_t LoopStats::*of) const {
  return quotient(spent(field), spent(of));
}

double PerfProfile::busy_share() const {
  const std::uint64_t busy = spent(&LoopStats::busy_cycles);
  return quotient(busy, busy + spent(&LoopStats::idle_cycles));
}

std::string PerfProfile::text(std::size_t core) const {
  return fmt::format(
      "core {}: {:.0f} % busy; {} frames in, {:.1f} a burst; {} out, {:.1f} a burst; {} sleeps\n"
      "  cycles per frame: device in {:.0f}, engine {:.0f}, application {:.0f}, device out {:.0f}",
      core, busy_share() * 100, spent(&LoopStats::rx_frames),
      ratio(&LoopStats::rx_frames, &LoopStats::rx_bursts), spent(&LoopStats::tx_frames),
      ratio(&LoopStats::tx_frames, &LoopStats::tx_bursts), spent(&LoopStats::sleeps),
      per_frame(&LoopStats::rx_cycles), per_frame(&LoopStats::engine_cycles),
      per_frame(&LoopStats::app_cycles), per_frame(&LoopStats::tx_cycles));
}

boost::json::object PerfProfile::fields(std::size_t core) const {
  return {{"core", core},
          {"busy_share", std::round(busy_share() * 1'000) / 1'000},
          {"rx_frames", spent(&LoopStats::rx_frames)},
          {"rx_frames_per_burst", to_tenths(ratio(&LoopStats::rx_frames, &LoopStats::rx_bursts))},
          {"tx_frames", spent(&LoopStats::tx_frames)},
          {"tx_frames_per_burst", to_tenths(ratio(&LoopStats::tx_frames, &LoopStats::tx_bursts))},
          {"turns", spent(&LoopStats::turns)},
          {"busy_turns", spent(&LoopStats::busy_turns)},
          {"sleeps", spent(&LoopStats::sleeps)},
          {"cycles_per_frame",
           boost::json::object{{"rx", to_tenths(per_frame(&LoopStats::rx_cycles))},
                               {"engine", to_tenths(per_frame(&LoopStats::engine_cycles))},
                               {"app", to_tenths(per_frame(&LoopStats::app_cycles))},
                               {"tx", to_tenths(per_frame(&LoopStats::tx_cycles))}}}};
}

}  // namespace apps::hawser
