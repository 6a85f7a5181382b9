#include "dataplane/dpdk/packet_pool.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf_dyn.h>
#include <rte_mempool.h>

namespace dataplane::dpdk {
namespace {

/// Packets that a core keeps to itself before it goes to the pool; the largest that DPDK takes.
constexpr unsigned kCacheSize = RTE_MEMPOOL_CACHE_MAX_SIZE;

/// A packet of a run is fetched so many before it is filled. Who read it last, on another core, has
/// its lines.
constexpr unsigned kAhead = 4;

static_assert(PacketPool::kHeadroom == RTE_PKTMBUF_HEADROOM,
              "drivers put the data of a received frame where a fresh packet has it");

void bind(rte_mempool* /*pool*/, void* owner, void* object, unsigned /*index*/) {
  PacketPool::bind_pool(static_cast<rte_mbuf*>(object), static_cast<PacketPool*>(owner));
}

/// Keeps DPDK's libraries away from the octets that hold the owner.
bool reserve_pool_field() {
  rte_mbuf_dynfield field{};
  constexpr std::string_view kName = "hawser_packet_pool";
  kName.copy(field.name, sizeof field.name - 1);
  field.size = sizeof(PacketPool*);
  field.align = alignof(PacketPool*);
  constexpr auto kOffset = static_cast<int>(PacketPool::kPoolFieldOffset);
  return rte_mbuf_dynfield_register_offset(&field, static_cast<std::size_t>(kOffset)) == kOffset;
}

/// DPDK by itself lays no packet across a page, which makes it one packet per 4 KiB without
/// hugepages. But where devices see virtual addresses, the next page is as good as the same one.
unsigned placement_flags() {
  const bool small_pages = rte_eal_has_hugepages() == 0 && rte_eal_iova_mode() == RTE_IOVA_VA;
  return small_pages ? RTE_MEMPOOL_F_NO_IOVA_CONTIG : 0;
}

rte_mempool* make_empty(const std::string& name, const MbufPool::Shape& shape) {
  const auto room = static_cast<std::uint16_t>(PacketPool::kHeadroom + shape.data_room);
  rte_mempool* pool = rte_mempool_create_empty(name.c_str(), static_cast<unsigned>(shape.count),
                                               static_cast<unsigned>(sizeof(rte_mbuf)) + room,
                                               kCacheSize, sizeof(rte_pktmbuf_pool_private),
                                               shape.numa_node, placement_flags());
  if (pool == nullptr) return nullptr;
  // "stack" gives back first what came last, also beyond the cache.
  if (rte_mempool_set_ops_byname(pool, "stack", nullptr) != 0) {
    rte_mempool_free(pool);
    return nullptr;
  }
  rte_pktmbuf_pool_private settings{};
  settings.mbuf_data_room_size = room;
  rte_pktmbuf_pool_init(pool, &settings);
  return pool;
}

}  // namespace

std::size_t MbufPool::bytes_per_packet(std::uint32_t data_room) {
  rte_mempool_objsz size{};
  rte_mempool_calc_obj_size(static_cast<std::uint32_t>(sizeof(rte_mbuf)) + kHeadroom + data_room, 0,
                            &size);
  return size.total_size;
}

MbufPool::MbufPool(rte_mempool* pool, std::uint32_t data_room)
    : pool_(pool), data_room_(data_room) {
  rte_mempool_obj_iter(pool_, bind, static_cast<PacketPool*>(this));
}

OrMessage<std::unique_ptr<MbufPool>> MbufPool::create(const std::string& name, const Shape& shape) {
  if (!reserve_pool_field())
    return tl::unexpected(
        std::string("another DPDK library took the octets of the mbuf that hold its owner"));
  rte_mempool* pool = make_empty(name, shape);
  if (pool == nullptr || rte_mempool_populate_default(pool) < 0) {
    const int error = rte_errno;
    rte_mempool_free(pool);
    return tl::unexpected(
        fmt::format("no room for {} packets of {} octets ({} MiB): {}; raise [engine] memory",
                    shape.count, shape.data_room,
                    shape.count * bytes_per_packet(shape.data_room) >> 20, rte_strerror(error)));
  }
  rte_mempool_obj_iter(pool, rte_pktmbuf_init, nullptr);
  return std::unique_ptr<MbufPool>(new MbufPool(pool, shape.data_room));
}

MbufPool::~MbufPool() { rte_mempool_free(pool_); }

Packet MbufPool::alloc_in_run(std::uint32_t octets) {
  Packet packet = alloc();
  const rte_mempool_cache* cache = rte_mempool_default_cache(pool_, rte_lcore_id());
  if (cache == nullptr || cache->len < kAhead) return packet;
  // Not a function of its own: to the compiler it would have no effect, and be left out.
  const auto* next = static_cast<const rte_mbuf*>(cache->objs[cache->len - kAhead]);
  __builtin_prefetch(next, 1);
  __builtin_prefetch(&next->next, 1);
  const auto* data = reinterpret_cast<const std::byte*>(next + 1) + kHeadroom;
  const std::byte* const end = data + std::min(octets, data_room_);
  // Headers may lie in the headroom.
  for (data -= RTE_CACHE_LINE_SIZE; data < end; data += RTE_CACHE_LINE_SIZE)
    __builtin_prefetch(data, 1);
  return packet;
}

std::size_t MbufPool::available() const { return rte_mempool_avail_count(pool_); }

}  // namespace dataplane::dpdk
