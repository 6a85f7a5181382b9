#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "dataplane/base/packet.hpp"
#include "dataplane/base/ring.hpp"
#include "dataplane/base/seq.hpp"
#include "dataplane/tcp/in_order_queue.hpp"
#include "dataplane/wire/tcp_options.hpp"

namespace dataplane::tcp {

/// Received octets: those in order, which wait for the application, and those behind a hole, which
/// wait for the octets before them. Holds the packets themselves; copies only octets that fit
/// behind those of another packet, so that a peer that sends tiny segments cannot make us hold a
/// packet for each.
class ReceiveBuffer {
 public:
  explicit ReceiveBuffer(MemoryBudget& budget) : in_order_(budget) {}
  ReceiveBuffer(const ReceiveBuffer&) = delete;
  ReceiveBuffer& operator=(const ReceiveBuffer&) = delete;
  ~ReceiveBuffer() { clear(); }

  /// What insert() did with a payload.
  struct Inserted {
    /// Octets by which RCV.NXT moves on, with those that the payload released.
    std::uint32_t in_order = 0;
    bool filled_hole = false;   ///< Octets were waiting behind it.
    bool out_of_order = false;  ///< It lies behind a hole.
    bool no_memory = false;     ///< Thrown away: the peer must send it again.
    /// Octets that had been received before, for a D-SACK block (RFC 2883 §4).
    std::optional<wire::SackBlock> duplicate;
  };

  /// Takes a payload that lies within the window; `rcv_nxt` <= `seq`. `limit`: octets of memory
  /// that waiting packets may hold, within what the budget of the core allows.
  Inserted insert(SeqNum rcv_nxt, SeqNum seq, Packet payload, std::size_t limit);

  /// Octets in order that the application has not read.
  std::size_t readable() const { return in_order_.readable(); }
  /// Copies out and returns how many octets.
  std::size_t read(MutableByteSpan out) { return in_order_.read(out); }
  /// The next packet, trimmed to unread octets; an empty handle when there is none.
  Packet take_packet() { return in_order_.take_packet(); }

  /// Up to `most` blocks for the SACK option: the most recently changed first (RFC 2018 §4).
  std::size_t sack_blocks(std::span<wire::SackBlock> out) const;
  /// Octets of memory that the packets here hold.
  std::size_t held() const { return in_order_.held(); }
  bool has_holes() const { return !late_.empty(); }
  void clear();
  void trim();

 private:
  struct Late {
    SeqNum begin;
    SeqNum end;
    Packet packet;
  };
  std::uint32_t release_late(SeqNum rcv_nxt);
  void insert_late(SeqNum seq, Packet payload, Inserted& out);
  void insert_run(SeqNum begin, SeqNum end);
  void note_recent(SeqNum seq);

  InOrderQueue in_order_;
  Ring<Late> late_;             ///< By sequence number, without overlap.
  Ring<wire::SackBlock> runs_;  ///< What late_ covers, adjacent octets as one.
  std::array<SeqNum, wire::kMaxSackBlocks> recent_{};  ///< A position in each recently changed run.
  std::uint8_t recent_count_ = 0;
};

}  // namespace dataplane::tcp
