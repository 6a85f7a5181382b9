#pragma once

#include <algorithm>
#include <cstdint>

#include "dataplane/base/seq.hpp"

namespace dataplane::tcp {

/// Whether a recovery was a mistake (RFC 3708 §3): the peer reports as duplicates (RFC 2883) all
/// that was sent again in it.
class Undo {
 public:
  void start(SeqNum snd_una) { *this = Undo(snd_una); }
  void on_retransmitted(std::uint32_t octets) {
    if (is_open_) octets_ += octets;
  }
  /// True when the last of them was reported: nothing was lost.
  bool on_duplicate(SeqNum begin, SeqNum end) {
    if (!is_open_ || octets_ == 0 || begin < from_ || end <= begin) return false;
    octets_ -= std::min(octets_, end - begin);
    return octets_ == 0;
  }
  void close() { is_open_ = false; }

  Undo() = default;

 private:
  explicit Undo(SeqNum from) : from_(from), is_open_(true) {}

  SeqNum from_;
  std::uint32_t octets_ = 0;
  bool is_open_ = false;
};

}  // namespace dataplane::tcp
