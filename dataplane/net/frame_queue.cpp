#include "dataplane/net/frame_queue.hpp"

#include <algorithm>
#include <bit>

namespace dataplane::net {

FrameQueue::FrameQueue(std::size_t capacity) : ring_(capacity, nullptr) {
  ASSERT(std::has_single_bit(capacity));
}

FrameQueue::~FrameQueue() {
  while (!empty())
    pop().reset();
}

bool FrameQueue::push(Packet frame) {
  if (room() == 0) return false;
  ring_[tail_++ & (ring_.size() - 1)] = frame.release();
  return true;
}

std::span<rte_mbuf*> FrameQueue::front() {
  const std::size_t at = head_ & (ring_.size() - 1);
  return std::span(ring_).subspan(at, std::min(size(), ring_.size() - at));
}

Packet FrameQueue::pop() {
  if (empty()) return {};
  return Packet(ring_[head_++ & (ring_.size() - 1)]);
}

}  // namespace dataplane::net
