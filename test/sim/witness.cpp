#include "test/sim/witness.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace sim {

namespace {

/// Whether serial number a lies before b (RFC 1982).
bool before(std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(a - b) < 0; }

constexpr Duration kLongestDelayedAck = 500ms;

}  // namespace

void Arrived::add(std::uint64_t begin, std::uint64_t end) {
  if (end <= contiguous_) return;
  if (begin <= contiguous_ && (islands_.empty() || islands_.front().first > end)) {
    contiguous_ = end;
    return;
  }
  auto first =
      std::lower_bound(islands_.begin(), islands_.end(), begin,
                       [](const auto& island, std::uint64_t at) { return island.second < at; });
  auto last = first;
  for (; last != islands_.end() && last->first <= end; ++last) {
    begin = std::min(begin, last->first);
    end = std::max(end, last->second);
  }
  if (first == last) {
    islands_.insert(first, {begin, end});
  } else {
    *first = {begin, end};
    islands_.erase(first + 1, last);
  }
  if (islands_.front().first <= contiguous_) {
    contiguous_ = islands_.front().second;
    islands_.erase(islands_.begin());
  }
}

bool Arrived::contains(std::uint64_t begin, std::uint64_t end) const {
  if (end <= contiguous_) return true;
  for (const auto& [from, to] : islands_)
    if (from <= begin && end <= to) return true;
  return false;
}

Witness::Offer Witness::offer_of(const Segment& syn, std::uint16_t default_mss) {
  Offer out;
  out.scale = syn.window_scale;
  if (out.scale && *out.scale > 14) out.scale = 14;  // RFC 7323 §2.3
  out.sack = syn.sack_permitted;
  out.timestamps = syn.timestamps.has_value();
  out.mss = syn.mss.value_or(default_mss);
  out.ecn = syn.has(kEce) && syn.has(kCwr) != syn.has(kAck);
  return out;
}

Witness::Complaint Witness::on_sent(Instant now, const Segment& s) {
  if (Complaint bad = check_ecn(s)) return bad;
  if (s.has(kSyn)) {
    if (Complaint bad = check_syn(s)) return bad;
  } else {
    if (!syn_sent_) return "a segment before any SYN";
    if (!s.has(kAck)) return "no ACK bit on a segment behind the SYN";
    if (Complaint bad = check_sequence(s)) return bad;
    if (Complaint bad = check_text(s)) return bad;
    if (s.has(kFin))
      if (Complaint bad = check_fin(s)) return bad;
  }
  if (s.has(kAck)) {
    if (Complaint bad = check_ack(now, s)) return bad;
    if (Complaint bad = check_window(s)) return bad;
  }
  if (Complaint bad = check_timestamps(s)) return bad;
  return check_sacks(s);
}

Witness::Complaint Witness::check_syn(const Segment& s) {
  if (!s.payload.empty() || s.has(kFin) || s.has(kPsh)) return "a SYN with payload, FIN or PSH";
  if (s.window_scale && *s.window_scale > 14) return "a window scale above 14 (RFC 7323 §2.3)";
  if (!s.mss) return "a SYN without MSS (RFC 9293 §3.7.1)";
  if (syn_sent_ && s.seq != iss_) return "a SYN with another initial sequence number";
  if (s.has(kAck)) {
    if (!syn_arrived_) return "a SYN-ACK although no SYN arrived";
    if (s.window_scale && !theirs_.scale) return "a window scale that was not offered";
    if (s.sack_permitted && !theirs_.sack) return "SACK permitted that was not offered";
    if (s.timestamps && !theirs_.timestamps) return "timestamps that were not offered";
  }
  iss_ = s.seq;
  // A SYN-ACK that answers a simultaneous SYN says what is in force; a repeated SYN says the same
  // again.
  if (!syn_sent_ || s.has(kAck)) mine_ = offer_of(s, 0);
  syn_sent_ = true;
  return {};
}

Witness::Complaint Witness::check_sequence(const Segment& s) {
  const std::int64_t at = sent_position(s.seq);
  const auto end = static_cast<std::int64_t>(sent_end_) + (fin_sent_ ? 1 : 0);
  if (at > end + static_cast<std::int64_t>(skipped_allowed_))
    return fmt::format("the sequence number skips {} octets", at - end);
  if (at < 0 && !(at == -1 && s.payload.size() <= 1))
    return "a sequence number before the first octet";
  return {};
}

