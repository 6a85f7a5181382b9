#include "mptcp/send_queue.hpp"

#include <algorithm>
#include <cstring>

#include "dataplane/base/assert.hpp"

namespace mptcp {

using dataplane::BlockPool;
using dataplane::ByteSpan;

SendQueue::~SendQueue() {
  while (!chunks_.empty()) {
    free_block(chunks_.front());
    chunks_.pop_front();
  }
}

std::uint32_t SendQueue::room_in_last_block() const {
  if (chunks_.empty() || chunks_.back().block == BlockPool::kNoBlock) return 0;
  const Chunk& last = chunks_.back();
  const std::byte* block_end = blocks_->at(last.block) + BlockPool::kBlockSize;
  return static_cast<std::uint32_t>(block_end - (last.data + last.length));
}

std::size_t SendQueue::append(ByteSpan octets) {
  std::size_t taken = 0;
  while (taken < octets.size()) {
    if (room_in_last_block() == 0) {
      const BlockPool::Index block = blocks_->alloc();
      if (block == BlockPool::kNoBlock) break;
      chunks_.push_back({end_, blocks_->at(block), 0, block, 0});
    }
    Chunk& last = chunks_.back();
    const auto count = static_cast<std::uint32_t>(
        std::min<std::size_t>(octets.size() - taken, room_in_last_block()));
    const auto offset = static_cast<std::size_t>(last.data + last.length - blocks_->at(last.block));
    std::memcpy(blocks_->at(last.block) + offset, octets.data() + taken, count);
    last.length += count;
    end_ += count;
    taken += count;
  }
  return taken;
}

void SendQueue::append_reference(ByteSpan octets) {
  while (!octets.empty()) {
    const auto count = static_cast<std::uint32_t>(std::min<std::size_t>(octets.size(), 1U << 20));
    chunks_.push_back({end_, octets.data(), count, BlockPool::kNoBlock, 0});
    end_ += count;
    octets = octets.subspan(count);
  }
}

std::size_t SendQueue::index_of(Dsn position) const {
  std::size_t low = 0;
  std::size_t high = chunks_.size();
  while (high - low > 1) {
    const std::size_t middle = (low + high) / 2;
    (chunks_[middle].begin <= position ? low : high) = middle;
  }
  DEBUG_ASSERT(low < chunks_.size() && position.in(chunks_[low].begin, chunks_[low].end()));
  return low;
}

void SendQueue::free_block(Chunk& chunk) {
  if (chunk.block != BlockPool::kNoBlock) blocks_->free(chunk.block);
  chunk.block = BlockPool::kNoBlock;
}

void SendQueue::reclaim(Chunk& chunk) {
  if (chunk.lent == 0 && chunk.end() <= begin_) free_block(chunk);
}

void SendQueue::drop_front() {
  while (!chunks_.empty()) {
    Chunk& first = chunks_.front();
    if (first.lent != 0 || first.end() > begin_) break;
    free_block(first);
    chunks_.pop_front();
  }
  memory_begin_ = chunks_.empty() ? end_ : min(chunks_.front().begin, begin_);
}

void SendQueue::acknowledge(Dsn position) {
  ASSERT(position >= begin_ && position <= end_);
  if (position == begin_) return;
  const std::size_t first = index_of(begin_);
  begin_ = position;
  // A path that stands still keeps what it holds, not what others brought behind that.
  for (std::size_t i = first; i < chunks_.size() && chunks_[i].end() <= begin_; ++i)
    reclaim(chunks_[i]);
  drop_front();
}

ByteSpan SendQueue::lend(Dsn at, std::uint32_t length) {
  ASSERT(at >= memory_begin_ && at < end_ && length != 0);
  Chunk& chunk = chunks_[index_of(at)];
  const auto skip = static_cast<std::uint32_t>(at - chunk.begin);
  const std::uint32_t count = std::min(length, chunk.length - skip);
  chunk.lent += count;
  return {chunk.data + skip, count};
}

void SendQueue::give_back(Dsn at, std::uint32_t length) {
  while (length != 0) {
    Chunk& chunk = chunks_[index_of(at)];
    const auto skip = static_cast<std::uint32_t>(at - chunk.begin);
    const std::uint32_t count = std::min(length, chunk.length - skip);
    ASSERT(chunk.lent >= count);
    chunk.lent -= count;
    reclaim(chunk);
    at += count;
    length -= count;
  }
  drop_front();
}

}  // namespace mptcp
