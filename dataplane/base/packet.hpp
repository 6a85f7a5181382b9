#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <rte_mbuf_core.h>

#include "dataplane/base/assert.hpp"
#include "dataplane/base/byte_io.hpp"

namespace dataplane {

class PacketPool;

/// The sole owner of one mbuf: a buffer with headroom before and tailroom behind its data.
///
/// The data of a packet is contiguous; the port layer linearises what a device chained. Moving a
/// packet moves the pointer; destroying it gives the mbuf back to the pool that it came from.
class Packet {
 public:
  Packet() = default;
  /// Takes ownership of an mbuf whose pool was recorded with bind_pool().
  explicit Packet(rte_mbuf* mbuf) : mbuf_(mbuf) {}
  Packet(Packet&& other) noexcept : mbuf_(std::exchange(other.mbuf_, nullptr)) {}
  Packet& operator=(Packet&& other) noexcept {
    if (this != &other) {
      reset();
      mbuf_ = std::exchange(other.mbuf_, nullptr);
    }
    return *this;
  }
  Packet(const Packet&) = delete;
  Packet& operator=(const Packet&) = delete;
  ~Packet() { reset(); }

  explicit operator bool() const { return mbuf_ != nullptr; }

  std::byte* begin() { return static_cast<std::byte*>(mbuf_->buf_addr) + mbuf_->data_off; }
  const std::byte* begin() const {
    return static_cast<const std::byte*>(mbuf_->buf_addr) + mbuf_->data_off;
  }
  std::uint32_t size() const { return mbuf_ == nullptr ? 0 : mbuf_->data_len; }
  ByteSpan data() const { return mbuf_ == nullptr ? ByteSpan{} : ByteSpan{begin(), size()}; }
  MutableByteSpan data() {
    return mbuf_ == nullptr ? MutableByteSpan{} : MutableByteSpan{begin(), size()};
  }

  std::uint32_t headroom() const { return mbuf_->data_off; }
  std::uint32_t tailroom() const {
    return static_cast<std::uint32_t>(mbuf_->buf_len - mbuf_->data_off - mbuf_->data_len);
  }
  /// Octets of memory this packet keeps busy, whatever it carries.
  std::uint32_t footprint() const {
    return static_cast<std::uint32_t>(sizeof(rte_mbuf)) + mbuf_->buf_len;
  }

  /// Drops octets at the front (a parsed header, data that was received before).
  void trim_front(std::uint32_t octets) {
    DEBUG_ASSERT(octets <= size());
    mbuf_->data_off = static_cast<std::uint16_t>(mbuf_->data_off + octets);
    set_size(size() - octets);
  }
  /// Drops octets at the end (link padding, data beyond the window).
  void trim_back(std::uint32_t octets) {
    DEBUG_ASSERT(octets <= size());
    set_size(size() - octets);
  }
  /// Makes room for a header before the data and returns where it starts.
  std::byte* prepend(std::uint32_t octets) {
    ASSERT(octets <= headroom());
    mbuf_->data_off = static_cast<std::uint16_t>(mbuf_->data_off - octets);
    set_size(size() + octets);
    return begin();
  }
  /// Grows the data at its end and returns where the new octets start.
  std::byte* append(std::uint32_t octets) {
    ASSERT(octets <= tailroom());
    std::byte* end = begin() + size();
    set_size(size() + octets);
    return end;
  }

  /// Brings in what size(), trim and reset() look at.
  void prefetch() const {
    __builtin_prefetch(mbuf_);
    __builtin_prefetch(&mbuf_->next);
  }

  /// The mbuf itself, for offload flags and drivers; ownership stays.
  rte_mbuf* mbuf() { return mbuf_; }
  const rte_mbuf* mbuf() const { return mbuf_; }
  /// Gives the mbuf away, to a driver that frees it after sending.
  rte_mbuf* release() { return std::exchange(mbuf_, nullptr); }
  inline void reset();

 private:
  void set_size(std::uint32_t octets) {
    mbuf_->data_len = static_cast<std::uint16_t>(octets);
    mbuf_->pkt_len = octets;
  }

  rte_mbuf* mbuf_ = nullptr;
};

/// Where packets come from and return to. One pool per core; not shared between threads.
class PacketPool {
 public:
  PacketPool() = default;
  PacketPool(const PacketPool&) = delete;
  PacketPool& operator=(const PacketPool&) = delete;
  virtual ~PacketPool() = default;

  /// An empty packet with kHeadroom octets before its data, or an empty handle when none is left.
  virtual Packet alloc() = 0;
  /// The same for one of a run of packets that get some `octets` each: where memory is slow to
  /// come, that of one that is due soon is on its way while this one is filled.
  virtual Packet alloc_in_run(std::uint32_t /*octets*/) { return alloc(); }
  /// Takes an mbuf back. Called by ~Packet.
  virtual void free(rte_mbuf* mbuf) noexcept = 0;
  /// Packets that alloc() could still hand out; an estimate where cores share memory.
  virtual std::size_t available() const = 0;

  /// The pool that an mbuf returns to, kept in the mbuf for good: a driver that takes mbufs from
  /// the memory under the pool hands us packets that already know their way home.
  static void bind_pool(rte_mbuf* mbuf, PacketPool* pool) {
    const auto address = std::bit_cast<std::uintptr_t>(pool);
    __builtin_memcpy(pool_field(mbuf), &address, sizeof address);
  }
  static PacketPool* pool_of(rte_mbuf* mbuf) {
    std::uintptr_t address;
    __builtin_memcpy(&address, pool_field(mbuf), sizeof address);
    return std::bit_cast<PacketPool*>(address);
  }
  /// Where the pool pointer lies; the DPDK layer reserves these octets with
  /// rte_mbuf_dynfield_register_offset.
  static constexpr std::size_t kPoolFieldOffset = offsetof(rte_mbuf, dynfield1) + 4;

  /// Octets before the data of a fresh packet: room for Ethernet, VLAN, IPv6 and TCP with options.
  static constexpr std::uint32_t kHeadroom = 128;

 private:
  static std::byte* pool_field(rte_mbuf* mbuf) {
    return reinterpret_cast<std::byte*>(mbuf) + kPoolFieldOffset;
  }
};

static_assert(PacketPool::kPoolFieldOffset % 8 == 0);
static_assert(sizeof(rte_mbuf::dynfield1) >= 4 + sizeof(std::uintptr_t));

inline void Packet::reset() {
  if (mbuf_ != nullptr) PacketPool::pool_of(mbuf_)->free(std::exchange(mbuf_, nullptr));
}

}  // namespace dataplane
