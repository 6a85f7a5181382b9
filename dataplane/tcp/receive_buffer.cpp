#include "dataplane/tcp/receive_buffer.hpp"

#include <algorithm>

namespace dataplane::tcp {
namespace {

/// The first of `runs`, ordered and apart, that ends after `seq`; their number when there is none.
template <class Run>
std::size_t first_ending_after(const Ring<Run>& runs, SeqNum seq) {
  // New octets usually come last: look there before searching.
  if (runs.empty() || runs.back().end <= seq) return runs.size();
  return runs.first_where([seq](const Run& run) { return run.end > seq; });
}

}  // namespace

ReceiveBuffer::Inserted ReceiveBuffer::insert(SeqNum rcv_nxt, SeqNum seq, Packet payload,
                                              std::size_t limit) {
  Inserted out;
  out.out_of_order = seq != rcv_nxt;
  const std::size_t footprint = payload.footprint();
  // What is in order always moves the connection on, unless the reader can do that first: packets
  // behind a hole must never keep out the one that fills it.
  const bool fits = held() + footprint <= limit && in_order_.may_hold(footprint);
  if (!fits && (out.out_of_order || readable() != 0)) {
    out.no_memory = true;
    return out;
  }
  if (seq == rcv_nxt && late_.empty()) {
    out.in_order = payload.size();
    in_order_.append(std::move(payload));
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
    in_order_.append(std::move(payload));
    out.in_order += release_late(rcv_nxt + out.in_order);
    return out;
  }
  insert_late(seq, std::move(payload), out);
  return out;
}

std::uint32_t ReceiveBuffer::release_late(SeqNum rcv_nxt) {
  std::uint32_t released = 0;
  if (late_.empty() || late_.front().begin != rcv_nxt) return 0;
  runs_.pop_front();
  while (!late_.empty() && late_.front().begin == rcv_nxt) {
    Late late = late_.take_front();
    in_order_.let_go(late.packet);
    rcv_nxt += late.packet.size();
    released += late.packet.size();
    in_order_.append(std::move(late.packet));
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
  in_order_.hold(payload);
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

void ReceiveBuffer::clear() {
  late_.clear();
  runs_.clear();
  in_order_.clear();
  recent_count_ = 0;
}

void ReceiveBuffer::trim() {
  in_order_.trim();
  late_.release_memory();
  runs_.release_memory();
}

}  // namespace dataplane::tcp
