#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/base/block_pool.hpp"
#include "dataplane/base/byte_io.hpp"
#include "dataplane/base/ring.hpp"
#include "mptcp/wire/ids.hpp"

namespace mptcp {

/// What the application wrote, as octets with data sequence numbers: subflows send them by
/// reference, cut as they like. An octet is kept until the peer's DATA_ACK has passed it and no
/// subflow holds it any more (RFC 8684 §3.3.6): a subflow must be able to send again what it sent
/// once, even when another path brought it first.
class SendQueue {
 public:
  SendQueue(dataplane::BlockPool& blocks, Dsn first)
      : blocks_(&blocks), begin_(first), end_(first), memory_begin_(first) {}
  SendQueue(const SendQueue&) = delete;
  SendQueue& operator=(const SendQueue&) = delete;
  ~SendQueue();

  Dsn begin() const { return begin_; }  ///< The first octet that is not acknowledged.
  Dsn end() const { return end_; }
  /// Octets that wait for a DATA_ACK.
  std::uint64_t size() const { return end_ - begin_; }
  /// Octets before this position are not looked at any more, by nobody.
  Dsn memory_begin() const { return memory_begin_; }

  /// Copies octets to the end; fewer than offered when the core's payload memory is used up.
  std::size_t append(dataplane::ByteSpan octets);
  /// Appends octets that stay valid and unchanged until memory_begin() has passed them.
  void append_reference(dataplane::ByteSpan octets);
  /// The peer has everything before `position`.
  void acknowledge(Dsn position);

  /// Octets from `at` on that lie together, at most `length` and at least one: they stay valid
  /// until give_back() got as many.
  dataplane::ByteSpan lend(Dsn at, std::uint32_t length);
  void give_back(Dsn at, std::uint32_t length);

 private:
  /// A run of octets that lie together.
  struct Chunk {
    Dsn begin;
    const std::byte* data = nullptr;
    std::uint32_t length = 0;
    dataplane::BlockPool::Index block = dataplane::BlockPool::kNoBlock;
    std::uint64_t lent = 0;  ///< Octets, each counted once for each subflow.
    Dsn end() const { return begin + length; }
  };
  std::size_t index_of(Dsn position) const;
  void free_block(Chunk& chunk);
  void reclaim(Chunk& chunk);
  void drop_front();

  dataplane::BlockPool* blocks_;
  dataplane::Ring<Chunk> chunks_;
  Dsn begin_;
  Dsn end_;
  Dsn memory_begin_;
};

}  // namespace mptcp
