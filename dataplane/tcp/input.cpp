#include <algorithm>

#include "dataplane/tcp/connection.hpp"

namespace dataplane::tcp {
namespace {

using wire::TcpFlags;

/// RFC 5961 §7: what an attacker can make us say, per connection.
constexpr Duration kChallengeInterval = 500ms;
/// RFC 7323 §5.5: a TS.Recent older than this proves nothing.
constexpr Duration kTimestampValidity = std::chrono::hours(24 * 24);
/// ACKs without delay after a disturbance, while the peer's window is likely to be small.
constexpr std::uint8_t kQuickAcks = 8;
/// ACKs of a bulk transfer are so far apart, or a part of the round trip, unless so many segments
/// wait for one. A receiver that polls faster than frames come would acknowledge nearly each alone,
/// and each costs the sender as much as a segment.
constexpr Duration kAckSpacing = 50us;
constexpr int kAckSpacingsOfRound = 4;
constexpr std::uint32_t kMostUnackedSegments = 16;
/// Stands for the round-trip time in buffer autotuning while there is no sample.
constexpr Duration kUnknownRound = 50ms;

/// The octets before it are not kept, so it is not there yet either.
void drop_fin(wire::TcpSegment& segment) {
  const auto flags = static_cast<std::uint8_t>(segment.header.flags);
  segment.header.flags = static_cast<TcpFlags>(flags & ~static_cast<std::uint8_t>(TcpFlags::Fin));
}

}  // namespace

Outcome Connection::on_segment(Instant now, wire::TcpSegment segment) {
  ++segments_received_;
  if (state_ == State::Closed) return {};
  if (state_ == State::SynSent) return on_syn_sent(now, segment);
  // RFC 9293 §3.10.7.4, in its order. Each step says whether to go on.
  Outcome out;
  if (!check_sequence(now, segment)) return out;    // first
  if (!check_reset(now, segment, out)) return out;  // second (RFC 5961 §3.2)
  if (!check_syn(now, segment)) return out;       // fourth (RFC 5961 §4.2); there is no third here
  if (!apply_ack(now, segment, out)) return out;  // fifth
  out.accepted = true;
  accept_text(now, segment, out);  // seventh; the sixth, URG, is ignored
  accept_fin(now, segment, out);   // eighth
  return out;
}

/// Whether all that on_segment() would look at in a segment at `seq` is known from the one before
/// it: it is in order, and nothing is missing before it.
bool Connection::continues_run(SeqNum seq) const {
  return seq == rcv_nxt_ && may_receive(state_) && !detached_ && !receive_.has_holes();
}

Outcome Connection::on_run(Instant now, wire::TcpSegment segment, std::span<Packet>& more) {
  SeqNum next = segment.header.seq + segment.payload_length();
  Outcome out = on_segment(now, std::move(segment));
  while (!more.empty() && out.accepted && continues_run(next) &&
         more.front().size() <= max(rcv_adv_, rcv_nxt_) - next) {
    const std::uint32_t length = more.front().size();
    ++segments_received_;
    static_cast<void>(keep_text(now, next, std::move(more.front()), out));  // Or it counted why.
    next += length;
    more = more.subspan(1);
  }
  return out;
}

std::size_t Connection::pass_run(Instant now, SeqNum seq, std::span<const Packet> run) {
  if (!continues_run(seq) || receive_.readable() != 0) return 0;
  const std::uint32_t room = max(rcv_adv_, rcv_nxt_) - rcv_nxt_;
  std::uint32_t octets = 0;
  std::size_t count = 0;
  while (count < run.size() && run[count].size() <= room - octets)
    octets += run[count++].size();
  if (count == 0) return 0;
  segments_received_ += count;
  bytes_received_ += octets;
  rcv_nxt_ += octets;
  schedule_ack(now, octets, false);
  return count;
}

bool Connection::check_sequence(Instant now, const wire::TcpSegment& segment) {
  if (!check_paws(now, segment)) return false;
  // From the last ACK we sent on, not from RCV.NXT: an ACK that was overtaken by data is still
  // good. What lies before RCV.NXT or beyond the window is trimmed later.
  const SeqNum seq = segment.header.seq;
  const bool acceptable =
      seq + segment.length() >= last_ack_sent_ && seq <= max(rcv_adv_, rcv_nxt_);
  if (!acceptable) {
    ++env_.stats.segments_out_of_window;
    if (!has(segment.header.flags, TcpFlags::Rst)) reject_as_duplicate(now, segment);
    return false;
  }
  last_arrival_ = now;
  keepalive_sent_ = 0;
  note_timestamp(now, segment.header);
  return true;
}

void Connection::note_timestamp(Instant now, const wire::TcpHeader& header) {
  // RFC 7323 §4.3
  if (!timestamps_ || !header.options.timestamps || header.seq > last_ack_sent_) return;
  const std::uint32_t value = header.options.timestamps->value;
  if (is_overtaken(value)) return;
  ts_recent_ = value;
  ts_recent_at_ = now;
}

void Connection::reject_as_duplicate(Instant now, const wire::TcpSegment& segment) {
  // Old data means that our ACK was lost: say it again at once. Anything else may be an attack.
  if (segment.payload_length() == 0 && !has(segment.header.flags, TcpFlags::Fin)) {
    challenge(now);
    return;
  }
  ++env_.stats.segments_duplicate;
  const SeqNum seq = segment.header.seq;
  // RFC 2883 §4; what lies before the stream, or too far back to be a late copy, is no duplicate.
  const std::uint64_t credible = std::min<std::uint64_t>(bytes_received_, rcv_buffer_);
  if (sack_ && segment.payload_length() != 0 && seq < rcv_nxt_ && rcv_nxt_ - seq <= credible)
    dsack_ = {seq, min(rcv_nxt_, seq + segment.payload_length())};
  ack_now_ = true;
}

bool Connection::check_paws(Instant now, const wire::TcpSegment& segment) {
  // A segment without the option is let in: middleboxes strip it, and the window still protects us.
  if (!timestamps_ || !segment.header.options.timestamps) return true;
  if (has(segment.header.flags, TcpFlags::Rst)) return true;
  const std::uint32_t value = segment.header.options.timestamps->value;
  if (static_cast<std::int32_t>(value - ts_recent_) >= 0) return true;
  if (now - ts_recent_at_ > kTimestampValidity) return true;
  // The CPUs of one host overtake each other. Nothing old can come back by a bare ACK in its place,
  // and what its options say is said once.
  const bool in_place = last_ack_sent_ <= segment.header.seq && segment.header.seq <= rcv_nxt_;
  if (segment.length() == 0 && in_place && is_overtaken(value)) {
    ++env_.stats.acks_overtaken;
    return true;
  }
  ++env_.stats.paws_rejected;
  reject_as_duplicate(now, segment);
  return false;
}

/// Whether a timestamp is older than the latest one, but by no more than what is late and not lost:
/// a tick is a millisecond or more (RFC 7323 §5.4).
bool Connection::is_overtaken(std::uint32_t value) const {
  const std::uint32_t age = ts_recent_ - value;
  return age != 0 && age <= rto() / std::chrono::milliseconds(1);
}

void Connection::challenge(Instant now) {
  if (now < challenge_allowed_) {
    ++env_.stats.challenge_acks_limited;
    return;
  }
  challenge_allowed_ = now + kChallengeInterval;
  ++env_.stats.challenge_acks;
  ack_now_ = true;
}

bool Connection::check_reset(Instant now, const wire::TcpSegment& segment, Outcome& out) {
  if (!has(segment.header.flags, TcpFlags::Rst)) return true;
  // A reset must not end TIME-WAIT early (RFC 1337 §3).
  if (state_ == State::TimeWait) return false;
  if (segment.header.seq != rcv_nxt_) {
    if (segment.header.seq.in(rcv_nxt_, max(rcv_adv_, rcv_nxt_))) {
      challenge(now);
    } else {
      ++env_.stats.segments_out_of_window;
    }
    return false;
  }
  const bool answered = state_ == State::SynReceived;
  ++(answered ? env_.stats.attempts_failed : env_.stats.established_resets);
  // All was said both ways, and only the ACK of our FIN is missing.
  const bool both_closed = state_ == State::Closing || state_ == State::LastAck;
  const bool finished = both_closed && fin_sent_ && stream_una_ == send_.end();
  finish(finished ? CloseReason::Finished : CloseReason::Reset, out);
  return false;
}

bool Connection::check_syn(Instant now, const wire::TcpSegment& segment) {
  if (!has(segment.header.flags, TcpFlags::Syn)) return true;
  if (state_ == State::SynReceived && segment.header.seq == irs_) {
    // The peer's SYN again, or in a simultaneous open its SYN-ACK.
    if (has(segment.header.flags, TcpFlags::Ack)) return true;
    syn_pending_ = true;
    return false;
  }
  challenge(now);
  return false;
}

bool Connection::trim_to_window(wire::TcpSegment& segment) {
  SeqNum seq = segment.header.seq + (has(segment.header.flags, TcpFlags::Syn) ? 1U : 0U);
  const SeqNum edge = max(rcv_adv_, rcv_nxt_);
  if (seq < rcv_nxt_) {
    const std::uint32_t known = std::min(rcv_nxt_ - seq, segment.payload_length());
    if (sack_ && known != 0) dsack_ = {seq, seq + known};
    if (known != 0) ++env_.stats.segments_duplicate;
    segment.payload.trim_front(known);
    seq += known;
    if (segment.payload_length() == 0 && known != 0) ack_now_ = true;
  }
  if (seq + segment.payload_length() > edge) {
    // Beyond the window: a zero-window probe, or a peer that does not keep to it.
    const std::uint32_t beyond =
        std::min((seq + segment.payload_length()) - edge, segment.payload_length());
    segment.payload.trim_back(beyond);
    ack_now_ = true;
    ++env_.stats.segments_out_of_window;
    segment.header.seq = seq;
    return true;
  }
  segment.header.seq = seq;
  return false;
}

void Connection::accept_text(Instant now, wire::TcpSegment& segment, Outcome& out) {
  const std::uint32_t offered = segment.payload_length();
  if (offered == 0) return;
  if (!may_receive(state_)) return;  // The peer's FIN was there: nothing new can follow it.
  const bool cut = trim_to_window(segment);
  if (cut) drop_fin(segment);
  const std::uint32_t length = segment.payload_length();
  if (length == 0) return;
  if (detached_) {
    ++env_.stats.segments_after_close;
    reset_pending_ = true;
    finish(CloseReason::Aborted, out);
    return;
  }
  rcv_mss_ = std::max(rcv_mss_, std::min<std::uint32_t>(offered, our_mss_));
  note_marks(segment);
  if (!keep_text(now, segment.header.seq, std::move(segment.payload), out)) {
    drop_fin(segment);
    return;
  }
  segment.header.seq = segment.header.seq + length;
}

/// Segments that continue this one have its mark, or none: they came with the same IP header.
void Connection::note_marks(const wire::TcpSegment& segment) {
  const bool marked = segment.ecn == wire::Ecn::Ce;
  if (marked) ++env_.stats.marks_received;
  if (ecn_echo_.on_text(marked, has(segment.header.flags, TcpFlags::Cwr), rcv_nxt_, last_ack_sent_))
    ack_now_ = true;
}

bool Connection::keep_text(Instant now, SeqNum seq, Packet text, Outcome& out) {
  const std::uint32_t length = text.size();
  // Packets hold more memory than payload; four times as much says that the peer sends crumbs.
  ReceiveBuffer::Inserted inserted = receive_.insert(
      rcv_nxt_, seq, std::move(text), std::size_t{rcv_buffer_} * 4 + MemoryBudget::kGuaranteed);
  if (inserted.no_memory) {
    ++env_.stats.no_memory;
    ack_now_ = true;
    return false;
  }
  rcv_nxt_ += inserted.in_order;
  bytes_received_ += inserted.in_order;
  out.readable = out.readable || inserted.in_order != 0;
  if (sack_ && inserted.duplicate) dsack_ = inserted.duplicate;
  if (inserted.out_of_order) ++env_.stats.segments_out_of_order;
  // RFC 5681 §4.2: out of order, or a hole filled: at once.
  const bool disturbed = inserted.out_of_order || inserted.filled_hole;
  if (disturbed) quick_acks_ = kQuickAcks;
  schedule_ack(now, length, disturbed);
  return true;
}

void Connection::schedule_ack(Instant now, std::uint32_t octets, bool at_once) {
  delayed_octets_ += octets;
  // RFC 9293 §3.8.6.3: at least every second full-sized segment, but not too often.
  const bool is_second = delayed_octets_ >= 2 * rcv_mss_;
  const Instant earliest = last_ack_at_ + ack_spacing();
  if (at_once || quick_acks_ != 0 || delayed_octets_ >= kMostUnackedSegments * rcv_mss_ ||
      (is_second && now >= earliest)) {
    ack_now_ = true;
  } else if (is_second) {
    arm(Timer::DelayedAck, earliest);
  } else if (!is_armed(Timer::DelayedAck)) {
    arm(Timer::DelayedAck, now + config_.delayed_ack);
  }
}

Duration Connection::ack_spacing() const {
  return rtt_.has_sample() ? std::min<Duration>(kAckSpacing, rtt_.srtt() / kAckSpacingsOfRound)
                           : Duration::zero();
}

void Connection::accept_fin(Instant now, const wire::TcpSegment& segment, Outcome& out) {
  if (!has(segment.header.flags, TcpFlags::Fin) || state_ == State::Closed) return;
  ack_now_ = true;
  if (fin_received_) {
    // Our ACK of it was lost (RFC 9293 §3.10.7.4: restart the 2 MSL timer).
    if (state_ == State::TimeWait) arm(Timer::State, now + config_.time_wait);
    return;
  }
  // By now SEG.SEQ lies behind the payload. With a hole before it, the FIN will come again.
  const SeqNum fin = segment.header.seq + segment.payload_length();
  if (fin != rcv_nxt_) return;
  rcv_nxt_ += 1U;
  fin_received_ = true;
  out.end_of_stream = true;
  switch (state_) {
    case State::SynReceived:
    case State::Established:
      state_ = State::CloseWait;
      break;
    case State::FinWait1:
      state_ = State::Closing;
      break;  // Our FIN is not acknowledged yet.
    case State::FinWait2:
      enter_time_wait(now);
      out.closed = true;
      break;
    default:
      break;
  }
}

void Connection::measure_receive_rate(Instant now, std::size_t read) {
  if (given_window_) return;
  rate_read_ += static_cast<std::uint32_t>(read);
  const Duration round = rtt_.has_sample() ? std::max<Duration>(rtt_.srtt(), 100us) : kUnknownRound;
  if (now - rate_epoch_ >= round) {
    if (rate_read_ > rate_best_) {
      // A sender in slow start sends twice as much in the next round trip, and some of it waits
      // here.
      rate_best_ = rate_read_;
      const std::uint64_t wanted = 3 * std::uint64_t{rate_best_} + std::uint64_t{16} * rcv_mss_;
      rcv_buffer_ = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(
          wanted, rcv_buffer_, std::max(rcv_buffer_, config_.receive_buffer_max)));
    }
    rate_read_ = 0;
    rate_epoch_ = now;
  }
  if (!may_receive(state_)) return;
  // Tell the peer about the room when it has less than half of it left and it is worth a segment
  // (RFC 9293 §3.8.6.2.2).
  const std::uint32_t used = static_cast<std::uint32_t>(receive_.readable());
  const std::uint32_t room = rcv_buffer_ > used ? rcv_buffer_ - used : 0;
  const std::uint32_t announced = rcv_adv_ > rcv_nxt_ ? rcv_adv_ - rcv_nxt_ : 0;
  if (room >= 2 * announced && room - announced >= std::min(2 * rcv_mss_, rcv_buffer_ / 2))
    ack_now_ = true;
}

}  // namespace dataplane::tcp
