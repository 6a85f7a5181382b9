#include "mptcp/send_queue.hpp"

#include <algorithm>

#include "dataplane/base/assert.hpp"
#include "dataplane/tcp/octet_runs.hpp"

namespace mptcp {

using dataplane::BlockPool;
using dataplane::ByteSpan;

SendQueue::~SendQueue() {
  while (!chunks_.empty()) {
    free_block(chunks_.front());
    chunks_.pop_front();
  }
}

std::size_t SendQueue::append(ByteSpan octets) {
  return dataplane::tcp::append_copy(chunks_, *blocks_, end_, octets);
}

void SendQueue::append_reference(ByteSpan octets) {
  dataplane::tcp::append_reference(chunks_, end_, octets, 1U << 20);
}

std::size_t SendQueue::index_of(Dsn position) const {
  const std::size_t index = dataplane::tcp::run_at(chunks_, position);
  DEBUG_ASSERT(index < chunks_.size() && position.in(chunks_[index].begin, chunks_[index].end()));
  return index;
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
