#include "dataplane/base/block_pool.hpp"

#include "dataplane/base/assert.hpp"

namespace dataplane {

BlockPool::BlockPool(std::size_t octets)
    : capacity_(octets / kBlockSize),
      memory_(std::make_unique_for_overwrite<std::byte[]>(capacity_ * kBlockSize)) {}

BlockPool::~BlockPool() { ASSERT(available() == capacity_); }

BlockPool::Index BlockPool::alloc() {
  if (free_.empty()) return untouched_ == capacity_ ? kNoBlock : static_cast<Index>(untouched_++);
  const Index block = free_.back();
  free_.pop_back();
  return block;
}

void BlockPool::free(Index block) {
  DEBUG_ASSERT(block < untouched_);
  free_.push_back(block);
}

}  // namespace dataplane
