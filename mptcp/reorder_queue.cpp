#include "mptcp/reorder_queue.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

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

void ReorderQueue::append_run(std::span<Packet> run, std::uint64_t octets) {
  in_order_.append_run(run, octets);
  next_ += octets;
  release_late();
}

void ReorderQueue::release_late() {
  while (!late_.empty() && late_.begin()->first <= next_) {
    const auto first = late_.begin();
    const std::uint64_t end = first->second.end;
    dataplane::Ring<Packet>& packets = first->second.packets;
    // What came in order may have brought the first of it as well.
    for (std::uint64_t begin = first->first; begin < next_ && !packets.empty();) {
      const std::uint64_t known = std::min<std::uint64_t>(packets.front().size(), next_ - begin);
      begin += known;
      if (known < packets.front().size()) {
        packets.front().trim_front(static_cast<std::uint32_t>(known));
      } else {
        in_order_.let_go(packets.take_front());
      }
    }
    if (end > next_) {
      // Whole, without a look at any: they came long ago, and are in no cache.
      in_order_.append_held(packets, end - next_);
      next_ = end;
    }
    drop(first);
  }
}

void ReorderQueue::drop(Late::iterator run) {
  dataplane::Ring<Packet>& packets = run->second.packets;
  while (!packets.empty())
    in_order_.let_go(packets.take_front());
  if (run == grown_) grown_ = late_.end();
  late_.erase(run);
}

void ReorderQueue::insert_late(std::uint64_t position, Packet payload, Inserted& out) {
  out.out_of_order = true;
  const std::uint64_t end = position + payload.size();
  auto run = run_before(position);
  auto after = run == late_.end() ? late_.begin() : std::next(run);
  if (run != late_.end() && run->second.end > position) {
    const std::uint64_t known = run->second.end;
    if (known >= end) {
      out.duplicate = true;
      return;
    }
    payload.trim_front(static_cast<std::uint32_t>(known - position));
    position = known;
  }
  // Of what follows, that which the payload covers whole goes; at the first that reaches further
  // the payload ends.
  while (after != late_.end() && after->first < end) {
    if (after->second.end > end) {
      payload.trim_back(static_cast<std::uint32_t>(end - after->first));
      break;
    }
    drop(std::exchange(after, std::next(after)));
  }
  if (payload.size() == 0) {
    out.duplicate = true;
    return;
  }
  in_order_.hold(payload);
  if (run == late_.end() || run->second.end != position)
    run = late_.emplace_hint(after, position, Run{position, {}});
  run->second.end += payload.size();
  run->second.packets.push_back(std::move(payload));
  grown_ = run;
}

/// The run that octets at `position` may belong to, mostly the one that grew last; the end if none.
ReorderQueue::Late::iterator ReorderQueue::run_before(std::uint64_t position) {
  if (grown_ != late_.end() && grown_->second.end == position) return grown_;
  const auto behind = late_.upper_bound(position);
  return behind == late_.begin() ? late_.end() : std::prev(behind);
}

bool ReorderQueue::hold_run(std::uint64_t position, std::span<Packet> run, std::uint64_t octets) {
  auto into = run_before(position);
  const auto after = into == late_.end() ? late_.begin() : std::next(into);
  if (position <= next_ || (into != late_.end() && into->second.end > position) ||
      (after != late_.end() && after->first < position + octets))
    return false;
  if (into == late_.end() || into->second.end != position)
    into = late_.emplace_hint(after, position, Run{position, {}});
  into->second.end += octets;
  into->second.packets.reserve(run.size());
  for (Packet& packet : run) {
    in_order_.hold(packet);
    into->second.packets.push_back(std::move(packet));
  }
  grown_ = into;
  return true;
}

void ReorderQueue::clear() {
  late_.clear();
  grown_ = late_.end();
  in_order_.clear();
}

}  // namespace mptcp
