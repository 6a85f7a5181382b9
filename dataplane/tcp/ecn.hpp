#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "dataplane/base/seq.hpp"

namespace dataplane::tcp {

/// The receiver's part of ECN: what its ACKs say of marks (RFC 3168 §6.1.3).
class EcnEcho {
 public:
  /// An ACK of what came before marks began or ended; it is owed before any other.
  struct Turn {
    SeqNum ack;
    bool ece = false;
  };

  /// From a mark on all ACKs carry ECE, until the sender has answered. `exact`: instead each ACK
  /// says whether what it acknowledges was marked (RFC 8257 §3.2).
  void enable(bool exact) {
    state_ = std::make_unique<State>();
    state_->is_exact = exact;
  }
  bool is_enabled() const { return state_ != nullptr; }

  /// Octets came, with a mark (CE) or the sender's answer to one (CWR), before which all until
  /// `rcv_nxt` was there and an ACK of all until `acked` was sent. Returns whether marks begin.
  bool on_text(bool marked, bool cwr, SeqNum rcv_nxt, SeqNum acked) {
    if (!state_) return false;
    bool& ece = state_->ece;
    const bool was_on = ece;
    if (!state_->is_exact) {
      if (cwr) ece = false;
      ece = ece || marked;
    } else if (marked != ece) {
      note_turn(rcv_nxt, acked);
      ece = marked;
    }
    return ece && !was_on;
  }

  /// Whether ACKs carry ECE now.
  bool is_on() const { return state_ && state_->ece; }
  bool has_turns() const { return state_ && state_->turn_count != 0; }
  Turn take_turn() {
    auto& turns = state_->turns;
    const Turn first = turns.front();
    std::move(turns.begin() + 1, turns.begin() + state_->turn_count, turns.begin());
    --state_->turn_count;
    return first;
  }

 private:
  /// As many as may happen between two looks of the sending side; beyond it they are not told
  /// apart.
  static constexpr std::size_t kMostTurns = 4;

  struct State {
    std::array<Turn, kMostTurns> turns{};  ///< Oldest first.
    std::uint8_t turn_count = 0;
    bool is_exact = false;
    bool ece = false;
  };

  void note_turn(SeqNum rcv_nxt, SeqNum acked) {
    std::uint8_t& count = state_->turn_count;
    const SeqNum told = count != 0 ? state_->turns.at(count - 1U).ack : acked;
    if (rcv_nxt > told && count < kMostTurns) state_->turns.at(count++) = {rcv_nxt, state_->ece};
  }

  std::unique_ptr<State> state_;  ///< Where ECN was agreed on.
};

/// The sender's part: marks are answered once per window of data (RFC 3168 §6.1.2).
class EcnAnswer {
 public:
  void enable() { is_enabled_ = true; }
  /// Whether new data goes out as ECN-capable.
  bool is_enabled() const { return is_enabled_; }

  /// An ACK of all until `ack`, with ECE or without. Returns whether it is to be answered: no
  /// reduction of the window in the flight that it acknowledges has done so.
  bool on_ack(SeqNum ack, bool ece) {
    if (!is_enabled_) return false;
    // Beyond it, so that the peer has had the CWR, which begins there.
    if (is_answered_ && ack > answered_until_) is_answered_ = is_by_mark_ = false;
    return ece && !is_answered_;
  }
  /// The window was reduced, by a mark or for a loss, while all until `snd_nxt` was on its way.
  void on_reduced(SeqNum snd_nxt, bool by_mark) {
    if (!is_enabled_) return;
    is_answered_ = is_cwr_due_ = true;
    is_by_mark_ = by_mark;
    answered_until_ = snd_nxt;
  }
  /// Whether a mark was answered in the flight that still goes on: the window stands still.
  bool is_holding() const { return is_by_mark_; }
  /// Whether a loss at `seq` is of the flight whose mark was answered.
  bool covers(SeqNum seq) const { return is_by_mark_ && seq < answered_until_; }
  /// Whether the next new segment carries CWR, alone.
  bool is_cwr_due() const { return is_cwr_due_; }
  void on_cwr_sent() { is_cwr_due_ = false; }

 private:
  SeqNum answered_until_;
  bool is_enabled_ = false;
  bool is_answered_ = false;
  bool is_by_mark_ = false;
  bool is_cwr_due_ = false;
};

}  // namespace dataplane::tcp
