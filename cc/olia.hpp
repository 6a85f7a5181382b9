#pragma once

#include "cc/coupled_reno.hpp"

namespace cc {

/// The Opportunistic Linked Increases Algorithm (draft-khalili-mptcp-congestion-control §3): LIA
/// that moves traffic to the paths that lose the least, and is so fairer to others.
struct Olia {
  static double increase(const Own& own, const Coupling& all) {
    return own.cwnd / (own.rtt * own.rtt) / (all.rate * all.rate) + all.olia_alpha / own.cwnd;
  }
  static double decrease(const Own&, const Coupling&) { return 0.5; }
};

}  // namespace cc
