#include "dataplane/base/heap_packet_pool.hpp"

namespace dataplane {

HeapPacketPool::HeapPacketPool(std::size_t count, std::uint32_t data_room)
    : data_room_(data_room),
      mbufs_(count),
      memory_(std::make_unique<std::byte[]>(count * (kHeadroom + data_room))) {
  ASSERT(kHeadroom + data_room <= 0xffff);
  free_.reserve(count);
  for (std::size_t i = count; i-- > 0;) {
    rte_mbuf& mbuf = mbufs_[i];
    mbuf.buf_addr = memory_.get() + i * (kHeadroom + data_room_);
    mbuf.buf_len = static_cast<std::uint16_t>(kHeadroom + data_room_);
    mbuf.refcnt = 0;
    bind_pool(&mbuf, this);
    free_.push_back(&mbuf);
  }
}

HeapPacketPool::~HeapPacketPool() { ASSERT(free_.size() == mbufs_.size()); }

Packet HeapPacketPool::alloc() {
  if (free_.empty()) return {};
  rte_mbuf* mbuf = free_.back();
  free_.pop_back();
  mbuf->data_off = kHeadroom;
  mbuf->refcnt = 1;
  mbuf->nb_segs = 1;
  mbuf->ol_flags = 0;
  mbuf->packet_type = 0;
  mbuf->data_len = 0;
  mbuf->pkt_len = 0;
  mbuf->tx_offload = 0;
  return Packet(mbuf);
}

void HeapPacketPool::free(rte_mbuf* mbuf) noexcept {
  ASSERT(mbuf->refcnt == 1);  // A second free of the same packet ends here.
  mbuf->refcnt = 0;
  free_.push_back(mbuf);
}

}  // namespace dataplane
