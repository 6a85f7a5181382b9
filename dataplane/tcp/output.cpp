#include <algorithm>

#include "dataplane/tcp/connection.hpp"

namespace dataplane::tcp {
namespace {

using wire::TcpFlags;

/// NOP, NOP, kind, length, two times four octets (RFC 7323 appendix A).
constexpr std::uint32_t kTimestampOctets = 12;
/// NOP, NOP, kind, length, and two times four octets for each block (RFC 2018 §3).
constexpr std::size_t kSackOctets = 4;
constexpr std::size_t kSackBlockOctets = 8;
/// Records that the scoreboard keeps at the most, so that tiny segments cannot fill the memory.
/// Enough for 1 GiB in full segments.
constexpr std::size_t kMaxSegmentsInFlight = 1U << 20;
/// Segments that may follow each other without an ACK to clock them or a rate.
constexpr std::uint64_t kLongestBurst = 32;
/// Round trips of which a pacer's visits are a small part: there a quarter of the window is paced,
/// elsewhere, where ACKs that come together may well be so many, half of it.
constexpr Duration kLongPath = 10ms;

}  // namespace

bool Connection::poll_transmit(Instant now, wire::TxSegment& out, std::uint32_t most) {
  if (reset_pending_ || reset_reply_) return emit_reset(out);
  if (state_ == State::Closed) return false;
  if (syn_pending_) return emit_syn(now, out);
  if (!is_synchronized(state_)) return false;
  if (ecn_echo_.has_turns()) return emit_turn(now, out);
  if (bare_ack_wanted_ || (ack_now_ && reserve_with_payload_ != 0 && has_sacks_for_an_ack_only()))
    return emit_ack(now, out);
  if (may_send(state_) && (emit_new_after_timeout(now, out) || emit_retransmission(now, out) ||
                           emit_tail_probe(now, out) || emit_new(now, out, most)))
    return true;
  return emit_ack(now, out);
}

std::uint32_t Connection::timestamp(Instant now) const {
  return static_cast<std::uint32_t>(now.time_since_epoch() / 1ms) + ts_offset_;
}

std::uint64_t Connection::unsent() const {
  return fin_sent_ ? 0 : send_.end() - position_of(snd_nxt_);
}

std::uint32_t Connection::payload_room() const {
  return snd_mss_ - (timestamps_ ? kTimestampOctets : 0) - reserve_with_payload_;
}

void Connection::set_payload_room(std::uint32_t octets) {
  snd_mss_ = static_cast<std::uint16_t>(snd_mss_ - payload_room() + octets);
  cc::set_mss(cc_, payload_room());
}

std::uint32_t Connection::size_probe(Instant now, std::uint32_t room, std::uint64_t queued) const {
  // RFC 4821 §7.4: so much behind it that its loss shows without a timeout, and SACKs to show that
  // nothing else was lost.
  constexpr std::uint32_t kBehind = 8;
  const std::uint32_t usual = payload_room();
  if (!sack_ || recovery_ != Recovery::None || scoreboard_.has_lost()) return 0;
  if (room != usual || probe_pending_) return 0;
  const std::uint32_t most = std::min(peer_mss_, our_mss_) - (snd_mss_ - usual);
  const std::uint32_t size = mtu_search_.probe_size(now, usual, most);
  const std::uint64_t needed = size + kBehind * usual;
  const std::uint64_t window = congestion_window();
  const bool has_room = needed <= queued && pipe() + size <= window && needed <= window;
  return has_room ? size : 0;
}

std::uint32_t Connection::payload_room_beside(const wire::TcpOptions& options) const {
  return static_cast<std::uint32_t>(snd_mss_ - wire::emitted_length(options)) -
         reserve_with_payload_;
}

void Connection::start_segment(Instant now, SeqNum seq, wire::TxSegment& out) const {
  out.header.seq = seq;
  out.header.ack = rcv_nxt_;
  out.header.flags = ecn_echo_.is_on() ? TcpFlags::Ack | TcpFlags::Ece : TcpFlags::Ack;
  out.header.options = {};
  if (timestamps_) out.header.options.timestamps = wire::Timestamps{timestamp(now), ts_recent_};
  out.piece_count = 0;
  out.payload_length = 0;
  out.segment_size = 0;
  out.ecn = wire::Ecn::NotEct;
}

bool Connection::has_sacks_for_an_ack_only() const {
  if (!sack_ || (!dsack_ && !receive_.has_holes())) return false;
  return (timestamps_ ? kTimestampOctets : 0) + reserve_with_payload_ + kSackOctets +
             kSackBlockOctets >
         wire::kMaxTcpOptions;
}

void Connection::add_sack_blocks(wire::TcpOptions& options, std::size_t reserved) const {
  if (!sack_ || (!dsack_ && !receive_.has_holes())) return;
  // RFC 2018 §3: three blocks beside timestamps, four without.
  const std::size_t taken_octets = reserved + (timestamps_ ? kTimestampOctets : 0) + kSackOctets;
  if (taken_octets + kSackBlockOctets > wire::kMaxTcpOptions) return;
  const std::size_t most = (wire::kMaxTcpOptions - taken_octets) / kSackBlockOctets;
  if (dsack_) options.add_sack(*dsack_);
  const std::size_t taken = options.sack_count;
  options.sack_count = static_cast<std::uint8_t>(
      taken + receive_.sack_blocks(std::span(options.sack_blocks).subspan(taken, most - taken)));
}

std::uint16_t Connection::announce_window() {
  if (given_window_) {
    const std::uint32_t window = std::min(*given_window_, 0xffffU << rcv_wscale_) >> rcv_wscale_;
    rcv_adv_ = max(rcv_adv_, rcv_nxt_ + (window << rcv_wscale_));
    return static_cast<std::uint16_t>(window);
  }
  const auto used = static_cast<std::uint32_t>(receive_.readable());
  // What 16 bits cannot say is not announced, and so not accepted either.
  std::uint32_t room =
      std::min(rcv_buffer_ > used ? rcv_buffer_ - used : 0, 0xffffU << rcv_wscale_);
  if (!env_.receive_memory.allows(receive_.held(), room))
    room = static_cast<std::uint32_t>(std::min<std::size_t>(room, env_.receive_memory.room() / 2));
  const SeqNum edge = rcv_nxt_ + room;
  // RFC 9293 §3.8.6.2.2: the edge moves by a whole segment or not at all; and never back.
  if (edge > rcv_adv_ && edge - rcv_adv_ >= std::min(rcv_mss_, rcv_buffer_ / 2)) rcv_adv_ = edge;
  // Rounding down may show an edge a little before one announced earlier (RFC 7323 §2.4); what was
  // announced is still accepted.
  const std::uint32_t window = rcv_adv_ > rcv_nxt_ ? (rcv_adv_ - rcv_nxt_) >> rcv_wscale_ : 0;
  return static_cast<std::uint16_t>(window);
}

void Connection::on_ack_emitted(Instant now, std::uint32_t segments) {
  ack_now_ = false;
  delayed_octets_ = 0;
  if (quick_acks_ != 0) --quick_acks_;
  dsack_.reset();
  last_ack_sent_ = rcv_nxt_;
  last_ack_at_ = now;
  disarm(Timer::DelayedAck);
  segments_sent_ += segments;
  env_.stats.segments_sent += segments;
}

void Connection::on_data_emitted(Instant now, std::uint32_t segments) {
  last_sent_ = now;
  if (!is_armed(Timer::Retransmit)) rearm_retransmit(now);
  on_ack_emitted(now, segments);
}

bool Connection::emit_reset(wire::TxSegment& out) {
  out = {};
  if (reset_reply_) {
    // RFC 9293 §3.10.7.3: <SEQ=SEG.ACK><CTL=RST>.
    out.header.seq = *reset_reply_;
    out.header.flags = TcpFlags::Rst;
    reset_reply_.reset();
  } else {
    out.header.seq = snd_nxt_;
    out.header.ack = rcv_nxt_;
    out.header.flags = TcpFlags::Rst | TcpFlags::Ack;
    reset_pending_ = false;
  }
  ++env_.stats.resets_sent;
  ++env_.stats.segments_sent;
  return true;
}

bool Connection::emit_retransmission(Instant now, wire::TxSegment& out) {
  if (!scoreboard_.has_lost() || (frto_.holds_back() && !force_retransmit_)) return false;
  const Scoreboard::Sent* lost = scoreboard_.next_lost();
  if (lost == nullptr) return false;
  if (!force_retransmit_ && (pipe() + lost->length > congestion_window() || !check_pace(now)))
    return false;
  force_retransmit_ = false;
  resend(now, *lost, out);
  return true;
}

void Connection::resend(Instant now, const Scoreboard::Sent& segment, wire::TxSegment& out) {
  const SeqNum begin = segment.begin;
  start_segment(now, begin, out);
  add_sack_blocks(out.header.options, reserve_with_payload_);
  std::uint32_t room = payload_room_beside(out.header.options);
  if (begin == snd_una_ && mtu_search_.piece() != 0) room = std::min(room, mtu_search_.piece());
  const bool has_fin = fin_sent_ && segment.end() == snd_nxt_;
  const std::uint32_t text = segment.length - (has_fin ? 1U : 0U);
  const std::uint32_t length = send_.peek(position_of(begin), std::min(text, room), out);
  const bool with_fin = has_fin && length == text;
  if (with_fin) out.header.flags |= TcpFlags::Fin;
  if (length != 0 && position_of(begin) + length == send_.end()) out.header.flags |= TcpFlags::Psh;
  out.header.window = announce_window();
  scoreboard_.on_retransmitted(begin, length + (with_fin ? 1U : 0U), now);
  undo_.on_retransmitted(length);
  // Its ACK is a round trip away from now, not from when the one before it came.
  if (begin == snd_una_ && recovery_ == Recovery::Fast) rearm_retransmit(now);
  note_departure(now, length);
  ++segments_retransmitted_;
  ++env_.stats.segments_retransmitted;
  on_data_emitted(now, 1);
}

bool Connection::emit_new_after_timeout(Instant now, wire::TxSegment& out) {
  if (!frto_.wants_new_data()) return false;
  if (!emit_new(now, out, 0)) {
    frto_.stop();  // RFC 5682 §2.1 step 2b: then nothing more can be told.
    return false;
  }
  frto_.on_new_data_sent();
  return true;
}

bool Connection::emit_tail_probe(Instant now, wire::TxSegment& out) {
  if (!tail_probe_pending_) return false;
  tail_probe_pending_ = false;
  if (scoreboard_.empty() || recovery_ != Recovery::None) return false;
  // RFC 8985 §7.3: new data if there is any, else the last segment again.
  const bool is_new = emit_new(now, out, 0);
  if (!is_new) resend(now, scoreboard_.last(), out);
  tail_probe_.start(snd_nxt_, !is_new);
  ++env_.stats.tail_probes;
  rearm_retransmit(now);
  return true;
}

std::uint32_t Connection::new_payload_length(std::uint32_t room) {
  const std::uint64_t queued = unsent();
  const SeqNum right_edge = snd_una_ + snd_wnd_;
  const std::uint32_t usable = right_edge > snd_nxt_ ? right_edge - snd_nxt_ : 0;
  const auto length = static_cast<std::uint32_t>(std::min<std::uint64_t>({queued, usable, room}));
  if (probe_pending_) return std::max<std::uint32_t>(length, 1);
  if (length == 0) return 0;
  // Silly window avoidance (RFC 9293 §3.8.6.2.1): a full segment, the last one, or half of the
  // peer's window.
  if (length < room) {
    const bool last = length == queued;
    const bool idle = scoreboard_.empty();
    const bool may_go = last && (!config_.nagle || idle || fin_queued_);
    if (!may_go && length < max_snd_wnd_ / 2) return 0;
  }
  return length;
}

void Connection::pace_refill(Instant now) {
  if (cc::pacing_rate(cc_) != 0 || !rtt_.has_sample()) return;
  const std::uint64_t window = congestion_window();
  const std::uint64_t held = pipe();
  const std::uint64_t missing = window - std::min(window, held);
  if (refilling_) {
    refilling_ = missing >= payload_room();
  } else {
    // The peer's window, or the application, has let the flight shrink: without ACKs to clock it,
    // the rest of the window would go out at once, into a queue that holds only a part of it.
    const std::uint64_t parts = rtt_.min_rtt() >= kLongPath ? 4 : 2;
    refilling_ = parts * missing > window && missing > kLongestBurst * payload_room();
    if (refilling_) pacer_.restart(now);
  }
  if (!refilling_) {
    pacer_.set_rate(0);
    return;
  }
  const auto per_second = static_cast<std::uint64_t>(1s / std::max<Duration>(rtt_.srtt(), 1us));
  pacer_.set_rate((window + window / 4) * per_second);
}

bool Connection::check_pace(Instant now) {
  if (pacer_.allows(now)) return true;
  arm(Timer::Pace, pacer_.next_visit());
  return false;
}

void Connection::note_departure(Instant now, std::uint32_t length) {
  pacer_.on_sent(now, length);
  prr_.on_sent(length);
}

/// How many segments of `room` octets may go at once, one of which may go anyway.
std::uint32_t Connection::full_segments(Instant now, std::uint32_t room, std::uint32_t most) const {
  const std::uint64_t window = congestion_window();
  const std::uint64_t in_flight = pipe();
  const std::uint64_t usable = snd_una_ + snd_wnd_ - snd_nxt_;
  const std::uint64_t octets = std::min<std::uint64_t>(
      {unsent(), usable, window - std::min(window, in_flight), wire::TxSegment::kMostOctets});
  // The last one may overdraw the pacer, as one alone may.
  const std::uint64_t paced = pacer_.allowance(now) / room + 1;
  return static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(std::min(octets / room, paced), 1, most));
}

