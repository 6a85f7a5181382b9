#include "dataplane/net/neighbor.hpp"

#include <algorithm>
#include <bit>

#include "dataplane/base/rng.hpp"

namespace dataplane::net {

NeighborCache::NeighborCache(const HostConfig& config)
    : reachable_(config.neighbor_reachable),
      retry_(config.neighbor_retry),
      max_attempts_(config.neighbor_attempts),
      frames_per_entry_(static_cast<std::uint32_t>(config.neighbor_queue_frames)),
      max_frames_(config.neighbor_total_frames),
      secret_(Rng(config.seed).next() | 1),
      entries_(config.max_neighbors),
      frames_(config.max_neighbors * config.neighbor_queue_frames),
      buckets_(std::bit_ceil(config.max_neighbors * 2), kNone) {
  ASSERT(config.max_neighbors > 0 && config.neighbor_queue_frames > 0);
  ASSERT(config.neighbor_attempts > 0);
  timed_.reserve(entries_.size());
  for (std::uint32_t i = static_cast<std::uint32_t>(entries_.size()); i-- > 0;) {
    entries_[i].next = free_;
    free_ = i;
  }
}

std::size_t NeighborCache::bucket_of(const Neighbor& neighbor) const {
  std::uint64_t words[2];
  std::memcpy(words, neighbor.address.octets().data(), sizeof words);
  const std::uint64_t mixed = (words[0] ^ words[1] * secret_ ^ index_of(neighbor.port)) * secret_;
  return mixed >> 32 & (buckets_.size() - 1);
}

std::uint32_t NeighborCache::find_index(const Neighbor& neighbor) const {
  std::uint32_t at = buckets_[bucket_of(neighbor)];
  while (at != kNone && entries_[at].neighbor != neighbor)
    at = entries_[at].next;
  return at;
}

std::uint32_t NeighborCache::add(const Neighbor& neighbor, NeighborActions& out) {
  const std::uint32_t index = free_ != kNone ? free_ : evict(out);
  Entry& entry = entries_[index];
  free_ = entry.next;
  entry.neighbor = neighbor;
  entry.was_used = false;
  entry.attempts = 0;
  std::uint32_t& head = buckets_[bucket_of(neighbor)];
  entry.next = head;
  head = index;
  ++used_;
  return index;
}

std::uint32_t NeighborCache::evict(NeighborActions& out) {
  while (entries_[hand_].was_used) {
    entries_[hand_].was_used = false;
    hand_ = hand_ + 1 < entries_.size() ? hand_ + 1 : 0;
  }
  const std::uint32_t victim = hand_;
  hand_ = hand_ + 1 < entries_.size() ? hand_ + 1 : 0;
  remove(victim, out);
  ++out.evicted;
  return victim;
}

void NeighborCache::remove(std::uint32_t index, NeighborActions& out) {
  Entry& entry = entries_[index];
  while (entry.frame_count != 0)
    drop_oldest(entry, out);
  std::uint32_t* link = &buckets_[bucket_of(entry.neighbor)];
  while (*link != index)
    link = &entries_[*link].next;
  *link = entry.next;
  entry.state = State::Free;
  entry.next = free_;
  free_ = index;
  --used_;
}

Packet& NeighborCache::frame_slot(const Entry& entry, std::uint32_t at) {
  const auto index = static_cast<std::size_t>(&entry - entries_.data());
  return frames_[index * frames_per_entry_ + (entry.first_frame + at) % frames_per_entry_];
}

void NeighborCache::drop_oldest(Entry& entry, NeighborActions& out) {
  frame_slot(entry, 0).reset();
  entry.first_frame = (entry.first_frame + 1) % frames_per_entry_;
  --entry.frame_count;
  --frame_total_;
  ++out.frames_dropped;
}

void NeighborCache::solicit(Instant now, std::uint32_t index, NeighborActions& out) {
  Entry& entry = entries_[index];
  ++entry.attempts;
  entry.deadline = now + retry_;
  next_deadline_ = std::min(next_deadline_, entry.deadline);
  if (!entry.is_timed) {
    entry.is_timed = true;
    timed_.push_back(index);
  }
  const bool is_probe = entry.state == State::Probe;
  out.solicitations.push_back({entry.neighbor, is_probe ? std::optional(entry.mac) : std::nullopt});
}

const MacAddress* NeighborCache::use(Instant now, const Neighbor& neighbor, Slot& hint,
                                     NeighborActions& out) {
  auto index = static_cast<std::uint32_t>(hint);
  if (index >= entries_.size() || entries_[index].state == State::Free ||
      entries_[index].neighbor != neighbor) {
    index = find_index(neighbor);
    if (index == kNone) {
      index = add(neighbor, out);
      entries_[index].state = State::Incomplete;
      solicit(now, index, out);
    }
    hint = Slot{index};
  }
  Entry& entry = entries_[index];
  entry.was_used = true;
  if (entry.state == State::Incomplete) return nullptr;
  if (entry.state == State::Stale || (entry.state == State::Reachable && now >= entry.deadline)) {
    entry.state = State::Probe;
    entry.attempts = 0;
    solicit(now, index, out);
  }
  return &entry.mac;
}

void NeighborCache::enqueue(Slot slot, Packet frame, NeighborActions& out) {
  Entry& entry = entries_[static_cast<std::uint32_t>(slot)];
  ASSERT(entry.state == State::Incomplete);
  if (entry.frame_count == frames_per_entry_) drop_oldest(entry, out);
  if (frame_total_ == max_frames_) {
    ++out.frames_dropped;
    return;
  }
  frame_slot(entry, entry.frame_count) = std::move(frame);
  ++entry.frame_count;
  ++frame_total_;
}

void NeighborCache::resolve(std::uint32_t index, const MacAddress& mac, NeighborActions& out) {
  Entry& entry = entries_[index];
  entry.mac = mac;
  for (std::uint32_t i = 0; i < entry.frame_count; ++i)
    out.released.push_back({entry.neighbor.port, mac, std::move(frame_slot(entry, i))});
  frame_total_ -= entry.frame_count;
  entry.frame_count = 0;
}

void NeighborCache::confirm(Instant now, const Neighbor& neighbor, const MacAddress& mac,
                            NeighborActions& out) {
  const std::uint32_t index = find_index(neighbor);
  if (index == kNone) return;
  resolve(index, mac, out);
  entries_[index].state = State::Reachable;
  entries_[index].deadline = now + reachable_;
}

void NeighborCache::learn(const Neighbor& neighbor, const MacAddress& mac, Unknown unknown,
                          NeighborActions& out) {
  std::uint32_t index = find_index(neighbor);
  if (index == kNone) {
    if (unknown == Unknown::Ignore) return;
    index = add(neighbor, out);
    entries_[index].state = State::Incomplete;
  }
  Entry& entry = entries_[index];
  if (entry.state != State::Incomplete && entry.mac == mac) return;
  resolve(index, mac, out);
  entry.state = State::Stale;
}

const MacAddress* NeighborCache::find(const Neighbor& neighbor) const {
  const std::uint32_t index = find_index(neighbor);
  if (index == kNone || entries_[index].state == State::Incomplete) return nullptr;
  return &entries_[index].mac;
}

bool NeighborCache::is_asking(const Neighbor& neighbor) const {
  const std::uint32_t index = find_index(neighbor);
  return index != kNone &&
         (entries_[index].state == State::Incomplete || entries_[index].state == State::Probe);
}

bool NeighborCache::is_reachable(Instant now, const Neighbor& neighbor) const {
  const std::uint32_t index = find_index(neighbor);
  return index != kNone && entries_[index].state == State::Reachable &&
         now < entries_[index].deadline;
}

void NeighborCache::doubt(const Neighbor& neighbor) {
  const std::uint32_t index = find_index(neighbor);
  if (index != kNone && entries_[index].state == State::Reachable)
    entries_[index].state = State::Stale;
}

void NeighborCache::on_deadline(Instant now, NeighborActions& out) {
  if (now < next_deadline_) return;
  next_deadline_ = kNever;
  // solicit() appends nothing here: every entry it is called for is in the list and stays.
  for (std::size_t i = 0; i < timed_.size();) {
    const std::uint32_t index = timed_[i];
    if (entries_[index].state == State::Incomplete || entries_[index].state == State::Probe) {
      if (now >= entries_[index].deadline)
        on_no_answer(now, index, out);
      else
        next_deadline_ = std::min(next_deadline_, entries_[index].deadline);
    }
    const State state = entries_[index].state;
    if (state == State::Incomplete || state == State::Probe) {
      ++i;
      continue;
    }
    entries_[index].is_timed = false;
    timed_[i] = timed_.back();
    timed_.pop_back();
  }
}

void NeighborCache::on_no_answer(Instant now, std::uint32_t index, NeighborActions& out) {
  Entry& entry = entries_[index];
  if (entry.attempts < max_attempts_) {
    solicit(now, index, out);
  } else if (entry.state == State::Probe) {
    // It may have moved to another link address: ask everybody before giving up.
    entry.state = State::Incomplete;
    entry.attempts = 0;
    solicit(now, index, out);
  } else {
    out.failed.push_back(entry.neighbor);
    remove(index, out);
  }
}

}  // namespace dataplane::net
