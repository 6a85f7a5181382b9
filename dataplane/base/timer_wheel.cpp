#include "dataplane/base/timer_wheel.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include "dataplane/base/assert.hpp"

namespace dataplane {

TimerWheel::TimerWheel(Instant start, unsigned tick_shift)
    : tick_shift_(tick_shift), current_(0), nodes_(kHeads) {
  ASSERT(tick_shift >= 10 && tick_shift < 63);
  static_assert(kLevels * kDigitBits >= 63 - 10);
  current_ = tick_before(start);
  for (Index head = 0; head < kHeads; ++head)
    nodes_[head].next = nodes_[head].prev = head;
}

void TimerWheel::resize(std::uint32_t count) {
  ASSERT(count <= std::numeric_limits<Index>::max() - kHeads);
  if (count > size()) nodes_.resize(kHeads + count);
}

void TimerWheel::arm(std::uint32_t id, Instant deadline) {
  if (deadline == kNever) return disarm(id);
  const Index index = kHeads + id;
  ASSERT(index < nodes_.size());
  Node& node = nodes_[index];
  const bool was_armed = node.deadline != kNever;
  const bool stays = was_armed && deadline >= node.deadline;
  node.deadline = deadline;
  if (stays) return;
  if (was_armed) {
    unlink(index);
  } else {
    ++armed_count_;
  }
  place(index);
}

void TimerWheel::disarm(std::uint32_t id) {
  const Index index = kHeads + id;
  ASSERT(index < nodes_.size());
  if (nodes_[index].deadline == kNever) return;
  nodes_[index].deadline = kNever;
  --armed_count_;
  unlink(index);
}

std::optional<Instant> TimerWheel::armed(std::uint32_t id) const {
  ASSERT(kHeads + id < nodes_.size());
  const Instant deadline = nodes_[kHeads + id].deadline;
  if (deadline == kNever) return std::nullopt;
  return deadline;
}

std::optional<std::uint32_t> TimerWheel::pop_expired(Instant now) {
  const std::uint64_t now_tick = tick_before(now);
  for (unsigned moves = 0; moves < kMovesPerCall; ++moves) {
    if (!is_empty(kDue)) {
      const Index index = nodes_[kDue].next;
      unlink(index);
      if (tick_after(nodes_[index].deadline) <= current_) {
        nodes_[index].deadline = kNever;
        --armed_count_;
        return index - kHeads;
      }
      place(index);  // It was re-armed to a later time.
    } else if (!is_empty(kMoving)) {
      const Index index = nodes_[kMoving].next;
      unlink(index);
      place(index);
    } else {
      const std::optional<Slot> slot = earliest_slot();
      if (!slot || slot->start > now_tick) {
        current_ = std::max(current_, now_tick);
        return std::nullopt;
      }
      reach(*slot);
    }
  }
  return std::nullopt;
}

Instant TimerWheel::next_deadline() const {
  if (!is_empty(kDue) || !is_empty(kMoving)) return instant_of(current_);
  const std::optional<Slot> slot = earliest_slot();
  return slot ? instant_of(slot->start) : kNever;
}

std::uint64_t TimerWheel::tick_before(Instant at) const {
  const auto ns = at.time_since_epoch().count();
  return ns <= 0 ? 0 : static_cast<std::uint64_t>(ns) >> tick_shift_;
}

std::uint64_t TimerWheel::tick_after(Instant at) const {
  const auto ns = at.time_since_epoch().count();
  return ns <= 0 ? 0 : ((static_cast<std::uint64_t>(ns) - 1) >> tick_shift_) + 1;
}

Instant TimerWheel::instant_of(std::uint64_t tick) const {
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<Duration::rep>::max());
  if (tick > kMost >> tick_shift_) return kNever;
  return Instant(Duration(static_cast<Duration::rep>(tick << tick_shift_)));
}

std::optional<TimerWheel::Slot> TimerWheel::earliest_slot() const {
  for (unsigned level = 0; level < kLevels; ++level) {
    if (occupied_[level] == 0) continue;
    const auto digit = static_cast<unsigned>(std::countr_zero(occupied_[level]));
    const unsigned shift = level * kDigitBits;
    // The digits above are those of the current tick, the digits below are zero.
    const std::uint64_t above = current_ >> (shift + kDigitBits) << kDigitBits;
    return Slot{level * kSlots + digit, (above | digit) << shift};
  }
  return std::nullopt;
}

void TimerWheel::append(Index head, Index node) {
  const Index last = nodes_[head].prev;
  nodes_[node].next = head;
  nodes_[node].prev = last;
  nodes_[last].next = node;
  nodes_[head].prev = node;
}

void TimerWheel::unlink(Index node) {
  const Index next = nodes_[node].next;
  const Index prev = nodes_[node].prev;
  nodes_[next].prev = prev;
  nodes_[prev].next = next;
  // A node whose neighbours are one and the same was the last of its list, and they are its head.
  if (next == prev && next < kDue) occupied_[next / kSlots] &= ~(1ULL << (next % kSlots));
}

void TimerWheel::place(Index node) {
  const std::uint64_t tick = tick_after(nodes_[node].deadline);
  if (tick <= current_) return append(kDue, node);
  const auto highest = 63 - static_cast<unsigned>(std::countl_zero(tick ^ current_));
  const unsigned level = highest / kDigitBits;
  const unsigned digit = static_cast<unsigned>(tick >> (level * kDigitBits)) % kSlots;
  occupied_[level] |= 1ULL << digit;
  append(level * kSlots + digit, node);
}

void TimerWheel::reach(const Slot& slot) {
  current_ = slot.start;
  occupied_[slot.head / kSlots] &= ~(1ULL << (slot.head % kSlots));
  // The whole list changes its head at once; both destinations are empty.
  const Index to = slot.head < kSlots ? kDue : kMoving;
  Node& from = nodes_[slot.head];
  nodes_[to].next = from.next;
  nodes_[to].prev = from.prev;
  nodes_[from.next].prev = to;
  nodes_[from.prev].next = to;
  from.next = from.prev = slot.head;
}

}  // namespace dataplane
