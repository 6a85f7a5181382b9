#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "dataplane/base/block_pool.hpp"
#include "dataplane/base/byte_io.hpp"
#include "dataplane/base/ring.hpp"

namespace dataplane::tcp {

// A stream that is kept as a ring of runs, each of octets that lie together. A Run has `begin`, the
// position of its first octet, `data`, `length`, and `block`, the block of the pool that holds it
// or kNoBlock where the octets are somebody else's.

template <class Run>
std::uint32_t room_in_last_block(const Ring<Run>& runs, const BlockPool& blocks) {
  if (runs.empty() || runs.back().block == BlockPool::kNoBlock) return 0;
  const Run& last = runs.back();
  const std::byte* block_end = blocks.at(last.block) + BlockPool::kBlockSize;
  return static_cast<std::uint32_t>(block_end - (last.data + last.length));
}

/// Copies octets to the end and moves it on; fewer than offered when the pool has no more blocks.
template <class Run, class Position>
std::size_t append_copy(Ring<Run>& runs, BlockPool& blocks, Position& end, ByteSpan octets) {
  std::size_t taken = 0;
  while (taken < octets.size()) {
    if (room_in_last_block(runs, blocks) == 0) {
      const BlockPool::Index block = blocks.alloc();
      if (block == BlockPool::kNoBlock) break;
      runs.push_back({.begin = end, .data = blocks.at(block), .length = 0, .block = block});
    }
    Run& last = runs.back();
    const auto count = static_cast<std::uint32_t>(
        std::min<std::size_t>(octets.size() - taken, room_in_last_block(runs, blocks)));
    const auto offset = static_cast<std::size_t>(last.data + last.length - blocks.at(last.block));
    std::memcpy(blocks.at(last.block) + offset, octets.data() + taken, count);
    last.length += count;
    end += count;
    taken += count;
  }
  return taken;
}

/// Appends octets by reference and moves the end on; none of the runs is longer than `longest`.
template <class Run, class Position>
void append_reference(Ring<Run>& runs, Position& end, ByteSpan octets, std::uint32_t longest) {
  while (!octets.empty()) {
    const auto count = static_cast<std::uint32_t>(std::min<std::size_t>(octets.size(), longest));
    runs.push_back(
        {.begin = end, .data = octets.data(), .length = count, .block = BlockPool::kNoBlock});
    end += count;
    octets = octets.subspan(count);
  }
}

/// The run that holds `position`, which is one of the stream.
template <class Run, class Position>
std::size_t run_at(const Ring<Run>& runs, Position position) {
  return runs.first_where([position](const Run& run) { return run.begin + run.length > position; });
}

}  // namespace dataplane::tcp
