#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/base/address.hpp"
#include "dataplane/base/packet.hpp"
#include "dataplane/base/spsc_ring.hpp"
#include "dataplane/dpdk/idle.hpp"

namespace dataplane::dpdk {

/// In place of the owner of a frame: all other cores get a copy, as of ARP and neighbour messages.
inline constexpr std::uint16_t kEveryCore = 0xffff;

/// A frame on its way to another core.
struct Parcel {
  PortIndex port{};
  bool is_shared = false;  ///< Every core gets one; otherwise it belongs to a flow of the receiver.
  Packet frame;
};

/// The rings between the cores of a node: one for each ordered pair, and one from each core to core
/// 0 for frames to be sent on a device that has no queue for that core.
class Mesh {
 public:
  /// Parcels that a ring holds; beyond it they are dropped and counted by the sender.
  static constexpr std::size_t kRingParcels = 4096;
  /// Parcels taken from one ring in one turn.
  static constexpr std::size_t kBatch = 64;
  using Ring = SpscRing<Parcel>;

  explicit Mesh(std::size_t cores);

  std::size_t core_count() const { return doorbells_.size(); }
  Doorbell& doorbell(std::size_t core) { return *doorbells_[core]; }
  /// Received frames from one core to another; not for a core to itself.
  Ring& received(std::size_t from, std::size_t to) { return *received_[from * core_count() + to]; }
  /// Frames to be sent by core 0; not for core 0 itself.
  Ring& to_send(std::size_t from) { return *to_send_[from]; }

 private:
  std::vector<std::unique_ptr<Doorbell>> doorbells_;
  std::vector<std::unique_ptr<Ring>> received_;
  std::vector<std::unique_ptr<Ring>> to_send_;
};

/// What one core puts into the rings in one turn, in batches.
class Outbox {
 public:
  Outbox(Mesh& mesh, std::size_t core);

  void send(std::size_t to, Parcel parcel);
  /// To every other core; the copies come from `pool`.
  void send_to_all(PortIndex port, const Packet& frame, PacketPool& pool);
  /// Hands over what waits and wakes the receivers.
  void flush();

  std::uint64_t sent() const { return sent_; }
  std::uint64_t dropped() const { return dropped_; }

 private:
  struct Batch {
    std::array<Parcel, Mesh::kBatch> parcels;
    std::size_t count = 0;
  };
  void flush_to(std::size_t to);

  Mesh& mesh_;
  std::size_t core_;
  std::vector<Batch> batches_;
  std::uint64_t sent_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace dataplane::dpdk
