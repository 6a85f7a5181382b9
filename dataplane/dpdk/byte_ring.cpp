#include "dataplane/dpdk/byte_ring.hpp"

#include <bit>
#include <cstring>

#include "dataplane/base/assert.hpp"

namespace dataplane::dpdk {

ByteRing::ByteRing(std::size_t capacity)
    : mask_(capacity - 1), memory_(std::make_unique<std::byte[]>(capacity)) {
  ASSERT(std::has_single_bit(capacity) && capacity >= 64);
}

MutableByteSpan ByteRing::reserve(std::size_t length) {
  const std::size_t capacity = mask_ + 1;
  const std::size_t need = stride(length);
  if (length == 0 || need > capacity / 2) return {};
  std::size_t tail = tail_.load(std::memory_order_relaxed);
  const std::size_t used = tail - head_.load(std::memory_order_acquire);
  const std::size_t before_end = capacity - (tail & mask_);
  const std::size_t skipped = need <= before_end ? 0 : before_end;
  if (used + skipped + need > capacity) return {};
  if (skipped != 0) {
    std::memcpy(at(tail), &kSkip, sizeof kSkip);
    tail += skipped;
  }
  const Length header = length;
  std::memcpy(at(tail), &header, sizeof header);
  reserved_ = tail + need;
  return {at(tail) + sizeof(Length), length};
}

void ByteRing::commit() { tail_.store(reserved_, std::memory_order_release); }

ByteSpan ByteRing::front() {
  std::size_t head = head_.load(std::memory_order_relaxed);
  if (head == tail_.load(std::memory_order_acquire)) return {};
  Length length = 0;
  std::memcpy(&length, at(head), sizeof length);
  if (length == kSkip) {
    // The record that made the writer skip was committed together with the mark.
    head += mask_ + 1 - (head & mask_);
    head_.store(head, std::memory_order_release);
    std::memcpy(&length, at(head), sizeof length);
  }
  return {at(head) + sizeof(Length), length};
}

void ByteRing::pop() {
  const std::size_t head = head_.load(std::memory_order_relaxed);
  Length length = 0;
  std::memcpy(&length, at(head), sizeof length);
  head_.store(head + stride(length), std::memory_order_release);
}

}  // namespace dataplane::dpdk
