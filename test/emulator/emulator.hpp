#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dataplane/base/packet.hpp"
#include "dataplane/net/frame_queue.hpp"
#include "test/emulator/plan.hpp"

namespace emulator {

using dataplane::Instant;
using dataplane::Packet;
using dataplane::PacketPool;
using dataplane::PortIndex;

/// The simulator's links between real ports: what comes in at port 2i leaves at 2i + 1, and the
/// reverse. Stands where an engine's core does in the poll loop.
class Emulator {
 public:
  Emulator(const Plan& plan, PacketPool& pool);
  /// The times of the plan count from `now`. Before any frame.
  void start(Instant now) { start_ = now; }

  void on_frames(Instant now, PortIndex port, std::span<Packet> frames);
  void on_deadline(Instant now);
  void poll_transmit(Instant /*now*/) {}
  dataplane::net::FrameQueue& tx_queue(PortIndex port) {
    return exits_[dataplane::index_of(port)]->queue;
  }
  Instant next_deadline() const;
  bool has_pending_transmit() const;

  // There is one core.
  struct Foreign {
    std::uint16_t owner;
    PortIndex port;
    Packet frame;
  };
  static std::optional<Foreign> next_foreign() { return std::nullopt; }
  void on_passed_frames(Instant now, PortIndex port, std::span<Packet> frames) {
    on_frames(now, port, frames);
  }
  void on_shared_frames(Instant now, PortIndex port, std::span<Packet> frames) {
    on_frames(now, port, frames);
  }

  /// One JSON object a way: what it carried and what it did to it.
  std::vector<std::string> report() const;

 private:
  static constexpr std::size_t kQueue = 4096;

  /// Where a link ends: frames become packets of a port.
  struct Exit final : sim::FrameSink {
    explicit Exit(PacketPool& packets) : pool(packets), queue(kQueue) {}
    void take(Instant now, sim::Frame frame) override;

    PacketPool& pool;
    dataplane::net::FrameQueue queue;
    std::uint64_t refused = 0;  ///< No packet was left, or the device was too slow.
  };

  /// Links live in the simulator's time.
  Instant in_plan(Instant now) const { return sim::kStart + (now - start_); }

  Instant start_{};
  std::vector<std::vector<Change>> changes_;  ///< Of each path, those that are to come.
  sim::FramePool frames_;
  std::vector<std::unique_ptr<Exit>> exits_;       ///< By port.
  std::vector<std::unique_ptr<sim::Link>> links_;  ///< By the port that they lead from.
};

}  // namespace emulator
