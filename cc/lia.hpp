#pragma once

#include <algorithm>

#include "cc/coupled_reno.hpp"

namespace cc {

/// The Linked Increases Algorithm (RFC 6356 §3): all subflows together grow as one TCP on the best
/// of their paths would, and none faster than a TCP on its own.
struct Lia {
  /// Of the window per acknowledged octet, in segments. The sums cancel: alpha / cwnd_total.
  static double increase(const Own& own, const Coupling& all) {
    return std::min(all.best_quality / (all.rate * all.rate), 1 / own.cwnd);
  }
  static double decrease(const Own&, const Coupling&) { return 0.5; }
};

}  // namespace cc
