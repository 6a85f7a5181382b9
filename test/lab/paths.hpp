#pragma once

#include <vector>

#include "test/lab/network.hpp"

namespace lab {

/// Two machines and the paths between them: a port of each, and a router at either end, so that
/// others can use the path, too.
class Paths {
 public:
  Paths(Network& network, const std::vector<LinkConfig>& links)
      : network_(network),
        sender_(network.add_machine({.ports = links.size(), .connections = 16})),
        receiver_(network.add_machine({.ports = links.size(), .connections = 16})) {
    for (std::size_t i = 0; i < links.size(); ++i) {
      Router& left = network.add_router();
      Router& right = network.add_router();
      const Network::Cable cable = network.join(left, right, links[i]);
      left.add_default(cable.there);
      right.add_default(cable.back);
      paths_.push_back({left, right, cable});
      network.join(sender_, i, left, access(i));
      network.join(receiver_, i, right, access(i));
    }
  }

  Machine& sender() const { return sender_; }
  Machine& receiver() const { return receiver_; }
  Wire& there(std::size_t path) const { return paths_[path].cable.there; }
  Wire& back(std::size_t path) const { return paths_[path].cable.back; }
  /// A connection from the sender to the receiver that uses all paths.
  FlowPlan plan() const {
    FlowPlan out;
    out.from = &sender_;
    out.to = &receiver_;
    out.multipath = true;
    out.mptcp.max_subflows = static_cast<std::uint8_t>(paths_.size());
    return out;
  }
  /// Two more machines at the ends of one path, with a plan for a TCP between them.
  FlowPlan plan_beside(std::size_t path) {
    FlowPlan out;
    out.from = &network_.add_machine({.connections = 16});
    out.to = &network_.add_machine({.connections = 16});
    network_.join(*out.from, 0, paths_[path].left, access(path));
    network_.join(*out.to, 0, paths_[path].right, access(path));
    return out;
  }

 private:
  struct Path {
    Router& left;
    Router& right;
    Network::Cable cable;
  };
  LinkConfig access(std::size_t path) const {
    LinkConfig out;
    out.rate_bps = 10 * there(path).config().rate_bps;
    out.delay = 10us;
    return out;
  }

  Network& network_;
  Machine& sender_;
  Machine& receiver_;
  std::vector<Path> paths_;
};

/// A path as emulators describe it: the same in both directions, what is lost at random included.
inline LinkConfig emulated(std::uint64_t rate_bps, Duration delay_each_way, double loss,
                           std::size_t queue_frames) {
  LinkConfig out;
  out.rate_bps = rate_bps;
  out.delay = delay_each_way;
  out.queue_frames = queue_frames;
  out.queue_octets = queue_frames * 1600;
  out.faults.loss = loss;
  return out;
}

/// How much one subflow sent again of what another had, in segments of Ethernet.
inline double reinjected_packets(Machine& sender) {
  constexpr double kSegment = 1428;
  return static_cast<double>(sender.core().stats().mptcp.mptcp_retrans) / kSegment;
}

inline double in_seconds(Duration span) { return std::chrono::duration<double>(span).count(); }

/// Payload per second of a flow that is over, Mbit/s; 0: it is not.
inline double goodput_mbps(const Flow& flow) {
  const double seconds = in_seconds(flow.completion());
  return seconds == 0 ? 0 : static_cast<double>(flow.plan().octets) * 8e-6 / seconds;
}

}  // namespace lab
