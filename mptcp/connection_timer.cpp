#include <algorithm>

#include "mptcp/connection.hpp"

namespace mptcp {
namespace {

using namespace std::chrono_literals;

/// The third segment of a join is sent so often before the subflow is given up (RFC 8684 §3.2).
constexpr std::uint8_t kThirdSegments = 6;
constexpr std::uint8_t kMostBackoff = 6;
/// A DATA_FIN is sent so often to a peer that has shown no sign of MPTCP since its SYN-ACK.
constexpr std::uint8_t kUnheardFins = 5;

}  // namespace

void Connection::after_tcp(Instant now, Subflow& subflow, const tcp::Outcome& out,
                           tcp::Outcome& up) {
  const bool was_full = was_full_;
  release_acked(subflow);
  watch_timeouts(subflow);
  if (subflow.is_alive() && out.end_of_stream) {
    if (fallback_.is_infinite()) {
      fin_received_ = true;
      up.end_of_stream = true;
    } else if (!closing_) {
      // The peer takes the path away; the data stream has its own end (RFC 8684 §3.3.3).
      subflow.phase = Subflow::Phase::Draining;
      subflow.tcp.close();
    }
  }
  const tcp::State state = subflow.tcp.state();
  const bool ended = state == tcp::State::Closed || state == tcp::State::TimeWait;
  if (subflow.is_alive() && ended) on_subflow_over(now, subflow, up);
  close_subflows_when_done();
  check_over(now, up);
  if (detached_ && fin_acked_ && !fin_received_ && !over_ && linger_until_ == kNever)
    linger_until_ = now + tcp_config_.fin_wait_2;
  if (was_full && !over_ && writable() >= std::min(send_limit() / 4, 256U * 1024)) {
    was_full_ = false;
    up.writable = true;
  }
}

void Connection::release_acked(Subflow& subflow) {
  const bool infinite = fallback_.is_infinite();
  const bool closed = subflow.tcp.state() == tcp::State::Closed && !subflow.is_alive();
  const std::uint64_t until =
      closed ? subflow.tcp.written_position() : subflow.tcp.acked_position();
  subflow.shared.release_below(until);
  subflow.sent.release_below(until, [&](Dsn dsn, std::uint32_t count) {
    send_.give_back(dsn, count);
    // Behind the fallback the subflow's acknowledgments are those of the data stream.
    if (infinite && !closed && dsn + count > send_.begin()) send_.acknowledge(dsn + count);
  });
}

void Connection::watch_timeouts(Subflow& subflow) {
  if (!subflow.is_alive() || fallback_.is_infinite()) return;
  const bool timed_out = subflow.tcp.timeouts_in_row() != 0 && !subflow.tcp.is_window_closed() &&
                         subflow.phase != Subflow::Phase::Opening;
  if (timed_out == subflow.stale) return;
  subflow.stale = timed_out;
  ++(timed_out ? env_.stats.subflow_stale : env_.stats.subflow_recover);
  tell(timed_out ? PathChange::Kind::Stale : PathChange::Kind::Recovered, subflow);
  if (timed_out && usable_subflows() > 1) reinject(subflow);
}

void Connection::on_subflow_over(Instant now, Subflow& subflow, tcp::Outcome& up) {
  const tcp::CloseReason reason = subflow.tcp.close_reason();
  const bool was_opening = subflow.phase == Subflow::Phase::Opening;
  if (!fallback_.is_infinite() && !was_opening) reinject(subflow);
  tell_end(subflow, was_opening);
  subflow.phase = Subflow::Phase::Over;
  release_acked(subflow);
  rests_.on_failed({subflow.local_id, subflow.remote_id}, now);
  plan(now);
  // What is only being opened may never be there.
  std::size_t there = 0;
  for_each_alive([&](const Subflow& each) {
    if (each.phase != Subflow::Phase::Opening) ++there;
  });
  if (there != 0 || was_opening) {
    if (!established_) finish(reason, up);
    return;
  }
  // That we gave up a path is no reason to give up the connection.
  if (reason != tcp::CloseReason::Aborted) last_reason_ = reason;
  if (fallback_.is_infinite()) {
    finish(reason, up);
  } else if (was_reset_) {
    finish(tcp::CloseReason::Reset, up);
  } else if (!over_) {
    // Break before make: a new path may still come (RFC 8684 §3.3.3).
    if (alone_until_ == kNever) alone_until_ = now + config_.close_timeout;
  }
}

void Connection::reset_subflow(Subflow& subflow, ResetReason reason) {
  subflow.reset_reason = reason;
  subflow.tcp.abort();
}

void Connection::close_subflows_when_done() {
  if (closing_ || over_ || fallback_.is_infinite()) return;
  // RFC 8684 §3.3.3: no FIN on a subflow before the data stream has ended both ways.
  if (!fin_acked_ || !fin_received_) return;
  closing_ = true;
  for_each_alive([](Subflow& subflow) {
    if (subflow.phase == Subflow::Phase::Opening) {
      subflow.tcp.abort();
      subflow.phase = Subflow::Phase::Over;
    } else {
      subflow.phase = Subflow::Phase::Draining;
      subflow.tcp.close();
    }
  });
}

void Connection::check_over(Instant now, tcp::Outcome& up) {
  if (over_) return;
  // What was reset by us in the course of this input.
  for (auto& subflow : places()) {
    if (subflow && subflow->is_alive() && subflow->tcp.state() == tcp::State::Closed)
      on_subflow_over(now, *subflow, up);
  }
  if (over_ || !fin_acked_ || !fin_received_) return;
  bool busy = false;
  for_each_alive([&](const Subflow&) { busy = true; });
  if (!busy) finish(tcp::CloseReason::Finished, up);
}

void Connection::finish(tcp::CloseReason reason, tcp::Outcome& up) {
  reason_ = reason;
  over_ = true;
  up.closed = true;
  // What was reset with the last path, or is still being opened, has nobody to wait for it.
  for_each_alive([&](Subflow& subflow) {
    const bool opening = subflow.phase == Subflow::Phase::Opening;
    if (!opening && subflow.tcp.state() != tcp::State::Closed) return;
    subflow.tcp.abort();
    subflow.phase = Subflow::Phase::Over;
    release_acked(subflow);
  });
  alone_until_ = meta_deadline_ = linger_until_ = plan_at_ = kNever;
  announcements_.clear();
}

void Connection::limit_timeouts() {
  const bool several = usable_subflows() > 1;
  const Duration longest =
      several ? std::min(tcp_config_.rto_max, config_.probe_interval) : tcp_config_.rto_max;
  for_each_alive([&](Subflow& subflow) {
    if (subflow.phase == Subflow::Phase::Ready) subflow.tcp.limit_rto(longest);
  });
}

void Connection::rearm_meta(Instant now) {
  if (over_ || fallback_.is_infinite() || !established_) return;
  const bool fin_out = sends_data_fin() && !fin_acked_;
  const bool blocked = data_nxt_ < send_.end() && send_.begin() == data_nxt_;
  if (send_.begin() == data_nxt_ && !fin_out && !blocked) {
    meta_deadline_ = kNever;
    meta_backoff_ = 0;
    return;
  }
  const Dsn head = send_.begin();
  if (meta_deadline_ != kNever) {
    if (meta_una_ == head) return;
    // An octet at a time is what probes of a closed window bring: no reason to go on waiting.
    if (head - meta_una_ < largest_mss() && !is_carried_well(head)) return;
  }
  if (meta_una_ != head) meta_backoff_ = 0;
  meta_una_ = head;
  Duration rto = tcp_config_.rto_min;
  for_each_alive([&](const Subflow& subflow) {
    if (!subflow.stale) rto = std::max(rto, subflow.tcp.rto());
  });
  // Later than any subflow's own timer: those know their path.
  meta_deadline_ = now + rto * (3 << meta_backoff_) / 2;
}

void Connection::on_meta_timeout(Instant now) {
  meta_deadline_ = kNever;
  meta_backoff_ =
      std::min<std::uint8_t>(static_cast<std::uint8_t>(meta_backoff_ + 1), kMostBackoff);
  const Dsn head = send_.begin();
  // Nothing but a DATA_FIN to say, and a peer that never answered with an option: to it this is
  // TCP, in which only a FIN ends the stream.
  const bool unheard = !heard_dss_ && meta_backoff_ >= kUnheardFins && head == send_.end();
  if (unheard && fall_back(FallbackCause::FirstSegmentWithout)) return;
  if (head != data_nxt_) {
    // A subflow that has it and seems well is given one timeout more than the others.
    if (meta_backoff_ > 1 || !is_carried_well(head)) {
      reinject_head();
      recover_ = data_nxt_;
    }
  } else if (data_nxt_ < send_.end()) {
    probe_due_ = true;
  }
  if (sends_data_fin() && !fin_acked_) {
    for_each_alive([](Subflow& subflow) {
      if (subflow.may_carry()) subflow.tcp.request_ack();
    });
  }
  rearm_meta(now);
}

void Connection::on_third_ack_timer(Instant now) {
  for_each_alive([&](Subflow& subflow) {
    if (subflow.third_ack_at > now) return;
    if (++subflow.third_acks > kThirdSegments) {
      subflow.third_ack_at = kNever;
      reset_subflow(subflow, ResetReason::UnacceptablePerformance);
      return;
    }
    subflow.tcp.request_ack();
    subflow.third_ack_at = now + subflow.tcp.rto() * (1 << subflow.third_acks);
  });
}

void Connection::on_signal_timer(Instant now) {
  for_each_alive([&](Subflow& subflow) {
    if (subflow.signals.due() > now) return;
    subflow.signals.wake();
    subflow.tcp.request_bare_ack();
  });
}

Instant Connection::next_deadline() const {
  Instant next = std::min(
      {meta_deadline_, alone_until_, linger_until_, plan_at_, fastclose_at_, next_announcement()});
  for (const auto& subflow : places()) {
    if (!subflow) continue;
    next = std::min(next, subflow->tcp.next_deadline());
    if (subflow->is_alive()) next = std::min({next, subflow->third_ack_at, subflow->signals.due()});
  }
  return next;
}

tcp::Outcome Connection::on_deadline(Instant now) {
  tcp::Outcome up;
  for (auto& subflow : places()) {
    if (!subflow || subflow->tcp.next_deadline() > now) continue;
    const tcp::Outcome out = subflow->tcp.on_deadline(now);
    if (subflow->is_alive()) after_tcp(now, *subflow, out, up);
  }
  on_third_ack_timer(now);
  on_signal_timer(now);
  if (meta_deadline_ <= now) on_meta_timeout(now);
  if (next_announcement() <= now) on_announcement_timer(now);
  if (alone_until_ <= now && !over_) {
    const bool done = fin_acked_ && fin_received_;
    finish(done                                ? tcp::CloseReason::Finished
           : reason_ == tcp::CloseReason::None ? tcp::CloseReason::TimedOut
                                               : reason_,
           up);
  }
  if (linger_until_ <= now && !over_) {
    abort();
    up.closed = true;
  }
  check_over(now, up);
  return up;
}

tcp::Outcome Connection::on_unreachable(Instant now, SubflowId id, SeqNum quoted) {
  Subflow& subflow = *subflows_[id];
  tcp::Outcome up;
  const tcp::Outcome out = subflow.tcp.on_unreachable(quoted);
  if (subflow.is_alive()) after_tcp(now, subflow, out, up);
  return up;
}

void Connection::on_packet_too_big(Instant now, SubflowId id, SeqNum quoted, std::uint16_t mss) {
  subflows_[id]->tcp.on_packet_too_big(now, quoted, mss);
}

std::optional<SubflowId> Connection::next_gone() const {
  for (std::size_t i = 0; i < place_count_; ++i) {
    const auto& subflow = subflows_[i];
    if (subflow && !subflow->is_alive() && subflow->tcp.is_finished())
      return static_cast<SubflowId>(i);
  }
  return std::nullopt;
}

void Connection::remove(SubflowId id, Instant /*now*/) {
  if (subflows_[id].get() == fastclose_by_) {
    release_acked(*fastclose_by_);
    fastclose_by_ = nullptr;
  }
  ASSERT(subflows_[id]->sent.empty());
  subflows_[id].reset();
}

}  // namespace mptcp
