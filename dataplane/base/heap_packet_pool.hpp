#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/base/packet.hpp"

namespace dataplane {

/// Packets from the heap, for the simulator, unit tests, fuzzers and hosts without DPDK.
/// Last-in-first-out, all memory taken at construction.
class HeapPacketPool final : public PacketPool {
 public:
  /// `count` packets, each with `data_room` octets behind the headroom.
  explicit HeapPacketPool(std::size_t count, std::uint32_t data_room = 2048);
  /// Asserts that every packet came home: a leak ends the process.
  ~HeapPacketPool() override;

  Packet alloc() override;
  void free(rte_mbuf* mbuf) noexcept override;
  std::size_t available() const override { return free_.size(); }
  std::size_t capacity() const { return mbufs_.size(); }

 private:
  std::uint32_t data_room_;
  std::vector<rte_mbuf> mbufs_;
  std::unique_ptr<std::byte[]> memory_;
  std::vector<rte_mbuf*> free_;
};

}  // namespace dataplane
