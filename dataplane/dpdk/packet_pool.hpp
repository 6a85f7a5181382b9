#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <rte_mbuf.h>

#include "dataplane/base/packet.hpp"
#include "dataplane/dpdk/node_config.hpp"

namespace dataplane::dpdk {

/// The packets of one core: an rte_mempool, shared with the drivers, which take and give back
/// packets on their own.
///
/// Last in, first out, first in a cache of the core and then in the pool itself, so that a small
/// working set stays in the CPU's caches. Packets may be given back by other cores. To be used on
/// EAL's threads.
class MbufPool final : public PacketPool {
 public:
  struct Shape {
    std::size_t count = 0;
    std::uint32_t data_room = 2048;  ///< Octets behind the headroom.
    int numa_node = -1;              ///< -1: any.
  };
  /// Octets of EAL memory that one packet takes.
  static std::size_t bytes_per_packet(std::uint32_t data_room);

  static OrMessage<std::unique_ptr<MbufPool>> create(const std::string& name, const Shape& shape);
  ~MbufPool() override;
  MbufPool(const MbufPool&) = delete;
  MbufPool& operator=(const MbufPool&) = delete;

  Packet alloc() override {
    rte_mbuf* mbuf = rte_pktmbuf_alloc(pool_);
    return mbuf != nullptr ? Packet(mbuf) : Packet();
  }
  Packet alloc_in_run(std::uint32_t octets) override;
  void free(rte_mbuf* mbuf) noexcept override { rte_pktmbuf_free_seg(mbuf); }
  std::size_t available() const override;

  std::size_t capacity() const { return pool_->size; }
  std::uint32_t data_room() const { return data_room_; }
  rte_mempool* mempool() { return pool_; }

 private:
  MbufPool(rte_mempool* pool, std::uint32_t data_room);

  rte_mempool* pool_;
  std::uint32_t data_room_;
};

}  // namespace dataplane::dpdk
