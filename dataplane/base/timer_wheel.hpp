#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "dataplane/base/time.hpp"

namespace dataplane {

/// One timer per id, for ids that are small and dense: a hierarchical timing wheel. Arming,
/// re-arming and disarming cost O(1) whatever the number of timers.
///
/// A timer fires at the first tick that does not lie before its deadline: never early, at most one
/// tick late. The wheel knows the time from pop_expired() alone, and crosses any span of it at the
/// cost of the timers that lie within.
///
/// Level L has 64 slots of 64^L ticks. A timer stands on the level of the highest digit (base 64)
/// in which its tick differs from the current one, so the levels follow each other in time, and the
/// earliest timer is always in the first occupied slot of the lowest occupied level. A deadline
/// that moves to a later time stays where it stands, and finds its new place when its old one is
/// reached: restarting a retransmission timer with each ACK is one store.
class TimerWheel {
 public:
  /// A tick of 2^16 ns, 65.5 us.
  static constexpr unsigned kDefaultTickShift = 16;

  /// A tick lasts 2^tick_shift nanoseconds; at least 2^10.
  explicit TimerWheel(Instant start, unsigned tick_shift = kDefaultTickShift);

  /// Makes the ids 0 to count - 1 valid, disarmed where they are new. Never shrinks. Allocates; no
  /// other call does.
  void resize(std::uint32_t count);
  std::uint32_t size() const { return static_cast<std::uint32_t>(nodes_.size()) - kHeads; }

  /// Sets the one deadline of `id`, whether it had one or not. kNever disarms.
  void arm(std::uint32_t id, Instant deadline);
  void disarm(std::uint32_t id);
  /// The deadline of `id` as it was given.
  std::optional<Instant> armed(std::uint32_t id) const;
  std::uint32_t armed_count() const { return armed_count_; }

  /// Disarms and returns a timer whose tick has come, in the order of their ticks. Call until there
  /// is none or the caller's limit is reached. A call moves a bounded number of timers within the
  /// wheel: with very many of them there may be nothing to return yet, and next_deadline() then
  /// does not lie after `now`.
  std::optional<std::uint32_t> pop_expired(Instant now);
  /// When to call pop_expired() next: not after the tick at which the earliest timer fires, and
  /// kNever without timers. It may lie before that tick; a call then makes progress towards it.
  Instant next_deadline() const;

 private:
  using Index = std::uint32_t;
  struct Node {
    Instant deadline = kNever;  ///< kNever: not armed.
    Index next = 0;
    Index prev = 0;
  };
  static_assert(sizeof(Node) == 16);
  struct Slot {
    Index head;
    std::uint64_t start;  ///< Its first tick.
  };

  static constexpr unsigned kDigitBits = 6;
  static constexpr unsigned kSlots = 1U << kDigitBits;
  static constexpr unsigned kLevels = 9;  ///< 54 bits of ticks, all that Instant can say.
  /// The heads of the lists are the first nodes: the slots, then the two below, then the ids.
  static constexpr Index kDue = kLevels * kSlots;  ///< Timers whose tick has come.
  static constexpr Index kMoving = kDue + 1;  ///< Timers of a reached slot that go to lower levels.
  static constexpr Index kHeads = kMoving + 1;
  static constexpr unsigned kMovesPerCall = 256;

  std::uint64_t tick_before(Instant at) const;
  std::uint64_t tick_after(Instant at) const;
  Instant instant_of(std::uint64_t tick) const;
  bool is_empty(Index head) const { return nodes_[head].next == head; }
  std::optional<Slot> earliest_slot() const;
  void append(Index head, Index node);
  void unlink(Index node);
  void place(Index node);
  void reach(const Slot& slot);

  unsigned tick_shift_;
  std::uint32_t armed_count_ = 0;
  std::uint64_t current_;  ///< Timers up to this tick are due; no slot that starts at or before it
                           ///< is occupied.
  std::array<std::uint64_t, kLevels> occupied_{};  ///< One bit per slot.
  std::vector<Node> nodes_;
};

}  // namespace dataplane
