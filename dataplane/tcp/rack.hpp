#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "dataplane/base/seq.hpp"
#include "dataplane/base/time.hpp"

namespace dataplane::tcp {

/// Recent ACKnowledgment (RFC 8985 §6): what was sent before something that has arrived should have
/// arrived as well, a reordering window later. Here is what that needs to know; the Scoreboard
/// marks.
class Rack {
 public:
  /// §6.2 step 2: of all that has arrived, the segment that was sent last.
  void on_delivered(Instant sent_at, SeqNum end, Duration rtt) {
    note_longest(sent_at + rtt, rtt);
    if (has_reference_ && !is_before(sent_at_, end_, sent_at, end)) return;
    has_reference_ = true;
    sent_at_ = sent_at;
    end_ = end;
    rtt_ = rtt;
  }
  /// §6.2 step 3: a segment that was sent once arrived after one with a higher sequence number.
  void on_reordering() { reordering_seen_ = true; }
  /// So much is missing at once that it cannot all be late.
  void on_many_missing() { loss_seen_ = true; }
  /// §6.2 step 4: the peer reported a duplicate, so that the window was too small; counts once for
  /// each round trip.
  void on_duplicate_reported(SeqNum snd_una, SeqNum snd_nxt) {
    constexpr std::uint8_t kLargest = 64;
    if (in_duplicate_round_ && snd_una < duplicate_round_) return;
    in_duplicate_round_ = true;
    duplicate_round_ = snd_nxt;
    multiplier_ = std::min<std::uint8_t>(static_cast<std::uint8_t>(multiplier_ + 1), kLargest);
    recoveries_left_ = kPersistence;
  }
  /// What has arrived says nothing any more about what should have arrived.
  void forget_reference() { has_reference_ = false; }
  /// `lost`: something really was.
  void on_recovery_end(bool lost) {
    loss_seen_ = loss_seen_ || lost;
    if (recoveries_left_ != 0 && --recoveries_left_ == 0) multiplier_ = 1;
  }

  /// How long to wait for what may only be late. `certain`: enough has arrived, or recovery is on,
  /// so that without any reordering seen so far nothing needs to be waited for.
  Duration reorder_window(Duration min_rtt, Duration srtt, bool certain) const {
    // Deviation: RFC 8985 §6.2 step 4 holds the first segments that come out of order for lost, and
    // learns of reordering by its mistake. The first hole of a connection is given time instead; a
    // path that has lost something, and has not reordered, is known to keep the order.
    if (!reordering_seen_ && loss_seen_ && certain) return Duration::zero();
    // What is late may have met a longer queue than what stands for the arrivals.
    const Duration longer = Duration(std::max(longest_, longest_before_)) - rtt_;
    return std::min(min_rtt / 4 * multiplier_ + std::max<Duration>(longer, 0ns), srtt);
  }
  /// Whether a segment left before the one that stands for what has arrived.
  bool was_sent_before(Instant sent_at, SeqNum end) const {
    return has_reference_ && is_before(sent_at, end, sent_at_, end_);
  }
  Duration rtt() const { return rtt_; }
  bool reordering_seen() const { return reordering_seen_; }

 private:
  static constexpr std::uint8_t kPersistence = 16;  ///< Recoveries for which a wide window stays.

  static bool is_before(Instant a_sent, SeqNum a_end, Instant b_sent, SeqNum b_end) {
    return a_sent < b_sent || (a_sent == b_sent && a_end < b_end);
  }

  /// Of the current round trip and the one before.
  void note_longest(Instant now, Duration rtt) {
    if (now - round_ > rtt) {
      round_ = now;
      longest_before_ = std::exchange(longest_, std::chrono::duration_cast<Micros>(rtt));
    } else {
      longest_ = std::max(longest_, std::chrono::duration_cast<Micros>(rtt));
    }
  }

  using Micros = std::chrono::duration<std::uint32_t, std::micro>;

  Instant sent_at_{};
  Duration rtt_{};
  Instant round_{};
  Micros longest_{};
  Micros longest_before_{};
  SeqNum end_;
  SeqNum duplicate_round_;
  bool has_reference_ = false;
  bool reordering_seen_ = false;
  bool loss_seen_ = false;  ///< A recovery was no mistake, or too much was missing.
  bool in_duplicate_round_ = false;
  std::uint8_t multiplier_ = 1;
  std::uint8_t recoveries_left_ = 0;
};

}  // namespace dataplane::tcp