/// The next octets, as many as lie in few enough pieces and before an edge, in full segments when
/// there are more than one.
void Connection::gather(std::uint32_t length, std::uint32_t room, wire::TxSegment& out) {
  std::uint32_t got = send_.peek(position_of(snd_nxt_), length, out);
  if (got <= room) return;
  if (got % room != 0) got = send_.peek(position_of(snd_nxt_), got - got % room, out);
  if (got > room) out.segment_size = static_cast<std::uint16_t>(room);
}

void Connection::on_nothing_to_send() {
  cwnd_limited_ = false;
  if (!scoreboard_.has_lost() && pipe() < congestion_window()) scoreboard_.on_app_limited();
  probe_pending_ = false;
}

void Connection::on_window_full(Instant now) {
  // Without anything in flight, nothing but a probe would ever open it.
  cwnd_limited_ = false;
  if (scoreboard_.empty() && !is_armed(Timer::Persist)) arm(Timer::Persist, now + rtt_.rto());
}

bool Connection::emit_new(Instant now, wire::TxSegment& out, std::uint32_t most) {
  const std::uint64_t queued = unsent();
  const bool fin_waits = fin_queued_ && !fin_sent_;
  if (queued == 0 && !fin_waits) {
    on_nothing_to_send();
    return false;
  }
  if (scoreboard_.segments() >= kMaxSegmentsInFlight) return false;
  if (scoreboard_.empty() && last_sent_ != Instant{} && now - last_sent_ > rtt_.rto())
    cc::on_idle(cc_, now, now - last_sent_, rtt_.rto());
  start_segment(now, snd_nxt_, out);
  add_sack_blocks(out.header.options, reserve_with_payload_);
  const std::uint32_t usual = payload_room_beside(out.header.options);
  const std::uint32_t longer = mtu_search_.is_searching() ? size_probe(now, usual, queued) : 0;
  const std::uint32_t room = longer != 0 ? longer : usual;
  std::uint32_t length = queued == 0 ? 0 : new_payload_length(room);
  if (length == 0 && !(fin_waits && queued == 0)) {
    on_window_full(now);
    return false;
  }
  pace_refill(now);
  const std::uint32_t in_flight = pipe();
  cwnd_limited_ = in_flight != 0 && in_flight + length > congestion_window();
  const bool is_probe = probe_pending_ || most == 0;
  if (!is_probe && (cwnd_limited_ || !check_pace(now))) return false;
  if (length == room && longer == 0 && most > 1 && !is_probe && !ecn_answer_.is_cwr_due())
    length = room * full_segments(now, room, most);

  gather(length, room, out);
  if (out.segment_size == 0 && out.payload_length > usual) {
    mtu_search_.on_probe_sent(snd_nxt_, out.payload_length);
    ++env_.stats.size_probes;
  }
  if (out.payload_length == queued)
    out.header.flags |= TcpFlags::Psh | (fin_waits ? TcpFlags::Fin : TcpFlags::None);
  out.header.window = announce_window();
  mark_capable(out);
  on_new_emitted(now, out);
  return true;
}

