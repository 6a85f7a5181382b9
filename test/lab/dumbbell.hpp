#pragma once

#include <vector>

#include "test/lab/network.hpp"

namespace lab {

/// Two routers and the bottleneck between them; pairs of machines hang on either side.
class Dumbbell {
 public:
  Dumbbell(Network& network, const LinkConfig& bottleneck)
      : network_(network),
        left_(network.add_router()),
        right_(network.add_router()),
        bottleneck_(network.join(left_, right_, bottleneck)) {
    left_.add_default(bottleneck_.there);
    right_.add_default(bottleneck_.back);
  }

  struct Pair {
    Machine& sender;
    Machine& receiver;
  };
  /// All ports of a machine share its cable.
  Pair add_pair(const MachineConfig& config = {}, Duration delay = 10us) {
    Machine& sender = network_.add_machine(config);
    Machine& receiver = network_.add_machine(config);
    network_.join(sender, left_, access(delay));
    network_.join(receiver, right_, access(delay));
    return {sender, receiver};
  }
  /// Further machines: one port of each, with a cable of its own.
  void hang(Machine& sender, std::size_t its, Machine& receiver, std::size_t theirs,
            Duration delay = 10us) {
    network_.join(sender, its, left_, access(delay));
    network_.join(receiver, theirs, right_, access(delay));
  }
  Wire& bottleneck() { return bottleneck_.there; }

 private:
  /// Ten times as fast as the bottleneck.
  LinkConfig access(Duration delay) const {
    const std::uint64_t rate = bottleneck_.there.config().rate_bps;
    LinkConfig out;
    out.rate_bps = 10 * rate;
    out.delay = delay;
    out.queue_frames = 10'000;
    // Hosts are never as regular as a simulation: without this a queue that drops at its tail drops
    // the same flow again and again (Floyd and Jacobson 1992, phase effects).
    out.jitter = Duration(2 * 1500 * 8 * 1'000'000'000ULL / rate);
    return out;
  }

  Network& network_;
  Router& left_;
  Router& right_;
  Network::Cable bottleneck_;
};

/// A link with a queue of so many times what is on the way in a round trip.
inline LinkConfig link_of(std::uint64_t rate_bps, Duration round_trip, double queue = 1) {
  LinkConfig out;
  out.rate_bps = rate_bps;
  out.delay = round_trip / 2;
  const double octets =
      static_cast<double>(rate_bps) / 8 * std::chrono::duration<double>(round_trip).count();
  out.queue_octets = std::max<std::size_t>(30'000, static_cast<std::size_t>(queue * octets));
  out.queue_frames = out.queue_octets / 60;
  return out;
}

}  // namespace lab
