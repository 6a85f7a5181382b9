#include <algorithm>

#include "dataplane/tcp/connection.hpp"

namespace dataplane::tcp {
namespace {

using wire::TcpFlags;

constexpr std::uint8_t kDupThresh = 3;  ///< RFC 5681 §3.2.

}  // namespace

std::uint32_t Connection::pipe() const {
  const std::uint32_t held = scoreboard_.pipe();
  return held - std::min(held, reno_left_network_);
}

std::uint64_t Connection::congestion_window() const {
  // Without SACK, pipe says too little about what arrives; without a threshold, the controller has
  // rules of its own for recovery.
  const bool proportional =
      recovery_ == Recovery::Fast && sack_ && cc::ssthresh(cc_) != cc::kNoThreshold;
  return proportional ? prr_.window() : cc::window(cc_);
}

std::uint32_t Connection::window_of(const wire::TcpHeader& header) const {
  // A window in a SYN is never scaled (RFC 7323 §2.2).
  const bool syn = has(header.flags, TcpFlags::Syn);
  return std::uint32_t{header.window} << (syn ? 0 : snd_wscale_);
}

bool Connection::apply_ack(Instant now, const wire::TcpSegment& segment, Outcome& out) {
  const SeqNum ack = segment.header.ack;
  if (!has(segment.header.flags, TcpFlags::Ack)) return false;
  if (state_ == State::SynReceived) {
    if (!(snd_una_ < ack && ack <= snd_nxt_)) {
      reset_reply_ = ack;
      ++env_.stats.acks_unacceptable;
      return false;
    }
    snd_una_ = iss_ + 1U;
    snd_wl1_ = segment.header.seq - 1U;
    become_established(now, out);
  }
  // RFC 5961 §5.2.
  if (ack > snd_nxt_ || ack < snd_una_ - max_snd_wnd_) {
    ++env_.stats.acks_unacceptable;
    challenge(now);
    return false;
  }
  if (ack < snd_una_) return true;  // A duplicate of the past; its text may still be new.

  const std::span<const wire::SackBlock> sacks =
      sack_ ? segment.header.options.sacks() : std::span<const wire::SackBlock>{};
  // RFC 5681 §2.
  const bool duplicate = ack == snd_una_ && !scoreboard_.empty() && segment.length() == 0 &&
                         window_of(segment.header) == snd_wnd_ && !segment.is_signal;
  const std::uint64_t in_flight = pipe();
  const Scoreboard::Acked acked =
      scoreboard_.on_ack(snd_una_, ack, sacks, now, rtt_.min_rtt(), rack_);
  if (acked.reordered) rack_.on_reordering();
  if (acked.duplicate_reported) {
    ++env_.stats.dsacks_received;
    rack_.on_duplicate_reported(ack, snd_nxt_);
    undo_if_spurious(sacks.front());
  }
  judge_timeout(segment, acked, duplicate);
  take_rtt_sample(now, segment, acked);
  if (const std::uint32_t size =
          mtu_search_.on_ack(now, acked.longest, acked.cumulative != 0, payload_room())) {
    ++env_.stats.sizes_raised;
    set_payload_room(size);
  }
  if (acked.cumulative != 0) on_new_ack(now, segment, acked, out);
  if (state_ == State::Closed) return false;
  detect_loss(now, acked, duplicate, in_flight);
  if (tail_probe_.on_ack(ack, acked.duplicate_reported, duplicate && acked.sacked == 0)) {
    ++env_.stats.tail_losses;
    cc::on_loss(cc_, now, in_flight);
    ecn_answer_.on_reduced(snd_nxt_, false);
  }
  const bool is_marked = has(segment.header.flags, TcpFlags::Ece) && ecn_answer_.is_enabled() &&
                         !has(segment.header.flags, TcpFlags::Syn);
  const bool is_due = ecn_answer_.on_ack(ack, is_marked) && in_flight != 0;
  if (acked.delivered != 0 || acked.cumulative != 0)
    tell_controller(now, acked, in_flight, is_marked);
  if (is_due) {
    ++env_.stats.ecn_reductions;
    cc::on_ecn(cc_, now, in_flight);
    ecn_answer_.on_reduced(snd_nxt_, true);
  }
  update_send_window(now, segment);
  return true;
}

void Connection::take_rtt_sample(Instant now, const wire::TcpSegment& segment,
                                 const Scoreboard::Acked& acked) {
  if (acked.rtt) {
    rtt_.on_sample(*acked.rtt);
    return;
  }
  // Only what was sent again was acknowledged: the timestamp tells which transmission it was (RFC
  // 7323 §4.1).
  if (acked.cumulative == 0 || !timestamps_ || !segment.header.options.timestamps) return;
  const std::uint32_t echo = segment.header.options.timestamps->echo_reply;
  const std::uint32_t elapsed_ms = timestamp(now) - echo;
  if (echo == 0 || elapsed_ms > static_cast<std::uint32_t>(config_.rto_max / 1ms)) return;
  rtt_.on_sample(std::max<Duration>(elapsed_ms * 1ms, rtt_.min_rtt()));
}

void Connection::on_new_ack(Instant now, const wire::TcpSegment& segment,
                            const Scoreboard::Acked& acked, Outcome& out) {
  const bool fin_acked = fin_sent_ && segment.header.ack == snd_nxt_;
  snd_una_ = segment.header.ack;
  stream_una_ += acked.cumulative - (fin_acked ? 1U : 0U);
  send_.release_below(stream_una_);
  unacked_since_ = now;
  duplicate_acks_ = 0;
  reno_left_network_ -= std::min(reno_left_network_, acked.cumulative);
  probe_in_flight_ = false;
  rtt_.on_progress();

  if (recovery_ != Recovery::None && snd_una_ >= recovery_point_) {
    end_recovery(true);
  } else if (recovery_ == Recovery::Fast && !sack_) {
    scoreboard_.mark_first_lost();  // A partial ACK (RFC 6582 §3.2 step 3).
    force_retransmit_ = true;
  }
  rearm_retransmit(now);
  if (was_full_ && writable() >= std::min<std::size_t>(send_limit() / 4, 256 * 1024)) {
    was_full_ = false;
    out.writable = true;
  }
  if (fin_acked) on_fin_acked(now, out);
}

void Connection::detect_loss(Instant now, const Scoreboard::Acked& acked, bool duplicate,
                             std::uint64_t in_flight) {
  if (sack_) {
    if (acked.sacked == 0 && acked.cumulative == 0) return;
    if (detects_by_time()) {
      detect_by_time(now);
    } else {
      scoreboard_.mark_lost_by_sack(snd_mss_);
    }
    react_to_loss(now, in_flight);
    return;
  }
  if (!duplicate || recovery_ == Recovery::Timeout) return;
  // A duplicate ACK says that a segment has left the network (RFC 5681 §3.2), so that pipe lets
  // another go: limited transmit (RFC 3042) before recovery, window inflation within.
  reno_left_network_ = std::min(reno_left_network_ + snd_mss_, scoreboard_.pipe());
  if (recovery_ != Recovery::None || ++duplicate_acks_ < kDupThresh) return;
  scoreboard_.mark_first_lost();
  enter_recovery(now, in_flight);
}

void Connection::detect_by_time(Instant now) {
  // A queue that overflows loses one in two; waiting for these would only lose more.
  const std::uint32_t missing = scoreboard_.missing();
  if (missing > kDupThresh * snd_mss_ && 4 * missing >= scoreboard_.sacked())
    rack_.on_many_missing();
  const bool certain = recovery_ != Recovery::None || scoreboard_.sacked_segments() >= kDupThresh;
  const Duration window = rack_.reorder_window(rtt_.min_rtt(), rtt_.srtt(), certain);
  arm(Timer::Reorder, scoreboard_.mark_lost_by_time(rack_, window, now));
  if (scoreboard_.sacked() != 0) disarm(Timer::TailProbe);  // What is missing is known.
}

void Connection::end_recovery(bool lost) {
  recovery_ = Recovery::None;
  frto_.stop();
  reno_left_network_ = 0;
  rack_.on_recovery_end(lost);
}

void Connection::undo_if_spurious(const wire::SackBlock& duplicate) {
  if (!undo_.on_duplicate(duplicate.begin, duplicate.end) || scoreboard_.has_lost()) return;
  undo_.close();
  ++env_.stats.recoveries_undone;
  cc::on_undo(cc_);
  if (recovery_ == Recovery::Fast) end_recovery(false);
}

void Connection::judge_timeout(const wire::TcpSegment& segment, const Scoreboard::Acked& acked,
                               bool duplicate) {
  if (!frto_.is_on()) return;
  const wire::TcpOptions& options = segment.header.options;
  const bool is_piece = acked.cumulative != 0 && acked.cumulative <= mtu_search_.piece();
  Frto::Ack seen{.ack = segment.header.ack,
                 .highest = segment.header.ack,
                 .advanced = acked.cumulative != 0,
                 .shows_loss = (duplicate && !sack_) || is_piece || acked.duplicate_reported,
                 .reports_original = acked.original};
  if (sack_)
    for (const wire::SackBlock& block : options.sacks())
      seen.highest = max(seen.highest, block.end);
  if (timestamps_ && options.timestamps && options.timestamps->echo_reply != 0)
    seen.echo = options.timestamps->echo_reply;
  const bool held_back = frto_.holds_back();
  if (frto_.on_ack(seen)) return undo_timeout();
  // The two new segments may fill the window that the timeout has left.
  if (held_back && !frto_.holds_back()) force_retransmit_ = true;
}

/// The response of RFC 4015: the window is as it was, and sending goes on with new data. The next
/// samples take the timer beyond the delay; what the window has room for at once is paced.
void Connection::undo_timeout() {
  ++env_.stats.timeouts_spurious;
  undo_.close();
  cc::on_undo(cc_);
  scoreboard_.forget_losses();
  // It may be the segment that was sent again: all others left before it and are not lost.
  rack_.forget_reference();
  if (recovery_ == Recovery::Timeout) end_recovery(false);
}

void Connection::tell_controller(Instant now, const Scoreboard::Acked& acked,
                                 std::uint64_t in_flight, bool is_marked) {
  const bool slow_start = cc::window(cc_) < cc::ssthresh(cc_);
  const bool limited = cwnd_limited_ || (slow_start && 2 * in_flight >= cc::window(cc_));
  const cc::LossSample loss = scoreboard_.take_newly_lost();
  cc::on_ack(cc_, {.now = now,
                   .acked_bytes = acked.cumulative,
                   .delivered = acked.delivered,
                   .marked = is_marked ? acked.delivered : 0,
                   .in_flight = in_flight,
                   .pipe = pipe(),
                   .rtt = acked.rtt.value_or(Duration::zero()),
                   .srtt = rtt_.srtt(),
                   .cwnd_limited = limited,
                   .window_full = cwnd_limited_,
                   .in_recovery = recovery_ == Recovery::Fast || ecn_answer_.is_holding(),
                   .repairing = recovery_ != Recovery::None,
                   .rate = acked.rate,
                   .loss = loss});
  if (!refilling_) pacer_.set_rate(cc::pacing_rate(cc_));
  if (recovery_ == Recovery::Fast)
    prr_.on_ack(acked.delivered, pipe(), cc::window(cc_), snd_mss_,
                acked.cumulative != 0 && loss.octets == 0);
}

void Connection::react_to_loss(Instant now, std::uint64_t in_flight) {
  if (recovery_ != Recovery::None || !scoreboard_.has_lost()) return;
  const Scoreboard::Sent* lost = scoreboard_.next_lost();
  if (lost == nullptr || !mtu_search_.is_probe(lost->begin, scoreboard_.waiting()))
    return enter_recovery(now, in_flight);
  // RFC 4821 §7.6.2: a probe that is lost alone was too long, and is no sign of congestion.
  mtu_search_.on_probe_lost(now, payload_room());
  static_cast<void>(scoreboard_.take_newly_lost());
  force_retransmit_ = true;
}

void Connection::enter_recovery(Instant now, std::uint64_t in_flight) {
  ++env_.stats.fast_recoveries;
  recovery_ = Recovery::Fast;
  recovery_point_ = snd_nxt_;
  force_retransmit_ = true;
  prr_.start(in_flight);
  undo_.start(snd_una_);
  mtu_search_.forget_probe(now);
  tail_probe_.stop();
  disarm(Timer::TailProbe);
  // One answer to all signals of a window of data (RFC 3168 §6.1.2).
  const Scoreboard::Sent* const lost = scoreboard_.next_lost();
  if (lost != nullptr && ecn_answer_.covers(lost->begin)) return;
  ecn_answer_.on_reduced(snd_nxt_, false);
  // What filled the path is what was in flight when the lost segment left: where the sender had
  // nothing to send since then, what is left in flight says nothing (RFC 9438 §4.6, RFC 7661
  // §4.4.1).
  cc::on_loss(cc_, now, std::max<std::uint64_t>(snd_nxt_ - snd_una_, scoreboard_.flight_of_loss()));
}

void Connection::update_send_window(Instant now, const wire::TcpSegment& segment) {
  const SeqNum seq = segment.header.seq;
  const SeqNum ack = segment.header.ack;
  // RFC 9293 §3.10.7.4: not from an old segment. One that acknowledges more than any before is new,
  // whatever its SEQ: a retransmission may be the first to say that the window has not moved.
  if (!(snd_wl2_ < ack || snd_wl1_ < seq || (snd_wl1_ == seq && snd_wl2_ <= ack))) return;
  const bool was_closed = snd_wnd_ == 0;
  snd_wnd_ = window_of(segment.header);
  max_snd_wnd_ = std::max(max_snd_wnd_, snd_wnd_);
  snd_wl1_ = max(snd_wl1_, seq);
  snd_wl2_ = ack;
  if (snd_wnd_ == 0) unacked_since_ = now;  // The peer lives (RFC 9293 §3.8.6.1).
  if (!was_closed || snd_wnd_ == 0) return;
  disarm(Timer::Persist);
  if (!probe_in_flight_) return;
  // The probe was thrown away for want of room, not lost.
  probe_in_flight_ = false;
  scoreboard_.mark_first_lost();
  force_retransmit_ = true;
  rtt_.on_progress();
  rearm_retransmit(now);
}

void Connection::on_fin_acked(Instant now, Outcome& out) {
  switch (state_) {
    case State::FinWait1:
      state_ = State::FinWait2;
      if (detached_) arm(Timer::State, now + config_.fin_wait_2);
      break;
    case State::Closing:
      enter_time_wait(now);
      out.closed = true;
      break;
    case State::LastAck:
      finish(CloseReason::Finished, out);
      break;
    default:
      break;
  }
}

}  // namespace dataplane::tcp
