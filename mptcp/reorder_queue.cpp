#include "mptcp/reorder_queue.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace mptcp {

using dataplane::Packet;

namespace {

/// A payload up to this many octets is copied behind its predecessor where there is room: that is
/// cheaper than to keep a whole packet for it.
constexpr std::uint32_t kSmallPayload = 512;

bool absorb(Packet& into, const Packet& payload) {
  if (payload.size() > kSmallPayload || payload.size() > into.tailroom()) return false;
  std::memcpy(into.append(payload.size()), payload.begin(), payload.size());
  return true;
}

}  // namespace

void ReorderQueue::hold(const Packet& packet) {
  held_ += packet.footprint();
  budget_->take(packet.footprint());
}

void ReorderQueue::let_go(const Packet& packet) {
  held_ -= packet.footprint();
  budget_->give_back(packet.footprint());
}

ReorderQueue::Inserted ReorderQueue::insert(std::uint64_t position, Packet payload) {
  Inserted out;
  const std::uint64_t end = position + payload.size();
  if (end <= next_) {
    out.duplicate = true;
    return out;
  }
  if (position < next_) {
    payload.trim_front(static_cast<std::uint32_t>(next_ - position));
    position = next_;
  }
  if (position != next_) {
    insert_late(position, std::move(payload), out);
    return out;
  }
  const std::uint64_t before = next_;
  next_ = end;
  append_in_order(std::move(payload));
  release_late();
  out.in_order = next_ - before;
  return out;
}

void ReorderQueue::append_in_order(Packet payload) {
  if (payload.size() == 0) return;
  readable_ += payload.size();
  if (!in_order_.empty() && absorb(in_order_.back(), payload)) return;
  hold(payload);
  in_order_.push_back(std::move(payload));
}

void ReorderQueue::release_late() {
  while (!late_.empty() && late_.begin()->first <= next_) {
    const std::uint64_t begin = late_.begin()->first;
    Packet packet = std::move(late_.begin()->second);
    late_.erase(late_.begin());
    let_go(packet);
    const std::uint64_t end = begin + packet.size();
    if (end <= next_) continue;
    packet.trim_front(static_cast<std::uint32_t>(next_ - begin));
    next_ = end;
    append_in_order(std::move(packet));
  }
}

void ReorderQueue::insert_late(std::uint64_t position, Packet payload, Inserted& out) {
  out.out_of_order = true;
  const std::uint64_t end = position + payload.size();
  // Behind all others: the common case, for which no search is needed.
  auto after = late_.end();
  if (!late_.empty() && std::prev(after)->first >= position) after = late_.lower_bound(position);
  if (after != late_.begin()) {
    const auto before = std::prev(after);
    const std::uint64_t known = before->first + before->second.size();
    if (known >= end) {
      out.duplicate = true;
      return;
    }
    if (known > position) {
      payload.trim_front(static_cast<std::uint32_t>(known - position));
      position = known;
    }
  }
  // Of what follows, that which the payload covers whole goes; at the first that reaches further
  // the payload ends.
  while (after != late_.end() && after->first < end) {
    const std::uint64_t known_end = after->first + after->second.size();
    if (known_end > end) {
      payload.trim_back(static_cast<std::uint32_t>(end - after->first));
      break;
    }
    let_go(after->second);
    after = late_.erase(after);
  }
  if (payload.size() == 0) {
    out.duplicate = true;
    return;
  }
  hold(payload);
  late_.emplace_hint(after, position, std::move(payload));
}

std::size_t ReorderQueue::read(dataplane::MutableByteSpan out) {
  std::size_t copied = 0;
  while (copied < out.size() && !in_order_.empty()) {
    Packet& packet = in_order_.front();
    const auto count =
        static_cast<std::uint32_t>(std::min<std::size_t>(packet.size(), out.size() - copied));
    std::memcpy(out.data() + copied, packet.begin(), count);
    copied += count;
    packet.trim_front(count);
    if (packet.size() != 0) break;
    let_go(packet);
    in_order_.pop_front();
  }
  readable_ -= copied;
  return copied;
}

Packet ReorderQueue::take_packet() {
  if (in_order_.empty()) return {};
  Packet packet = in_order_.take_front();
  let_go(packet);
  readable_ -= packet.size();
  return packet;
}

void ReorderQueue::clear() {
  in_order_.clear();
  late_.clear();
  readable_ = 0;
  budget_->give_back(held_);
  held_ = 0;
}

}  // namespace mptcp
