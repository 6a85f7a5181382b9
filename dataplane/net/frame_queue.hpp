#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "dataplane/base/packet.hpp"

namespace dataplane::net {

/// Frames that wait for a device, oldest first. What the device does not take stays at the head.
class FrameQueue {
 public:
  /// `capacity` is a power of two.
  explicit FrameQueue(std::size_t capacity);
  ~FrameQueue();
  FrameQueue(FrameQueue&& other) noexcept
      : ring_(std::move(other.ring_)),
        head_(std::exchange(other.head_, 0)),
        tail_(std::exchange(other.tail_, 0)) {}
  FrameQueue& operator=(FrameQueue&&) = delete;

  bool push(Packet frame);  ///< false, and the packet freed, when full.
  std::size_t size() const { return tail_ - head_; }
  std::size_t room() const { return ring_.size() - size(); }
  bool empty() const { return head_ == tail_; }
  /// The oldest frames that lie in one piece of the ring, at least one unless empty; for tx_burst.
  std::span<rte_mbuf*> front();
  /// The device owns the `count` oldest frames now.
  void release_front(std::size_t count) { head_ += count; }
  /// The oldest frame, or an empty handle.
  Packet pop();

 private:
  std::vector<rte_mbuf*> ring_;
  std::size_t head_ = 0;  ///< head_ <= tail_ <= head_ + ring_.size(); both only grow.
  std::size_t tail_ = 0;
};

}  // namespace dataplane::net
