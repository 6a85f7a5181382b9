#include "dataplane/tcp/scoreboard.hpp"

#include <algorithm>

#include "dataplane/base/assert.hpp"

namespace dataplane::tcp {
namespace {

constexpr std::uint32_t kDupThresh = 3;  ///< RFC 6675 §2.
/// A peer that SACKs single octets cannot make us keep more records than these two allow.
constexpr std::size_t kSplitAllowance = 64;
constexpr std::uint32_t kSmallestUsualSegment = 256;

}  // namespace

void Scoreboard::on_sent(SeqNum begin, std::uint32_t length, Instant now) {
  DEBUG_ASSERT(sent_.empty() || sent_.back().end() == begin);
  if (sent_.empty()) next_lost_ = lost_below_ = highest_sacked_ = timed_below_ = arrived_ = begin;
  const bool first = pipe() == 0;
  total_ += length;
  sent_.push_back({.begin = begin, .length = length});
  note_transmission(sent_.back(), now, first);
}

void Scoreboard::note_transmission(Sent& segment, Instant now, bool first) {
  segment.sent_at = now;
  segment.path = rate_.on_sent(now, pipe(), first);
  segment.app_limited = rate_.is_app_limited();
}

std::size_t Scoreboard::index_at(SeqNum seq) const {
  return sent_.first_where([seq](const Sent& sent) { return sent.end() > seq; });
}

void Scoreboard::split(std::size_t index, std::uint32_t length) {
  Sent rest = sent_[index];
  rest.begin = rest.begin + length;
  rest.length -= length;
  sent_[index].length = length;
  if (rest.sacked) ++sacked_segments_;
  sent_.insert(index + 1, rest);
}

void Scoreboard::mark_lost(Sent& segment) {
  if (segment.sacked || segment.lost) return;
  segment.lost = true;
  segment.retransmitted = false;
  lost_ += segment.length;
  next_lost_ = min(next_lost_, segment.begin);
  rate_.on_lost(segment.length);
  if (newly_lost_.octets == 0 || segment.begin != newly_lost_end_) ++newly_lost_.ranges;
  newly_lost_end_ = segment.end();
  newly_lost_.octets += segment.length;
  newly_lost_.in_flight = segment.path.in_flight;
  newly_lost_.lost = rate_.lost_since(segment.path);
  newly_lost_.app_limited = segment.app_limited;
}

void Scoreboard::unmark(Sent& segment) {
  if (segment.lost) lost_ -= segment.length;
  if (segment.lost && segment.retransmitted) retransmitted_ -= segment.length;
  segment.lost = segment.retransmitted = false;
}

void Scoreboard::on_delivered(const Sent& segment, Pass& pass) {
  Acked& out = pass.out;
  out.delivered += segment.length;
  out.longest = std::max(out.longest, segment.length);
  rate_.on_delivered(segment.path, segment.sent_at, segment.app_limited, segment.length, pass.now,
                     out.rate);
  const Duration rtt = pass.now - segment.sent_at;
  // RFC 8985 §6.2 step 2: sooner than any round trip, it is the ACK of an earlier transmission.
  if (segment.sent_once || rtt >= pass.min_rtt)
    pass.rack.on_delivered(segment.sent_at, segment.end(), rtt);
  arrived_ = max(arrived_, segment.end());
  if (!segment.sent_once) return;
  out.original = true;
  if (segment.end() < pass.highest) out.reordered = true;
  if (segment.sent_at < pass.latest) return;
  pass.latest = segment.sent_at;
  out.rtt = rtt;
}

void Scoreboard::pop_acked(SeqNum ack, Pass& pass) {
  while (!sent_.empty() && sent_.front().begin < ack) {
    if (sent_.front().end() > ack) split(0, ack - sent_.front().begin);
    Sent segment = sent_.take_front();
    if (segment.sacked) {
      sacked_ -= segment.length;
      --sacked_segments_;
    } else {
      on_delivered(segment, pass);
      unmark(segment);
    }
    total_ -= segment.length;
  }
}

Scoreboard::Acked Scoreboard::on_ack(SeqNum snd_una, SeqNum ack,
                                     std::span<const wire::SackBlock> sacks, Instant now,
                                     Duration min_rtt, Rack& rack) {
  Pass pass{.now = now, .min_rtt = min_rtt, .rack = rack, .highest = arrived_};
  apply(snd_una, ack, sacks, pass);
  Acked& out = pass.out;
  rate_.finish(out.rate, out.rtt ? std::min(min_rtt, *out.rtt) : min_rtt);
  return out;
}

void Scoreboard::apply(SeqNum snd_una, SeqNum ack, std::span<const wire::SackBlock> sacks,
                       Pass& pass) {
  if (ack > snd_una) {
    pass.out.cumulative = ack - snd_una;
    pop_acked(ack, pass);
    while (!resent_.empty() && resent_.front().begin < ack)
      resent_.pop_front();
    timed_below_ = max(timed_below_, ack);
    next_lost_ = max(next_lost_, ack);
    lost_below_ = max(lost_below_, ack);
    highest_sacked_ = max(highest_sacked_, ack);
  }
  if (sacks.empty()) return;
  // RFC 2883 §4: the first block reports a duplicate when it lies below the ACK or inside the
  // second block.
  const wire::SackBlock& first = sacks.front();
  pass.out.duplicate_reported =
      first.end <= ack ||
      (sacks.size() > 1 && first.begin >= sacks[1].begin && first.end <= sacks[1].end);
  for (const wire::SackBlock& block : sacks)
    on_sack(block, pass);
  known_count_ = 0;
  for (const wire::SackBlock& block : sacks)
    if (is_sensible(block)) known_[known_count_++] = block;
}

bool Scoreboard::is_sensible(const wire::SackBlock& block) const {
  return !sent_.empty() && block.begin < block.end && block.begin >= sent_.front().begin &&
         block.end <= sent_.back().end();
}

bool Scoreboard::may_split() const {
  return sent_.size() < kSplitAllowance + total_ / kSmallestUsualSegment;
}

void Scoreboard::on_sack(const wire::SackBlock& block, Pass& pass) {
  if (!is_sensible(block)) return;
  for (std::size_t i = 0; i < known_count_; ++i) {
    const wire::SackBlock& known = known_[i];
    if (known.begin < block.begin || known.end > block.end || known.begin >= known.end) continue;
    sack_range(block.begin, known.begin, pass);
    sack_range(known.end, block.end, pass);
    return;
  }
  sack_range(block.begin, block.end, pass);
}

void Scoreboard::sack_range(SeqNum begin, SeqNum end, Pass& pass) {
  for (std::size_t i = index_at(begin); i < sent_.size() && sent_[i].begin < end; ++i) {
    if (sent_[i].sacked) continue;
    // A block that covers part of a segment covers what the receiver kept of it.
    const bool partial = sent_[i].begin < begin || sent_[i].end() > end;
    if (partial && !may_split()) continue;
    if (sent_[i].begin < begin) {
      split(i, begin - sent_[i].begin);
      continue;
    }
    if (sent_[i].end() > end) split(i, end - sent_[i].begin);
    Sent& segment = sent_[i];
    unmark(segment);
    segment.sacked = true;
    sacked_ += segment.length;
    ++sacked_segments_;
    pass.out.sacked += segment.length;
    on_delivered(segment, pass);
    highest_sacked_ = max(highest_sacked_, segment.end());
  }
}

bool Scoreboard::mark_lost_by_sack(std::uint32_t mss) {
  if (sacked_ == 0) return false;
  // Walk down from the highest SACKed octet until enough lies above (RFC 6675 §4 IsLost).
  std::size_t i = index_at(highest_sacked_ - 1U) + 1;
  std::uint32_t segments = 0;
  std::uint32_t octets = 0;
  while (i > 0 && segments < kDupThresh && octets <= (kDupThresh - 1) * mss &&
         sent_[i - 1].end() > lost_below_) {
    --i;
    if (!sent_[i].sacked) continue;
    ++segments;
    octets += sent_[i].length;
  }
  if (segments < kDupThresh && octets <= (kDupThresh - 1) * mss) return false;
  const std::uint32_t before = lost_;
  const SeqNum edge = sent_[i].begin;
  for (std::size_t k = index_at(lost_below_); k < i; ++k)
    mark_lost(sent_[k]);
  lost_below_ = max(lost_below_, edge);
  return lost_ != before;
}

Instant Scoreboard::mark_lost_by_time(const Rack& rack, Duration window, Instant now) {
  const Duration patience = rack.rtt() + window;
  Instant look_again = kNever;
  // First transmissions have the order of their sequence numbers: the first that may still come
  // stands for all behind it.
  for (std::size_t i = index_at(timed_below_); i < sent_.size(); ++i) {
    Sent& segment = sent_[i];
    if (!segment.sacked && !segment.lost && segment.sent_once) {
      if (!rack.was_sent_before(segment.sent_at, segment.end())) break;
      if (segment.sent_at + patience > now) {
        look_again = segment.sent_at + patience;
        break;
      }
      mark_lost(segment);
    }
    timed_below_ = segment.end();
  }
  for (; !resent_.empty(); resent_.pop_front()) {
    const std::size_t i = index_at(resent_.front().begin);
    if (!is_in_flight(resent_.front(), i)) continue;
    Sent& segment = sent_[i];
    if (!rack.was_sent_before(segment.sent_at, segment.end())) break;
    if (segment.sent_at + patience > now) return std::min(look_again, segment.sent_at + patience);
    unmark(segment);
    mark_lost(segment);
  }
  return look_again;
}

bool Scoreboard::is_in_flight(const Resent& resent, std::size_t index) const {
  if (index >= sent_.size() || sent_[index].begin != resent.begin) return false;
  const Sent& segment = sent_[index];
  return segment.sent_at == resent.sent_at && !segment.sacked &&
         (!segment.lost || segment.retransmitted);
}

void Scoreboard::mark_first_lost() {
  if (!sent_.empty()) mark_lost(sent_.front());
}

void Scoreboard::mark_all_lost() { mark_lost_by_timeout(Rack(), Duration::zero(), kNever); }

void Scoreboard::mark_lost_by_timeout(const Rack& rack, Duration window, Instant now) {
  const Duration patience = rack.rtt() + window;
  for (std::size_t i = 0; i < sent_.size(); ++i) {
    Sent& segment = sent_[i];
    if (segment.sacked || (segment.lost && !segment.retransmitted)) continue;
    if (i != 0 && now - segment.sent_at < patience) continue;
    unmark(segment);
    mark_lost(segment);
  }
  if (!sent_.empty()) next_lost_ = sent_.front().begin;
}

void Scoreboard::mark_longer_lost(std::uint32_t length) {
  for (std::size_t i = 0; i < sent_.size(); ++i) {
    if (sent_[i].length <= length) continue;
    unmark(sent_[i]);
    mark_lost(sent_[i]);
  }
}

void Scoreboard::forget_losses() {
  for (std::size_t i = 0; i < sent_.size(); ++i)
    unmark(sent_[i]);
  newly_lost_ = {};
  if (!sent_.empty()) lost_below_ = timed_below_ = sent_.front().begin;
}

void Scoreboard::forget_sacks() {
  for (std::size_t i = 0; i < sent_.size(); ++i)
    sent_[i].sacked = false;
  sacked_ = sacked_segments_ = 0;
  known_count_ = 0;
  if (!sent_.empty()) lost_below_ = highest_sacked_ = timed_below_ = sent_.front().begin;
}

const Scoreboard::Sent* Scoreboard::next_lost() {
  if (!has_lost()) return nullptr;
  for (std::size_t i = index_at(next_lost_); i < sent_.size(); ++i) {
    const Sent& segment = sent_[i];
    next_lost_ = segment.begin;
    if (segment.lost && !segment.retransmitted) return &segment;
  }
  return nullptr;
}

void Scoreboard::on_retransmitted(SeqNum begin, std::uint32_t length, Instant now) {
  const std::size_t index = index_at(begin);
  ASSERT(index < sent_.size() && sent_[index].begin == begin);
  if (length < sent_[index].length) split(index, length);
  Sent& segment = sent_[index];
  const bool first = pipe() == 0;
  segment.sent_once = false;
  if (segment.lost && !segment.retransmitted) {
    segment.retransmitted = true;
    retransmitted_ += segment.length;
  }
  note_transmission(segment, now, first);
  resent_.push_back({begin, now});
}

void Scoreboard::clear() {
  sent_.clear();
  resent_.clear();
  trim();
  total_ = sacked_ = sacked_segments_ = lost_ = retransmitted_ = 0;
  newly_lost_ = {};
  known_count_ = 0;
}

}  // namespace dataplane::tcp
