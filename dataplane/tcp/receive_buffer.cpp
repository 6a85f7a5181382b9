#include "dataplane/tcp/receive_buffer.hpp"

#include <algorithm>
#include <cstring>

namespace dataplane::tcp {
namespace {

/// A payload up to this many octets is copied behind its predecessor where there is room: that is
/// cheaper than to keep a whole packet for it.
constexpr std::uint32_t kSmallPayload = 512;

bool absorb(Packet& into, const Packet& payload) {
  if (payload.size() > kSmallPayload || payload.size() > into.tailroom()) return false;
  std::memcpy(into.append(payload.size()), payload.begin(), payload.size());
  return true;
}

/// The first of `runs`, ordered and apart, that ends after `seq`; their number when there is none.
template <class Run>
std::size_t first_ending_after(const Ring<Run>& runs, SeqNum seq) {
  // New octets usually come last: look there before searching.
  if (runs.empty() || runs.back().end <= seq) return runs.size();
  std::size_t low = 0;
  std::size_t high = runs.size();
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (runs[middle].end > seq) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

}  // namespace

ReceiveBuffer::Inserted ReceiveBuffer::insert(SeqNum rcv_nxt, SeqNum seq, Packet payload,
                                              std::size_t limit) {
  Inserted out;
  out.out_of_order = seq != rcv_nxt;
  const std::size_t footprint = payload.footprint();
  // What is in order always moves the connection on, unless the reader can do that first: packets
  // behind a hole must never keep out the one that fills it.
  const bool fits = held_ + footprint <= limit && budget_->allows(held_, footprint);
  if (!fits && (out.out_of_order || readable_ != 0)) {
    out.no_memory = true;
    return out;
  }
  if (seq == rcv_nxt && late_.empty()) {
    out.in_order = payload.size();
    append_in_order(std::move(payload));
    return out;
  }
  if (seq == rcv_nxt) {
    const SeqNum first_late = late_.front().begin;
    const SeqNum end = seq + payload.size();
    out.filled_hole = end >= first_late;
    if (end > first_late) {
      // What reaches beyond the first waiting run was not acknowledged: the peer will send it
      // again.
      out.duplicate = wire::SackBlock{first_late, min(end, runs_.front().end)};
      payload.trim_back(end - first_late);
    }
    out.in_order = payload.size();
    append_in_order(std::move(payload));
    out.in_order += release_late(rcv_nxt + out.in_order);
    return out;
  }
  insert_late(seq, std::move(payload), out);
  return out;
}

void ReceiveBuffer::append_in_order(Packet payload) {
  if (payload.size() == 0) return;
  readable_ += payload.size();
  if (!in_order_.empty() && absorb(in_order_.back(), payload)) return;
  hold(payload);
  in_order_.push_back(std::move(payload));
}

void ReceiveBuffer::hold(const Packet& packet) {
  held_ += packet.footprint();
  budget_->take(packet.footprint());
}

void ReceiveBuffer::let_go(const Packet& packet) {
  held_ -= packet.footprint();
  budget_->give_back(packet.footprint());
}

std::uint32_t ReceiveBuffer::release_late(SeqNum rcv_nxt) {
  std::uint32_t released = 0;
  if (late_.empty() || late_.front().begin != rcv_nxt) return 0;
  runs_.pop_front();
  while (!late_.empty() && late_.front().begin == rcv_nxt) {
    Late late = late_.take_front();
    let_go(late.packet);
    rcv_nxt += late.packet.size();
    released += late.packet.size();
    append_in_order(std::move(late.packet));
  }
  if (late_.empty()) recent_count_ = 0;
  return released;
}

void ReceiveBuffer::insert_late(SeqNum seq, Packet payload, Inserted& out) {
  const SeqNum end = seq + payload.size();
  const std::size_t known_run = first_ending_after(runs_, seq);
  if (known_run < runs_.size() && runs_[known_run].begin < end)
    out.duplicate = {max(seq, runs_[known_run].begin), min(end, runs_[known_run].end)};

  // Cut away what is there already, in front and behind. Of a payload that spans a waiting packet,
  // only what lies before that packet is kept.
  std::size_t at = first_ending_after(late_, seq);
  while (payload.size() != 0 && at < late_.size() && late_[at].begin <= seq) {
    const std::uint32_t known = min(end, late_[at].end) - seq;
    payload.trim_front(known);
    seq += known;
    ++at;
  }
  if (payload.size() != 0 && at < late_.size() && late_[at].begin < end)
    payload.trim_back(end - late_[at].begin);
  if (payload.size() == 0) {
    note_recent(out.duplicate->begin);
    return;
  }
  note_recent(seq);
  const SeqNum new_end = seq + payload.size();
  insert_run(seq, new_end);
  if (at > 0 && late_[at - 1].end == seq && absorb(late_[at - 1].packet, payload)) {
    late_[at - 1].end = new_end;
    return;
  }
  hold(payload);
  late_.insert(at, Late{seq, new_end, std::move(payload)});
}

void ReceiveBuffer::insert_run(SeqNum begin, SeqNum end) {
  // A run that ends exactly at `begin` is adjacent, so look from the octet before.
  const std::size_t at = first_ending_after(runs_, begin - 1U);
  std::size_t past = at;
  while (past < runs_.size() && runs_[past].begin <= end)
    ++past;
  if (past == at) {
    runs_.insert(at, {begin, end});
    return;
  }
  runs_[at] = {min(begin, runs_[at].begin), max(end, runs_[past - 1].end)};
  runs_.erase(at + 1, past - at - 1);
}

void ReceiveBuffer::note_recent(SeqNum seq) {
  std::array<SeqNum, wire::kMaxSackBlocks> kept{seq};
  std::size_t count = 1;
  for (std::size_t i = 0; i < recent_count_ && count < kept.size(); ++i)
    if (recent_[i] != seq) kept[count++] = recent_[i];
  recent_ = kept;
  recent_count_ = static_cast<std::uint8_t>(count);
}

std::size_t ReceiveBuffer::sack_blocks(std::span<wire::SackBlock> out) const {
  std::size_t count = 0;
  for (std::size_t i = 0; i < recent_count_ && count < out.size(); ++i) {
    const std::size_t at = first_ending_after(runs_, recent_[i]);
    if (at == runs_.size() || runs_[at].begin > recent_[i]) continue;
    const auto known = out.first(count);
    if (std::find(known.begin(), known.end(), runs_[at]) == known.end()) out[count++] = runs_[at];
  }
  return count;
}

std::size_t ReceiveBuffer::read(MutableByteSpan out) {
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

Packet ReceiveBuffer::take_packet() {
  if (in_order_.empty()) return {};
  Packet packet = in_order_.take_front();
  let_go(packet);
  readable_ -= packet.size();
  return packet;
}

void ReceiveBuffer::clear() {
  in_order_.clear();
  late_.clear();
  runs_.clear();
  readable_ = 0;
  budget_->give_back(held_);
  held_ = 0;
  recent_count_ = 0;
}

void ReceiveBuffer::trim() {
  in_order_.release_memory();
  late_.release_memory();
  runs_.release_memory();
}

}  // namespace dataplane::tcp
