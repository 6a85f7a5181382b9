#include <algorithm>

#include "dataplane/tcp/connection.hpp"

namespace dataplane::tcp {
namespace {

/// How long nothing must have happened before memory that is held for speed is given back.
constexpr Duration kTrimAfter = 1s;

}  // namespace

Instant Connection::next_deadline() const {
  return *std::min_element(deadlines_.begin(), deadlines_.end());
}

bool Connection::take_expired(Timer timer, Instant now) {
  if (deadlines_[static_cast<std::size_t>(timer)] > now) return false;
  disarm(timer);
  return true;
}

Outcome Connection::on_deadline(Instant now) {
  Outcome out;
  if (take_expired(Timer::DelayedAck, now)) ack_now_ = true;
  if (take_expired(Timer::Persist, now)) probe_pending_ = true;
  if (take_expired(Timer::Reorder, now)) on_reorder_timeout(now);
  if (take_expired(Timer::TailProbe, now)) tail_probe_pending_ = !scoreboard_.empty();
  if (take_expired(Timer::Retransmit, now)) on_retransmit_timeout(now, out);
  if (take_expired(Timer::Keepalive, now)) on_keepalive(now, out);
  if (take_expired(Timer::State, now)) finish(CloseReason::Finished, out);
  if (take_expired(Timer::Trim, now)) maybe_trim();
  static_cast<void>(take_expired(Timer::Pace, now));  // The next poll_transmit() finds it allowed.
  return out;
}

void Connection::rearm_retransmit(Instant now) {
  if (scoreboard_.empty()) {
    disarm(Timer::Retransmit);
    disarm(Timer::TailProbe);
    disarm(Timer::Reorder);
    arm(Timer::Trim, now + kTrimAfter);
    return;
  }
  Instant at = now + (snd_wnd_ == 0 ? rtt_.persist_interval() : rtt_.rto());
  if (config_.user_timeout > 0s)
    at = std::min(at, std::max(unacked_since_ + config_.user_timeout, now + 1ms));
  arm(Timer::Retransmit, at);
  arm_tail_probe(now);
}

void Connection::arm_tail_probe(Instant now) {
  // RFC 8985 §7.2: not where something else asks already.
  const bool wanted = detects_by_time() && rtt_.has_sample() && recovery_ == Recovery::None &&
                      !tail_probe_.is_out() && scoreboard_.sacked() == 0 && snd_wnd_ != 0 &&
                      !probe_in_flight_;
  if (!wanted) return disarm(Timer::TailProbe);
  const Instant at = now + TailProbe::timeout(rtt_.srtt(), scoreboard_.segments() == 1);
  arm(Timer::TailProbe, at < deadlines_[static_cast<std::size_t>(Timer::Retransmit)] ? at : kNever);
}

void Connection::on_reorder_timeout(Instant now) {
  const std::uint64_t in_flight = pipe();
  detect_by_time(now);
  react_to_loss(now, in_flight);
}

bool Connection::gives_up(Instant now) const {
  return config_.user_timeout > 0s && now - unacked_since_ >= config_.user_timeout;
}

void Connection::on_retransmit_timeout(Instant now, Outcome& out) {
  if (!is_synchronized(state_)) {
    if (syn_retries_ >= config_.syn_retries) {
      ++env_.stats.attempts_failed;
      finish(CloseReason::TimedOut, out);
      return;
    }
    ++syn_retries_;
    rtt_.on_timeout();
    syn_pending_ = true;
    return;
  }
  if (scoreboard_.empty()) return;
  if (gives_up(now)) {
    reset_pending_ = true;
    finish(CloseReason::TimedOut, out);
    return;
  }
  if (scoreboard_.first_is_sacked()) {
    ++env_.stats.sacks_reneged;
    scoreboard_.forget_sacks();
  }
  if (detects_by_time()) {
    const Duration window = rack_.reorder_window(rtt_.min_rtt(), rtt_.srtt(), true);
    scoreboard_.mark_lost_by_timeout(rack_, window, now);
  } else {
    scoreboard_.mark_all_lost();
  }
  tail_probe_.stop();
  tail_probe_pending_ = false;
  force_retransmit_ = true;
  reno_left_network_ = 0;
  duplicate_acks_ = 0;
  if (snd_wnd_ == 0) {
    // A zero-window probe: the peer's application is slow, the network is not (RFC 9293 §3.8.6.1).
    ++env_.stats.zero_window_probes;
    probe_in_flight_ = true;
    undo_.close();
  } else {
    enter_timeout_recovery(now);
  }
  rtt_.on_timeout();
  rearm_retransmit(now);
}

void Connection::enter_timeout_recovery(Instant now) {
  ++env_.stats.timeouts;
  if (is_in_black_hole(now)) {
    frto_.stop();
    undo_.close();
  } else {
    // RFC 5681 §3.1: a segment that times out again does not lower ssthresh again.
    if (rtt_.backoff() == 0) {
      cc::on_timeout(cc_, now, snd_nxt_ - snd_una_);
      undo_.start(snd_una_);
    }
    if (recovery_ == Recovery::None) {
      frto_.start(snd_nxt_, timestamp(now));
    } else {
      frto_.on_timeout_again();
    }
  }
  ecn_answer_.on_reduced(snd_nxt_, false);
  recovery_ = Recovery::Timeout;
  recovery_point_ = snd_nxt_;
}

/// Whether whole segments vanish where short ones pass. Then they are short from now on.
bool Connection::is_in_black_hole(Instant now) {
  const std::uint32_t length = std::min(scoreboard_.first().length, payload_room());
  if (!config_.mtu_probing || !mtu_search_.on_timeout(length, rtt_.backoff() != 0)) return false;
  ++env_.stats.black_holes;
  set_payload_room(mtu_search_.passed());
  mtu_search_.on_lowered(now, length);
  // What was dropped for its size is no sign of congestion: the path is as unknown as at the start.
  scoreboard_.mark_longer_lost(payload_room());
  cc_ = cc::make_controller(config_.congestion_control,
                            {payload_room(), config_.initial_window_segments, now});
  return true;
}

void Connection::on_keepalive(Instant now, Outcome& out) {
  const Instant due = last_arrival_ + config_.keepalive_idle;
  if (keepalive_sent_ == 0 && due > now) {
    arm(Timer::Keepalive, due);
    return;
  }
  if (keepalive_sent_ >= config_.keepalive_probes) {
    reset_pending_ = true;
    finish(CloseReason::TimedOut, out);
    return;
  }
  // With data in flight the retransmission timer watches over the peer.
  if (scoreboard_.empty()) {
    ++keepalive_sent_;
    keepalive_pending_ = true;
    ++env_.stats.keepalive_probes;
  }
  arm(Timer::Keepalive, now + config_.keepalive_interval);
}

void Connection::enter_time_wait(Instant now) {
  state_ = State::TimeWait;
  deadlines_.fill(kNever);
  arm(Timer::State, now + config_.time_wait);
  reason_ = CloseReason::Finished;
  scoreboard_.clear();
  send_.clear();
}

void Connection::finish(CloseReason reason, Outcome& out) {
  if (reason_ == CloseReason::None) reason_ = reason;
  // A connection in TIME-WAIT was reported as closed before.
  out.closed = state_ != State::TimeWait;
  state_ = State::Closed;
  deadlines_.fill(kNever);
  syn_pending_ = ack_now_ = bare_ack_wanted_ = false;
  probe_pending_ = keepalive_pending_ = tail_probe_pending_ = false;
  scoreboard_.clear();
  send_.clear();
  // A stream that had arrived whole was acknowledged: it stays to be read, whatever came after.
  if (reason != CloseReason::Finished && !fin_received_) receive_.clear();
  if (reset_pending_ && reason == CloseReason::Finished) reset_pending_ = false;
}

void Connection::maybe_trim() {
  if (!scoreboard_.empty() || receive_.readable() != 0) return;
  scoreboard_.trim();
  send_.trim();
  receive_.trim();
}

Outcome Connection::on_unreachable(SeqNum quoted) {
  Outcome out;
  if (is_synchronized(state_) || quoted != iss_)
    return out;  // RFC 5461 §4.1: soft once established.
  ++env_.stats.attempts_failed;
  finish(CloseReason::Unreachable, out);
  return out;
}

void Connection::on_packet_too_big(Instant now, SeqNum quoted, std::uint16_t mss) {
  constexpr std::uint16_t kSmallestPathMss = 512;
  const bool ours = is_synchronized(state_) && quoted >= snd_una_ && quoted < snd_nxt_;
  if (!ours || mss >= snd_mss_) {
    ++env_.stats.icmp_ignored;
    return;
  }
  ++env_.stats.path_mtu_reduced;
  snd_mss_ = std::max(mss, kSmallestPathMss);
  cc::set_mss(cc_, payload_room());
  mtu_search_.stop();
  // What was dropped for its size is no sign of congestion: send it again in smaller pieces at
  // once.
  scoreboard_.mark_longer_lost(payload_room());
  force_retransmit_ = true;
  rearm_retransmit(now);
}

}  // namespace dataplane::tcp
