#include "dataplane/tcp/send_buffer.hpp"

#include <algorithm>

#include "dataplane/base/assert.hpp"
#include "dataplane/tcp/octet_runs.hpp"

namespace dataplane::tcp {

std::size_t SendBuffer::append(ByteSpan octets) {
  return append_copy(slices_, *blocks_, end_, octets);
}

void SendBuffer::append_reference(ByteSpan octets) {
  tcp::append_reference(slices_, end_, octets, 1U << 30);
}

void SendBuffer::separate() {
  if (end_ == begin_ || (!edges_.empty() && edges_.back() == end_)) return;
  edges_.push_back(end_);
}

std::uint32_t SendBuffer::up_to_edge(std::uint64_t position, std::uint32_t length) const {
  const std::size_t next =
      edges_.first_where([position](std::uint64_t edge) { return edge > position; });
  if (next == edges_.size()) return length;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(length, edges_[next] - position));
}

void SendBuffer::release_below(std::uint64_t position) {
  ASSERT(position >= begin_ && position <= end_);
  begin_ = position;
  while (!edges_.empty() && edges_.front() <= position)
    edges_.pop_front();
  while (!slices_.empty()) {
    const Slice& first = slices_.front();
    if (first.begin + first.length > position) return;
    if (first.block != BlockPool::kNoBlock) blocks_->free(first.block);
    slices_.pop_front();
    ++dropped_;
  }
}

std::size_t SendBuffer::slice_at(std::uint64_t position) const {
  // What follows the octets that were asked for last lies in the same slice, or in the next one.
  const auto likely = static_cast<std::size_t>(std::max(recent_, dropped_) - dropped_);
  for (std::size_t i = likely; i < std::min(likely + 2, slices_.size()); ++i)
    if (slices_[i].begin <= position && position - slices_[i].begin < slices_[i].length) return i;
  return run_at(slices_, position);
}

std::uint32_t SendBuffer::peek(std::uint64_t position, std::uint32_t length, wire::TxSegment& out) {
  ASSERT(position >= begin_ && position + length <= end_);
  out.piece_count = 0;
  out.payload_length = 0;
  if (length == 0) return 0;
  if (!edges_.empty()) length = up_to_edge(position, length);
  for (std::size_t i = slice_at(position);
       out.payload_length < length && out.piece_count < wire::TxSegment::kMaxPieces; ++i) {
    const Slice& slice = slices_[i];
    const auto skip = static_cast<std::uint32_t>(position + out.payload_length - slice.begin);
    const std::uint32_t count = std::min(slice.length - skip, length - out.payload_length);
    out.pieces[out.piece_count++] = {slice.data + skip, count};
    out.payload_length += count;
    recent_ = dropped_ + i;
  }
  return out.payload_length;
}

void SendBuffer::clear() {
  release_below(end_);
  slices_.release_memory();
  edges_.release_memory();
}

}  // namespace dataplane::tcp
