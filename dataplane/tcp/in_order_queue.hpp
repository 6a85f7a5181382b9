#pragma once

#include <cstddef>
#include <span>

#include "dataplane/base/byte_io.hpp"
#include "dataplane/base/packet.hpp"
#include "dataplane/base/ring.hpp"
#include "dataplane/tcp/memory_budget.hpp"

namespace dataplane::tcp {

/// Copies a small payload behind another one where there is room, which is cheaper than to keep a
/// whole packet for it; false if it is not small, or there is no room.
bool absorb(Packet& into, const Packet& payload);

/// Received packets that wait for the application, in the order of the stream; and the account of
/// the memory that they hold, together with what their owner keeps behind holes.
class InOrderQueue {
 public:
  explicit InOrderQueue(MemoryBudget& budget) : budget_(&budget) {}
  InOrderQueue(const InOrderQueue&) = delete;
  InOrderQueue& operator=(const InOrderQueue&) = delete;
  ~InOrderQueue() { clear(); }

  void append(Packet payload);
  /// Takes packets that follow each other, with so many octets in all.
  void append_run(std::span<Packet> run, std::size_t octets);
  /// Takes all packets of `from`, with so many octets; hold() was told about them.
  void append_held(Ring<Packet>& from, std::size_t octets);
  /// Octets that the application has not read.
  std::size_t readable() const { return readable_; }
  /// Copies out and returns how many octets.
  std::size_t read(MutableByteSpan out);
  /// The next packet, trimmed to unread octets; an empty handle when there is none.
  Packet take_packet();

  /// Octets of memory that the packets here hold, and those that the owner told about.
  std::size_t held() const { return held_; }
  /// Whether the core has the memory for so much more.
  bool may_hold(std::size_t more) const { return budget_->allows(held_, more); }
  void hold(const Packet& packet);
  void let_go(const Packet& packet);
  /// Forgets all; the owner has dropped what it kept.
  void clear();
  /// Gives memory back that is held for speed only.
  void trim() { packets_.release_memory(); }

 private:
  MemoryBudget* budget_;
  Ring<Packet> packets_;
  std::size_t readable_ = 0;
  std::size_t held_ = 0;
};

}  // namespace dataplane::tcp