Witness::Complaint Witness::check_text(const Segment& s) {
  if (s.payload.empty()) return {};
  const std::int64_t position = sent_position(s.seq);
  if (position < 0) return {};  // A keepalive probe with an octet of garbage (RFC 9293 §3.8.4).
  const auto begin = static_cast<std::uint64_t>(position);
  const std::uint64_t end = begin + s.payload.size();
  if (!syn_arrived_) return "payload before the peer's SYN arrived";
  if (fin_sent_ && end > fin_position_) return "payload behind the FIN";
  if (s.payload.size() + s.options_length > theirs_.mss)
    return fmt::format("{} octets of payload and {} of options exceed the MSS of {} (RFC 6691)",
                       s.payload.size(), s.options_length, theirs_.mss);
  if (!carries_anything_ && !content_->matches(key_, begin, s.payload))
    return fmt::format("payload at stream position {} is not what was written", begin);
  const std::int64_t beyond = static_cast<std::int64_t>(end) - allowed_end_;
  if (beyond > 0 && !(beyond == 1 && s.payload.size() == 1))
    return fmt::format("payload reaches {} octets beyond the peer's window", beyond);
  if (begin < sent_end_) resent_octets_ += std::min(end, sent_end_) - begin;
  sent_end_ = std::max(sent_end_, end);
  return {};
}

Witness::Complaint Witness::check_ecn(const Segment& s) {
  if (s.has(kSyn)) {
    const bool offers = offer_of(s, 0).ecn;
    if (s.ecn != kNotEct) return "an ECN-capable SYN (RFC 3168 §6.1.1)";
    if (s.has(kAck) && s.has(kEce) && !ecn_arrived_) return "ECN that was not offered";
    ecn_offered_ = ecn_offered_ || offers;
    return {};
  }
  if (s.has(kEce) && !mark_arrived_) return "ECE although no mark arrived";
  if (s.ecn == kNotEct && !s.has(kCwr)) return {};
  if (!ecn_offered_ || !ecn_arrived_) return "an ECN-capable segment without an agreement";
  if (s.ecn != kEct0) return "CWR without ECT(0), or another mark than that";
  if (s.payload.empty()) return "an ECN-capable segment without octets (RFC 3168 §6.1.4)";
  const std::int64_t position = sent_position(s.seq);
  if (position < static_cast<std::int64_t>(sent_end_))
    return "an ECN-capable retransmission (RFC 3168 §6.1.5)";
  if (position >= allowed_end_) return "an ECN-capable probe of a window (RFC 3168 §6.1.6)";
  return {};
}

Witness::Complaint Witness::check_fin(const Segment& s) {
  const std::int64_t at = sent_position(s.seq) + static_cast<std::int64_t>(s.payload.size());
  if (at < 0) return "a FIN before the first octet";
  const auto position = static_cast<std::uint64_t>(at);
  if (fin_sent_ && position != fin_position_) return "a second FIN in another place";
  if (position < sent_end_) return "a FIN before octets that were sent";
  if (at > allowed_end_ + 1) return "a FIN beyond the peer's window";
  fin_sent_ = true;
  fin_position_ = position;
  return {};
}

Witness::Complaint Witness::check_ack(Instant now, const Segment& s) {
  if (!syn_arrived_) return "an ACK although no SYN arrived";
  const auto position = arrived_position(s.ack);
  const auto limit = static_cast<std::int64_t>(arrived_.contiguous()) + (fin_reached() ? 1 : 0);
  if (position > limit)
    return fmt::format("acknowledges {} octets that never arrived", position - limit);
  if (ack_sent_ && before(s.ack, last_ack_))
    return fmt::format("the acknowledgment number goes back by {}", last_ack_ - s.ack);
  ack_sent_ = true;
  last_ack_ = s.ack;
  // What it acknowledges it has accepted.
  if (position > 0)
    certain_.add(0, std::min(static_cast<std::uint64_t>(position), arrived_.contiguous()));
  if (ack_owed_since_) {
    if (position >= static_cast<std::int64_t>(certain_.contiguous())) {
      ack_owed_since_.reset();
    } else {
      ack_owed_since_ = now;
    }
  }
  return {};
}

Witness::Complaint Witness::check_window(const Segment& s) {
  const unsigned shift = !s.has(kSyn) && both_scale() ? *mine_.scale : 0;
  const std::uint32_t edge = s.ack + (std::uint32_t{s.window} << shift);
  // Behind the peer's FIN the window means nothing any more.
  if (fin_reached() && arrived_position(s.ack) > static_cast<std::int64_t>(*fin_at_)) return {};
  // What the scale cannot express may seem to be taken back (RFC 7323 §2.4), but never more.
  if (!carries_anything_ && edge_announced_ && before(edge + (1U << shift) - 1, announced_edge_)) {
    return fmt::format("the right edge of the window retreats by {} octets at a scale of {}",
                       announced_edge_ - edge, shift);
  }
  if (!edge_announced_ || before(announced_edge_, edge)) announced_edge_ = edge;
  edge_announced_ = true;
  return {};
}

