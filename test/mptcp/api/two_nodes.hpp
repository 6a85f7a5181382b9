#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/base/heap_packet_pool.hpp"
#include "mptcp/api/runtime.hpp"
#include "mptcp/core.hpp"

namespace mptcp::api::test {

using dataplane::Duration;
using namespace std::chrono_literals;

/// A node with one port, and what runs on its core.
struct Node {
  Node(std::uint8_t number, dataplane::PacketPool& pool, const RuntimeOptions& options)
      : core(config_of(number), pool), runtime(core, options) {}

  static CoreConfig config_of(std::uint8_t number) {
    CoreConfig config;
    auto& port = config.ports.emplace_back();
    port.id = "p" + std::to_string(number);
    port.mac.octets = {2, 0, 0, 0, 0, number};
    port.addresses = {*dataplane::Prefix::parse("10.0.0." + std::to_string(number) + "/24"),
                      *dataplane::Prefix::parse("fd00::" + std::to_string(number) + "/64")};
    config.seed = number;
    config.send_memory = 64UL << 20;
    return config;
  }

  Core core;
  Runtime runtime;
};

/// Two nodes on a perfect wire, turned in one thread on a virtual clock: a is 10.0.0.1, b
/// is 10.0.0.2.
class TwoNodes {
  // Each holds packets of the other in its receive buffers, so they share the pool.
  dataplane::HeapPacketPool pool_{16'384};

 public:
  explicit TwoNodes(const RuntimeOptions& options = {})
      : a(1, pool_, options), b(2, pool_, options) {}

  /// One turn of both cores; whether anything happened.
  bool turn() {
    now_ += 10us;
    bool busy = turn_of(a, b);
    return turn_of(b, a) || busy;
  }
  /// Turns until `done()`, and lets time jump to the next deadline when both are idle. False if
  /// `limit` passes first.
  template <class Done>
  bool run_until(Done done, Duration limit = 600s) {
    const Instant end = now_ + limit;
    while (!done()) {
      if (now_ >= end) return false;
      if (!turn()) now_ = std::max(now_, std::min(end, next_deadline()));
    }
    return true;
  }
  /// Lets `time` pass.
  void run_for(Duration time) {
    run_until([] { return false; }, time);
  }
  Instant now() const { return now_; }

  Node a;
  Node b;
  bool is_cut = false;     ///< The wire loses every frame.
  std::size_t frames = 0;  ///< That crossed the wire.

 private:
  bool turn_of(Node& node, Node& peer) {
    burst_.clear();
    auto& queue = peer.core.tx_queue(dataplane::PortIndex{0});
    while (!queue.empty() && burst_.size() < kBurst)
      burst_.push_back(queue.pop());
    frames += burst_.size();
    bool busy = !burst_.empty();
    if (is_cut) burst_.clear();
    if (!burst_.empty()) node.core.on_frames(now_, dataplane::PortIndex{0}, burst_);
    node.core.on_deadline(now_);
    busy = node.runtime.poll(now_) || busy;
    busy = node.core.has_pending_transmit() || busy;
    node.core.poll_transmit(now_);
    return !node.core.tx_queue(dataplane::PortIndex{0}).empty() || busy;
  }
  Instant next_deadline() const {
    Instant earliest = dataplane::kNever;
    for (const Node* node : {&a, &b})
      earliest = std::min({earliest, node->core.next_deadline(), node->runtime.next_deadline()});
    return earliest;
  }

  static constexpr std::size_t kBurst = 256;
  Instant now_{1s};
  std::vector<Packet> burst_;
};

/// Where b listens in these tests.
inline const Endpoint kServer = *Endpoint::parse("10.0.0.2:80");
inline const Endpoint kServer6 = *Endpoint::parse("[fd00::2]:80");

}  // namespace mptcp::api::test
