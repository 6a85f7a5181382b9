#include "mptcp/reorder_queue.hpp"

#include <algorithm>
#include <iterator>

namespace mptcp {

using dataplane::Packet;

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
  in_order_.append(std::move(payload));
  release_late();
  out.in_order = next_ - before;
  return out;
}

void ReorderQueue::release_late() {
  while (!late_.empty() && late_.begin()->first <= next_) {
    const std::uint64_t begin = late_.begin()->first;
    Packet packet = std::move(late_.begin()->second);
    late_.erase(late_.begin());
    in_order_.let_go(packet);
    const std::uint64_t end = begin + packet.size();
    if (end <= next_) continue;
    packet.trim_front(static_cast<std::uint32_t>(next_ - begin));
    next_ = end;
    in_order_.append(std::move(packet));
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
    in_order_.let_go(after->second);
    after = late_.erase(after);
  }
  if (payload.size() == 0) {
    out.duplicate = true;
    return;
  }
  in_order_.hold(payload);
  late_.emplace_hint(after, position, std::move(payload));
}

void ReorderQueue::clear() {
  late_.clear();
  in_order_.clear();
}

}  // namespace mptcp
