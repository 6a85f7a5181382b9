#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/base/block_pool.hpp"
#include "dataplane/base/byte_io.hpp"
#include "dataplane/base/ring.hpp"
#include "dataplane/wire/segment.hpp"

namespace dataplane::tcp {

/// What the application wrote and the peer has not acknowledged, as octets: it is cut into segments
/// only when one is sent, so a retransmission may be cut differently. Positions are octets since
/// the start of the stream.
class SendBuffer {
 public:
  explicit SendBuffer(BlockPool& blocks) : blocks_(&blocks) {}
  SendBuffer(const SendBuffer&) = delete;
  SendBuffer& operator=(const SendBuffer&) = delete;
  ~SendBuffer() { clear(); }

  std::uint64_t begin() const { return begin_; }
  std::uint64_t end() const { return end_; }
  /// Octets held.
  std::size_t size() const { return static_cast<std::size_t>(end_ - begin_); }

  /// Copies octets to the end; fewer than offered when the core's payload memory is used up.
  std::size_t append(ByteSpan octets);
  /// Appends octets by reference. They stay valid and unchanged until acknowledged.
  void append_reference(ByteSpan octets);
  /// From now on peek() never gives octets from before and after the present end at once.
  void separate();
  /// Drops what lies before `position`.
  void release_below(std::uint64_t position);
  /// Points `out` at up to `length` octets from `position` on and returns how many; fewer when they
  /// lie in too many pieces.
  std::uint32_t peek(std::uint64_t position, std::uint32_t length, wire::TxSegment& out);
  void clear();
  /// Gives memory back that is held for speed only.
  void trim() {
    slices_.release_memory();
    edges_.release_memory();
  }

 private:
  /// A run of octets that lie together.
  struct Slice {
    std::uint64_t begin = 0;  ///< Position of its first octet.
    const std::byte* data = nullptr;
    std::uint32_t length = 0;
    BlockPool::Index block = BlockPool::kNoBlock;
  };
  std::size_t slice_at(std::uint64_t position) const;
  std::uint32_t up_to_edge(std::uint64_t position, std::uint32_t length) const;

  BlockPool* blocks_;
  Ring<Slice> slices_;
  Ring<std::uint64_t> edges_;  ///< Of separate(), in order, those behind begin_.
  std::uint64_t begin_ = 0;
  std::uint64_t end_ = 0;
  std::uint64_t dropped_ = 0;  ///< Slices that release_below() took.
  std::uint64_t recent_ = 0;   ///< The slice that peek() ended in, counted from the first ever.
};

}  // namespace dataplane::tcp
