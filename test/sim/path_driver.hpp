#pragma once

#include <cstdint>
#include <span>

#include "mptcp/core.hpp"
#include "test/sim/rng.hpp"

namespace sim {

using dataplane::Duration;
using dataplane::Instant;

/// A program that drives the paths of its connection itself: what it does follows from a seed. It
/// ends and withdraws for a while, and opens and announces as long as the connection lives.
class PathDriver {
 public:
  /// `pause` lies between two commands; zero: it never gives any.
  PathDriver(std::uint64_t seed, Duration pause) : rng_(seed), pause_(pause) {}

  bool is_on() const { return pause_ != Duration::zero(); }
  Instant next() const { return next_; }
  void run(Instant now, mptcp::Core& core, mptcp::SocketId socket,
           std::span<const dataplane::IpAddress> own);

 private:
  mptcp::PathCommand draw(std::span<const dataplane::IpAddress> own, const mptcp::SocketInfo& info);

  Rng rng_;
  Duration pause_;
  Instant next_{};
  std::uint32_t given_ = 0;
};

}  // namespace sim
