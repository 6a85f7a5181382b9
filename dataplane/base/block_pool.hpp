#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace dataplane {

/// Payload memory of one core, in blocks of one size. Last-in-first-out, so that a block that was
/// just given back and is still warm in the cache is the next to be used.
class BlockPool {
 public:
  static constexpr std::uint32_t kBlockSize = 16 * 1024;
  /// Names a block; kNoBlock names memory that is not the pool's.
  using Index = std::uint32_t;
  static constexpr Index kNoBlock = UINT32_MAX;

  /// Address space for `octets`, rounded down to blocks. A page is touched when its block is first
  /// used.
  explicit BlockPool(std::size_t octets);
  ~BlockPool();
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  /// kNoBlock when all are in use.
  Index alloc();
  void free(Index block);
  std::byte* at(Index block) const { return memory_.get() + std::size_t{block} * kBlockSize; }
  std::size_t capacity() const { return capacity_; }
  std::size_t available() const { return free_.size() + (capacity_ - untouched_); }

 private:
  std::size_t capacity_;
  std::unique_ptr<std::byte[]> memory_;
  std::vector<Index> free_;
  std::size_t untouched_ = 0;  ///< Blocks from here on were never used.
};

}  // namespace dataplane