Witness::Complaint Witness::check_timestamps(const Segment& s) {
  const bool in_force = mine_.timestamps && theirs_.timestamps && syn_arrived_;
  if (!s.has(kSyn) && in_force && !s.timestamps)
    return "no timestamps although they were agreed (RFC 7323 §3.2)";
  if (!s.timestamps) return {};
  if (!s.has(kSyn) && !in_force) return "timestamps that were not agreed";
  if (last_ts_value_ && before(s.timestamps->value, *last_ts_value_))
    return fmt::format("TSval goes back from {} to {}", *last_ts_value_, s.timestamps->value);
  last_ts_value_ = s.timestamps->value;
  if (!s.has(kAck)) return {};
  if (!last_timestamps_) return "TSecr although no TSval arrived";
  if (before(last_timestamps_->value, s.timestamps->echo))
    return fmt::format("TSecr {} was never seen; the largest is {}", s.timestamps->echo,
                       last_timestamps_->value);
  return {};
}

Witness::Complaint Witness::check_sacks(const Segment& s) {
  if (s.sack_count == 0) return {};
  if (!mine_.sack || !theirs_.sack) return "SACK blocks that were not agreed";
  for (std::size_t i = 0; i < s.sack_count; ++i) {
    const auto [begin, end] = s.sacks[i];
    if (!before(begin, end)) return "an empty SACK block";
    const std::int64_t from = arrived_position(begin), to = arrived_position(end);
    // A block of duplicate octets comes first (RFC 2883 §4), and may lie below the acknowledgment
    // number.
    if (i > 0 && before(end, s.ack)) return "a SACK block below the acknowledgment number";
    const std::int64_t fin = fin_at_ && static_cast<std::int64_t>(*fin_at_) + 1 == to ? 1 : 0;
    if (from < (i == 0 ? -1 : 0) || to < from) return "a SACK block before the first octet";
    if (!arrived_.contains(static_cast<std::uint64_t>(std::max<std::int64_t>(from, 0)),
                           static_cast<std::uint64_t>(to - fin)))
      return fmt::format("SACK block {}..{} holds octets that never arrived", from, to);
  }
  return {};
}

void Witness::on_delivered(Instant now, const Segment& s) {
  if (s.has(kRst)) {
    reset_arrived_ = true;
    return;
  }
  if (s.has(kSyn)) {
    if (!syn_arrived_) {
      syn_arrived_ = true;
      irs_ = s.seq;
      theirs_ = offer_of(s, s.source.is_v6() ? 1220 : 536);  // RFC 9293 §3.7.1
      if (!s.has(kAck)) allowed_end_ = s.window;
    } else if (s.seq != irs_) {
      return;
    }
  }
  if (!syn_arrived_) return;
  if (s.has(kSyn)) ecn_arrived_ = ecn_arrived_ || offer_of(s, 0).ecn;
  if (s.ecn == kCe) mark_arrived_ = true;
  if (s.timestamps && (!last_timestamps_ || !before(s.timestamps->value, last_timestamps_->value)))
    last_timestamps_ = s.timestamps;
  if (s.has(kAck)) on_ack_arrived(s);
  if (!s.has(kSyn)) on_text_arrived(now, s);
}

void Witness::on_ack_arrived(const Segment& s) {
  if (!syn_sent_) return;
  const std::int64_t at = sent_position(s.ack);
  if (at < 0 || at > static_cast<std::int64_t>(sent_end_) + (fin_sent_ ? 1 : 0)) return;
  syn_acked_ = true;
  if (fin_sent_ && at > static_cast<std::int64_t>(fin_position_)) fin_acked_ = true;
  acked_ = std::max(acked_, std::min(static_cast<std::uint64_t>(at), sent_end_));
  const unsigned shift = !s.has(kSyn) && both_scale() ? *theirs_.scale : 0;
  const std::int64_t edge = at + (std::int64_t{s.window} << shift);
  allowed_end_ = edge_arrived_ ? std::max(allowed_end_, edge) : edge;
  edge_arrived_ = true;
}

void Witness::on_text_arrived(Instant now, const Segment& s) {
  const std::int64_t from = std::max<std::int64_t>(arrived_position(s.seq), 0);
  const std::int64_t to = arrived_position(s.seq) + static_cast<std::int64_t>(s.payload.size());
  if (to < 0) return;
  if (s.has(kFin)) fin_at_ = static_cast<std::uint64_t>(to);
  if (to <= from) return;
  // What PAWS refuses (RFC 7323 §5.2) and what lies beyond the window need not be accepted.
  const bool old =
      s.timestamps && last_timestamps_ && before(s.timestamps->value, last_timestamps_->value);
  const bool inside = to <= arrived_position(announced_edge_);
  arrived_.add(static_cast<std::uint64_t>(from), static_cast<std::uint64_t>(to));
  if (old || !inside || s.payload.size() < solid_) return;
  const std::uint64_t known = certain_.contiguous();
  certain_.add(static_cast<std::uint64_t>(from), static_cast<std::uint64_t>(to));
  if (certain_.contiguous() > known && !ack_owed_since_) ack_owed_since_ = now;
}

Witness::Complaint Witness::check_delayed_ack(Instant now) const {
  if (!ack_owed_since_ || now <= *ack_owed_since_ + kLongestDelayedAck) return {};
  return "octets that arrived in order were not acknowledged within 500 ms";
}

}  // namespace sim
