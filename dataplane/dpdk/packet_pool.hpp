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
    if (mbuf == nullptr) [[unlikely]]
      return {};
    prefetch_next();
    return Packet(mbuf);
  }
  void free(rte_mbuf* mbuf) noexcept override { rte_pktmbuf_free_seg(mbuf); }
  std::size_t available() const override;

  std::size_t capacity() const { return pool_->size; }
  std::uint32_t data_room() const { return data_room_; }
  rte_mempool* mempool() { return pool_; }

 private:
  MbufPool(rte_mempool* pool, std::uint32_t data_room);
  /// Brings in what the next alloc() will write to: it may come from a device that had it for long.
  void prefetch_next() const {
    const rte_mempool_cache* cache = rte_mempool_default_cache(pool_, rte_lcore_id());
    if (cache == nullptr || cache->len == 0) return;
    const auto* next = static_cast<const rte_mbuf*>(cache->objs[cache->len - 1]);
    const auto* data = reinterpret_cast<const std::byte*>(next + 1) + kHeadroom;
    __builtin_prefetch(next, 1);
    __builtin_prefetch(&next->next, 1);
    __builtin_prefetch(data - RTE_CACHE_LINE_SIZE, 1);  // Ethernet and IP.
    __builtin_prefetch(data, 1);                        // TCP and the first of the payload.
  }

  rte_mempool* pool_;
  std::uint32_t data_room_;
};

}  // namespace dataplane::dpdk
