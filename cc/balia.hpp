#pragma once

#include <algorithm>

#include "cc/coupled_reno.hpp"

namespace cc {

/// The Balanced Linked Adaptation (draft-walid-mptcp-congestion-control §3): between LIA's
/// friendliness and OLIA's slowness to answer when paths change.
struct Balia {
  static double increase(const Own& own, const Coupling& all) {
    const double a = alpha(own, all);
    return own.cwnd / (own.rtt * own.rtt) / (all.rate * all.rate) * ((1 + a) / 2) * ((4 + a) / 5);
  }
  static double decrease(const Own& own, const Coupling& all) {
    return std::min(alpha(own, all), 1.5) / 2;
  }

 private:
  /// How much faster the fastest subflow is.
  static double alpha(const Own& own, const Coupling& all) {
    return std::max(all.best_rate * own.rtt / own.cwnd, 1.0);
  }
};

}  // namespace cc
