#pragma once

#include <cstddef>
#include <span>

namespace cc {

/// What one subflow tells the others of its connection.
struct Sibling {
  double cwnd = 0;  ///< Octets.
  double rtt = 0;   ///< Smoothed, seconds; 0: not measured, and so nobody counts it.
  /// Octets acknowledged between the last two losses or since the last, whichever is more.
  double between_losses = 0;
};

/// What one subflow may know of its siblings and itself. The layer above renews it about once in a
/// round trip; on other cores it comes by message.
struct Coupling {
  std::size_t paths = 0;    ///< Below 2 there is nothing to couple.
  double total = 0;         ///< Sum of the windows, octets.
  double rate = 0;          ///< Sum of cwnd / rtt, octets per second.
  double best_rate = 0;     ///< The largest cwnd / rtt.
  double best_quality = 0;  ///< The largest cwnd / rtt^2.
  double olia_alpha = 0;    ///< draft-khalili-mptcp-congestion-control §3: alpha of this subflow.
};

/// What `siblings[own]` is to know.
Coupling couple(std::span<const Sibling> siblings, std::size_t own);

}  // namespace cc
