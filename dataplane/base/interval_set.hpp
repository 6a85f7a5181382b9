#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "dataplane/base/assert.hpp"
#include "dataplane/base/seq.hpp"

namespace dataplane {

/// Disjoint half-open ranges of a sequence space, sorted, never touching each other: what a SACK
/// scoreboard or a receiver with holes has to remember.
///
/// The space wraps and its base moves, so all positions that are in the set or asked for lie less
/// than half the space apart; a window guarantees that. Lookup is a binary search, insertion moves
/// what lies behind. An empty set allocates nothing; bounding the number of ranges is the caller's,
/// who looks at size().
template <class Position>
class IntervalSet {
 public:
  using Octets = typename Position::rep;
  struct Range {
    Position begin;
    Position end;

    Octets length() const { return end - begin; }
    friend bool operator==(const Range&, const Range&) = default;
  };
  using const_iterator = typename std::vector<Range>::const_iterator;

  bool empty() const { return ranges_.empty(); }
  std::size_t size() const { return ranges_.size(); }
  const_iterator begin() const { return ranges_.begin(); }
  const_iterator end() const { return ranges_.end(); }
  const Range& front() const { return ranges_.front(); }
  const Range& back() const { return ranges_.back(); }

  /// Adds [begin, end), merged with what it overlaps or touches. Returns how many octets are new.
  Octets insert(Position begin, Position end) {
    DEBUG_ASSERT(begin <= end);
    if (begin == end) return 0;
    // The common case: at or behind the end of all.
    if (ranges_.empty() || ranges_.back().end < begin) {
      ranges_.push_back({begin, end});
      return grow(end - begin);
    }
    const auto first = first_ending_at_or_after(begin);
    if (end < first->begin) {
      ranges_.insert(first, {begin, end});
      return grow(end - begin);
    }
    Octets before = 0;
    auto last = first;
    for (; last != ranges_.end() && last->begin <= end; ++last)
      before += last->length();
    first->begin = min(first->begin, begin);
    first->end = max(std::prev(last)->end, end);
    const Octets after = first->length();
    ranges_.erase(std::next(first), last);
    return grow(after - before);
  }

  /// Forgets everything before `position`. Returns how many octets went.
  Octets erase_below(Position position) {
    Octets gone = 0;
    auto keep = ranges_.begin();
    for (; keep != ranges_.end() && keep->end <= position; ++keep)
      gone += keep->length();
    if (keep != ranges_.end() && keep->begin < position) {
      gone += position - keep->begin;
      keep->begin = position;
    }
    ranges_.erase(ranges_.begin(), keep);
    covered_ -= gone;
    return gone;
  }

  /// Forgets everything; the memory stays for the next burst of holes.
  void clear() {
    ranges_.clear();
    covered_ = 0;
  }
  /// Gives the memory of an empty set back, so that an idle connection holds none.
  void release_memory() {
    if (ranges_.empty()) std::vector<Range>().swap(ranges_);
  }

  /// The first range that ends after `position`: the one that holds it, or else the next; end() if
  /// there is none.
  const_iterator find(Position position) const {
    return std::partition_point(ranges_.begin(), ranges_.end(),
                                [&](const Range& range) { return range.end <= position; });
  }
  bool contains(Position position) const {
    const auto range = find(position);
    return range != ranges_.end() && range->begin <= position;
  }
  /// Whether all of [begin, end) is in the set; true for an empty range.
  bool contains(Position begin, Position end) const {
    if (begin == end) return true;
    const auto range = find(begin);
    return range != ranges_.end() && range->begin <= begin && end <= range->end;
  }

  /// Octets in the set.
  Octets covered() const { return covered_; }
  /// Octets in the set at or after `position`.
  Octets covered_from(Position position) const {
    Octets octets = 0;
    auto range = find(position);
    if (range == ranges_.end()) return 0;
    octets = range->end - max(range->begin, position);
    while (++range != ranges_.end())
      octets += range->length();
    return octets;
  }
  /// The first position at or after `position` that is not in the set.
  Position first_gap(Position position) const {
    const auto range = find(position);
    return range != ranges_.end() && range->begin <= position ? range->end : position;
  }

 private:
  auto first_ending_at_or_after(Position position) {
    return std::partition_point(ranges_.begin(), ranges_.end(),
                                [&](const Range& range) { return range.end < position; });
  }
  Octets grow(Octets octets) {
    covered_ += octets;
    return octets;
  }

  std::vector<Range> ranges_;
  Octets covered_ = 0;
};

static_assert(sizeof(IntervalSet<SeqNum>) <= 32 && sizeof(IntervalSet<Dsn>) <= 32);

}  // namespace dataplane