/// RFC 3168 §6.1: new data, but no probe of a window, may be marked instead of dropped.
void Connection::mark_capable(wire::TxSegment& out) {
  if (!ecn_answer_.is_enabled() || out.payload_length == 0 || probe_pending_) return;
  out.ecn = wire::Ecn::Ect0;
  if (!ecn_answer_.is_cwr_due()) return;
  out.header.flags |= TcpFlags::Cwr;
  ecn_answer_.on_cwr_sent();
}

void Connection::on_new_emitted(Instant now, const wire::TxSegment& out) {
  if (scoreboard_.empty()) unacked_since_ = now;
  if (probe_pending_ && snd_una_ + snd_wnd_ <= snd_nxt_) {
    probe_in_flight_ = true;
    ++env_.stats.zero_window_probes;
  }
  probe_pending_ = false;
  disarm(Timer::Persist);
  const bool with_fin = has(out.header.flags, TcpFlags::Fin);
  const std::uint32_t segments = out.segments();
  const SeqNum end = snd_nxt_ + out.payload_length + (with_fin ? 1U : 0U);
  for (std::uint32_t left = segments; left > 1; --left) {
    scoreboard_.on_sent(snd_nxt_, out.segment_size, now);
    snd_nxt_ += out.segment_size;
  }
  scoreboard_.on_sent(snd_nxt_, end - snd_nxt_, now);
  snd_nxt_ = end;
  note_departure(now, out.payload_length);
  fin_sent_ = fin_sent_ || with_fin;
  bytes_sent_ += out.payload_length;
  on_data_emitted(now, segments);
  arm_tail_probe(now);
}

