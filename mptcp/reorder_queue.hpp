#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>

#include "dataplane/base/packet.hpp"
#include "dataplane/base/ring.hpp"
#include "dataplane/tcp/in_order_queue.hpp"

namespace mptcp {

/// Received octets of all subflows in the order of the data sequence space: those in order, which
/// wait for the application, and those behind a hole. What comes here was acknowledged by a
/// subflow, so nothing is thrown away but what is there already.
///
/// Positions count octets since the start of the data stream. What lies behind a hole is kept in
/// runs without a gap: packets that continue the run that grew last, as those of one path do, cost
/// the same however many holes there are, and so does what fills the first hole; any other costs
/// the logarithm of their number.
class ReorderQueue {
 public:
  explicit ReorderQueue(dataplane::tcp::MemoryBudget& budget) : in_order_(budget) {}
  ReorderQueue(const ReorderQueue&) = delete;
  ReorderQueue& operator=(const ReorderQueue&) = delete;
  ~ReorderQueue() { clear(); }

  struct Inserted {
    std::uint64_t in_order = 0;  ///< Octets by which next() moves on.
    bool out_of_order = false;   ///< It waits behind a hole.
    bool duplicate = false;      ///< All of it was there.
  };
  Inserted insert(std::uint64_t position, dataplane::Packet payload);
  /// Takes packets that lie at next(), one behind the other, with so many octets in all.
  void append_run(std::span<dataplane::Packet> run, std::uint64_t octets);
  /// Takes packets that lie behind a hole, one behind the other; false, and nothing is taken, when
  /// some of their octets are here already.
  bool hold_run(std::uint64_t position, std::span<dataplane::Packet> run, std::uint64_t octets);

  /// The position of the next octet in order.
  std::uint64_t next() const { return next_; }
  std::size_t readable() const { return in_order_.readable(); }
  std::size_t read(dataplane::MutableByteSpan out) { return in_order_.read(out); }
  /// The next packet, trimmed to unread octets; an empty handle when there is none.
  dataplane::Packet take_packet() { return in_order_.take_packet(); }
  bool has_holes() const { return !late_.empty(); }
  /// Octets from the first hole to the end of what is furthest behind it; 0 without a hole.
  std::uint64_t span() const {
    if (late_.empty()) return 0;
    return late_.rbegin()->second.end - next_;
  }
  /// Runs of octets that wait behind holes.
  std::size_t late_runs() const { return late_.size(); }
  /// Octets of memory that the packets here hold.
  std::size_t held() const { return in_order_.held(); }
  void clear();

 private:
  /// Octets that lie together, behind a hole.
  struct Run {
    std::uint64_t end = 0;
    dataplane::Ring<dataplane::Packet> packets;
  };
  /// By the position of the first octet, without overlap.
  using Late = std::map<std::uint64_t, Run>;

  void insert_late(std::uint64_t position, dataplane::Packet payload, Inserted& out);
  Late::iterator run_before(std::uint64_t position);
  void drop(Late::iterator run);
  void release_late();

  dataplane::tcp::InOrderQueue in_order_;
  Late late_;
  Late::iterator grown_ = late_.end();  ///< The run that grew last.
  std::uint64_t next_ = 0;
};

}  // namespace mptcp
