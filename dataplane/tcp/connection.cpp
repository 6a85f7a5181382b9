#include "dataplane/tcp/connection.hpp"

#include <algorithm>

namespace dataplane::tcp {
std::string_view name_of(CloseReason reason) {
  switch (reason) {
    case CloseReason::None:
      return "none";
    case CloseReason::Finished:
      return "finished";
    case CloseReason::Refused:
      return "connection refused";
    case CloseReason::Reset:
      return "connection reset by peer";
    case CloseReason::Aborted:
      return "connection aborted";
    case CloseReason::TimedOut:
      return "connection timed out";
    case CloseReason::Unreachable:
      return "host unreachable";
  }
  return "unknown";
}

std::string_view name_of(State state) {
  switch (state) {
    case State::Closed:
      return "CLOSED";
    case State::SynSent:
      return "SYN-SENT";
    case State::SynReceived:
      return "SYN-RECEIVED";
    case State::Established:
      return "ESTABLISHED";
    case State::FinWait1:
      return "FIN-WAIT-1";
    case State::FinWait2:
      return "FIN-WAIT-2";
    case State::CloseWait:
      return "CLOSE-WAIT";
    case State::Closing:
      return "CLOSING";
    case State::LastAck:
      return "LAST-ACK";
    case State::TimeWait:
      return "TIME-WAIT";
  }
  return "unknown";
}

Connection::Connection(const Environment& environment, const OpenParameters& open, Instant now)
    : env_(environment),
      config_(open.config),
      state_(State::SynSent),
      iss_(open.iss),
      snd_una_(open.iss),
      snd_nxt_(open.iss),
      our_mss_(open.mss),
      rcv_buffer_(open.config.receive_buffer_initial),
      ts_offset_(open.timestamp_offset),
      syn_pending_(true),
      rtt_(open.config.rto_initial, open.config.rto_min, open.config.rto_max),
      cc_(cc::make_controller(open.config.congestion_control,
                              {.mss = open.mss,
                               .initial_window_segments = open.config.initial_window_segments,
                               .now = now,
                               .seed = open.iss.raw()})),
      send_(environment.blocks),
      receive_(environment.receive_memory),
      unacked_since_(now),
      last_arrival_(now),
      challenge_allowed_(now),
      rate_epoch_(now) {
  rcv_wscale_ = window_scale_for(config_.receive_buffer_max);
  deadlines_.fill(kNever);
  ++env_.stats.active_opens;
}

Connection::Connection(const Environment& environment, const OpenParameters& open,
                       const PeerSyn& syn, Instant now, std::optional<Instant> syn_ack_sent)
    : Connection(environment, open, now) {
  --env_.stats.active_opens;
  ++env_.stats.passive_opens;
  state_ = State::SynReceived;
  syn_pending_ = false;
  snd_nxt_ = iss_ + 1U;
  if (syn_ack_sent) {
    syn_sent_at_ = *syn_ack_sent;
  } else {
    syn_retries_ = 1;
  }
  negotiate(syn);
}

std::uint32_t Connection::send_limit() const {
  // What was SACKed is held as well until the hole before it is filled; who does not slow down for
  // a loss needs room for that.
  const std::uint64_t flights = pacer_.rate() == 0 ? 2 : 3;
  const std::uint64_t wanted =
      std::max<std::uint64_t>(config_.send_buffer_initial, flights * cc::window(cc_));
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(wanted, config_.send_buffer_max));
}

std::size_t Connection::writable() const {
  if (!may_write(state_) || fin_queued_) return 0;
  const std::size_t limit = send_limit();
  return limit > send_.size() ? limit - send_.size() : 0;
}

std::size_t Connection::write(ByteSpan octets) {
  const std::size_t taken = send_.append(octets.first(std::min(octets.size(), writable())));
  was_full_ = taken < octets.size();
  return taken;
}

std::size_t Connection::write_reference(ByteSpan octets) {
  const std::size_t taken = std::min(octets.size(), writable());
  send_.append_reference(octets.first(taken));
  was_full_ = taken < octets.size();
  return taken;
}

std::uint32_t Connection::send_room() const {
  if (!may_send(state_) || fin_queued_) return 0;
  const std::uint64_t queued = unsent();
  const SeqNum edge = snd_una_ + snd_wnd_;
  const std::uint64_t usable = edge > snd_nxt_ ? edge - snd_nxt_ : 0;
  const std::uint64_t beyond = usable > queued ? usable - queued : 0;
  if (frto_.wants_new_data()) {
    const std::uint64_t wanted = 2 * payload_room();
    return static_cast<std::uint32_t>(std::min(wanted - std::min(wanted, queued), beyond));
  }
  const std::uint64_t waiting = queued + scoreboard_.waiting();
  const std::uint64_t flight = pipe() + waiting;
  const std::uint64_t window = congestion_window() + payload_room();
  return static_cast<std::uint32_t>(std::min(window > flight ? window - flight : 0, beyond));
}

void Connection::set_receive_window(std::uint32_t window, std::uint32_t buffer) {
  given_window_ = window;
  rcv_buffer_ = buffer;
}

std::size_t Connection::read(Instant now, MutableByteSpan out) {
  const std::size_t count = receive_.read(out);
  if (count != 0) measure_receive_rate(now, count);
  return count;
}

Packet Connection::take_packet(Instant now) {
  Packet packet = receive_.take_packet();
  if (packet) measure_receive_rate(now, packet.size());
  return packet;
}

void Connection::close() {
  if (fin_queued_) return;
  fin_queued_ = true;
  switch (state_) {
    case State::SynSent:
      // Nothing was exchanged: forget the attempt (RFC 9293 §3.10.4).
      reason_ = CloseReason::Aborted;
      state_ = State::Closed;
      deadlines_.fill(kNever);
      send_.clear();
      break;
    case State::Established:
      state_ = State::FinWait1;
      break;
    case State::CloseWait:
      state_ = State::LastAck;
      break;
    default:
      break;  // SYN-RECEIVED goes on when it is established.
  }
}

void Connection::abort() {
  if (state_ == State::Closed) return;
  // RFC 9293 §3.10.5: no RST where the peer holds no connection, or holds a finished one.
  reset_pending_ = state_ != State::SynSent && state_ != State::TimeWait;
  Outcome ignored;
  finish(CloseReason::Aborted, ignored);
}

void Connection::detach(Instant now) {
  detached_ = true;
  if (state_ == State::FinWait2) arm(Timer::State, now + config_.fin_wait_2);
}

bool Connection::allows_reuse_by(const wire::TcpHeader& syn) const {
  if (state_ != State::TimeWait) return false;
  if (timestamps_ && syn.options.timestamps) {
    const auto newer = static_cast<std::int32_t>(syn.options.timestamps->value - ts_recent_);
    if (newer != 0) return newer > 0;
  }
  return syn.seq > rcv_nxt_;
}

Connection::Info Connection::info() const {
  return {.bytes_sent = bytes_sent_,
          .bytes_acked = stream_una_,
          .bytes_received = bytes_received_,
          .segments_sent = segments_sent_,
          .segments_received = segments_received_,
          .segments_retransmitted = segments_retransmitted_,
          .srtt = rtt_.srtt(),
          .rttvar = rtt_.rttvar(),
          .rto = rtt_.rto(),
          .cwnd = cc::window(cc_),
          .in_flight = pipe(),
          .snd_wnd = snd_wnd_,
          .rcv_wnd = rcv_adv_ > rcv_nxt_ ? rcv_adv_ - rcv_nxt_ : 0,
          .mss = payload_room()};
}

}  // namespace dataplane::tcp
