#pragma once

#include <cstdint>

#include <rte_cycles.h>

#include "dataplane/base/time.hpp"

namespace dataplane::dpdk {

/// The time-stamp counter as the engines' clock: one multiplication per reading, the same origin on
/// every core. To be made after EAL has measured the counter's rate.
class TscClock {
 public:
  TscClock()
      : origin_(rte_rdtsc()),
        nanoseconds_q32_(static_cast<std::uint64_t>(1e9 * 4'294'967'296.0 /
                                                    static_cast<double>(rte_get_tsc_hz()))) {}

  Instant now() const { return at(rte_rdtsc()); }
  /// The instant of a counter value. A value from before the origin, as a core whose counter lags a
  /// little may read it, is the origin.
  Instant at(std::uint64_t tsc) const {
    __extension__ using Wide = unsigned __int128;
    const std::uint64_t elapsed = tsc > origin_ ? tsc - origin_ : 0;
    return kOrigin + Duration(static_cast<Duration::rep>(Wide{elapsed} * nanoseconds_q32_ >> 32));
  }
  static std::uint64_t cycles() { return rte_rdtsc(); }

 private:
  /// Not zero, so that a value that nobody set looks like the past.
  static constexpr Instant kOrigin{1s};

  std::uint64_t origin_;
  std::uint64_t nanoseconds_q32_;  ///< Nanoseconds per cycle, times 2^32.
};

}  // namespace dataplane::dpdk
