#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "mptcp/scheduler/scheduler.hpp"

namespace mptcp::test {

using namespace std::chrono_literals;

inline constexpr std::uint32_t kMss = 1'000;

/// A subflow with room for what its window has left.
inline SubflowView subflow(std::uint8_t id, Duration srtt, std::uint64_t cwnd_segments,
                           std::uint64_t in_flight_segments = 0) {
  SubflowView view;
  view.id = id;
  view.mss = kMss;
  view.srtt = srtt;
  view.rttvar = srtt / 10;
  view.cwnd = cwnd_segments * kMss;
  view.in_flight = in_flight_segments * kMss;
  view.room = view.cwnd - view.in_flight;
  return view;
}

inline Demand bulk() {
  Demand demand;
  demand.waiting = 100'000'000;
  demand.window = demand.window_room = 10'000'000;
  return demand;
}

/// Asks until there is nothing, as a connection does, and returns the octets that each place got,
/// those given a second time included.
inline std::array<std::uint64_t, kMaxSubflows> grant_all(AnyScheduler& scheduler,
                                                         std::vector<SubflowView>& views,
                                                         Demand& demand) {
  std::array<std::uint64_t, kMaxSubflows> given{};
  while (const auto grant = next_grant(scheduler, views, demand)) {
    given[grant->subflow] += grant->octets;
    for (SubflowView& view : views) {
      if (view.id == grant->subflow) {
        view.room -= grant->octets;
        view.queued += grant->octets;
        if (grant->again) view.behind -= grant->octets;
      } else if (!grant->again) {
        view.behind += grant->octets;
      }
    }
    if (grant->again) continue;
    demand.waiting -= grant->octets;
    demand.window_room -= grant->octets;
  }
  return given;
}

}  // namespace mptcp::test
