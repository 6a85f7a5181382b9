#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "dataplane/base/byte_io.hpp"

namespace dataplane::dpdk {

/// Records of any length between two threads, one that writes and one that reads; neither waits.
///
/// A record lies in one piece. Where it does not fit before the end of the memory, it starts at the
/// front and the rest is skipped.
class ByteRing {
 public:
  /// `capacity` is a power of two; a record may take half of it.
  explicit ByteRing(std::size_t capacity);

  /// Writer: room for a record, or an empty span when there is none. Nothing is visible before
  /// commit().
  MutableByteSpan reserve(std::size_t length);
  void commit();

  /// Reader: the oldest record, or an empty span. It stays until pop().
  ByteSpan front();
  void pop();

 private:
  /// Before each record: its length, padded to 8 octets; kSkip says that the next record is at the
  /// front.
  using Length = std::uint64_t;
  static constexpr Length kSkip = ~Length{0};
  static std::size_t stride(std::size_t length) { return sizeof(Length) + (length + 7) / 8 * 8; }
  std::byte* at(std::size_t position) { return memory_.get() + (position & mask_); }

  std::size_t mask_;
  std::unique_ptr<std::byte[]> memory_;
  alignas(64) std::atomic<std::size_t> tail_ = 0;
  std::size_t reserved_ = 0;  ///< Writer: where the tail goes at commit().
  alignas(64) std::atomic<std::size_t> head_ = 0;
};

}  // namespace dataplane::dpdk
