#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include "dataplane/base/assert.hpp"

namespace dataplane {

/// Octets of a cache line; two indices that different cores write stand at least this far apart.
inline constexpr std::size_t kCacheLine = 64;

/// A bounded queue between two threads, one that only pushes and one that only pops. Neither ever
/// waits.
///
/// Each side keeps a copy of the other's index and looks at the shared one only when the copy says
/// full or empty, so that a burst costs one cache line transfer and not one per element.
template <class T>
class SpscRing {
 public:
  /// `capacity` is a power of two; all of it can be used.
  explicit SpscRing(std::size_t capacity)
      : mask_(capacity - 1), slots_(std::make_unique<T[]>(capacity)) {
    ASSERT(std::has_single_bit(capacity));
  }
  SpscRing(const SpscRing&) = delete;
  SpscRing& operator=(const SpscRing&) = delete;

  std::size_t capacity() const { return mask_ + 1; }

  /// Producer: moves from `value` and returns true, or leaves it alone when the ring is full.
  bool push(T&& value) { return push_batch(std::span(&value, 1)) == 1; }
  /// Producer: moves elements from the front of `values` and returns how many.
  std::size_t push_batch(std::span<T> values) {
    const std::size_t tail = producer_.tail.load(std::memory_order_relaxed);
    std::size_t room = capacity() - (tail - producer_.head_seen);
    if (room < values.size()) {
      producer_.head_seen = consumer_.head.load(std::memory_order_acquire);
      room = capacity() - (tail - producer_.head_seen);
    }
    const std::size_t count = std::min(room, values.size());
    for (std::size_t i = 0; i < count; ++i)
      slots_[(tail + i) & mask_] = std::move(values[i]);
    if (count != 0) producer_.tail.store(tail + count, std::memory_order_release);
    return count;
  }

  /// Consumer: moves the oldest element into `out` and returns true, or returns false when there is
  /// none.
  bool pop(T& out) { return pop_batch(std::span(&out, 1)) == 1; }
  /// Consumer: moves the oldest elements to the front of `out` and returns how many.
  std::size_t pop_batch(std::span<T> out) {
    const std::size_t head = consumer_.head.load(std::memory_order_relaxed);
    std::size_t ready = consumer_.tail_seen - head;
    if (ready < out.size()) {
      consumer_.tail_seen = producer_.tail.load(std::memory_order_acquire);
      ready = consumer_.tail_seen - head;
    }
    const std::size_t count = std::min(ready, out.size());
    for (std::size_t i = 0; i < count; ++i)
      out[i] = std::move(slots_[(head + i) & mask_]);
    if (count != 0) consumer_.head.store(head + count, std::memory_order_release);
    return count;
  }

  /// Any thread: how many elements there were a moment ago.
  std::size_t size_estimate() const {
    const std::size_t head = consumer_.head.load(std::memory_order_acquire);
    const std::size_t tail = producer_.tail.load(std::memory_order_acquire);
    return std::min(tail - head, capacity());
  }

 private:
  struct alignas(kCacheLine) Producer {
    std::atomic<std::size_t> tail{0};  ///< Elements ever pushed.
    std::size_t head_seen = 0;
  };
  struct alignas(kCacheLine) Consumer {
    std::atomic<std::size_t> head{0};  ///< Elements ever popped.
    std::size_t tail_seen = 0;
  };

  const std::size_t mask_;
  const std::unique_ptr<T[]> slots_;
  Producer producer_;
  Consumer consumer_;
};

}  // namespace dataplane