/// What came before marks began or ended is acknowledged by itself (RFC 8257 §3.2).
bool Connection::emit_turn(Instant now, wire::TxSegment& out) {
  const EcnEcho::Turn turn = ecn_echo_.take_turn();
  start_segment(now, snd_nxt_, out);
  out.header.ack = turn.ack;
  out.header.flags = turn.ece ? TcpFlags::Ack | TcpFlags::Ece : TcpFlags::Ack;
  const std::uint32_t room = rcv_adv_ > turn.ack ? (rcv_adv_ - turn.ack) >> rcv_wscale_ : 0;
  out.header.window = given_window_
                          ? announce_window()
                          : static_cast<std::uint16_t>(std::min<std::uint32_t>(room, 0xffff));
  last_ack_sent_ = turn.ack;
  ++segments_sent_;
  ++env_.stats.segments_sent;
  return true;
}

bool Connection::emit_ack(Instant now, wire::TxSegment& out) {
  if (!ack_now_ && !keepalive_pending_) return false;
  // RFC 9293 §3.8.4: a probe repeats an octet that the peer has, so that it answers.
  start_segment(now, keepalive_pending_ ? snd_nxt_ - 1U : snd_nxt_, out);
  keepalive_pending_ = bare_ack_wanted_ = false;
  add_sack_blocks(out.header.options, reserve_without_);
  out.header.window = announce_window();
  on_ack_emitted(now);
  return true;
}

}  // namespace dataplane::tcp
