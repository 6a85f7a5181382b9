#include <algorithm>

#include "dataplane/tcp/connection.hpp"

namespace dataplane::tcp {
namespace {

/// A peer that announces less would make us send more header than payload.
constexpr std::uint16_t kSmallestMss = 64;

}  // namespace

void Connection::negotiate(const PeerSyn& syn) {
  irs_ = syn.irs;
  rcv_nxt_ = irs_ + 1U;
  last_ack_sent_ = rcv_nxt_;
  // A window in a SYN is never scaled (RFC 7323 §2.2), in either direction.
  rcv_adv_ = rcv_nxt_ + std::min<std::uint32_t>(rcv_buffer_, 0xffff);
  snd_wnd_ = max_snd_wnd_ = syn.window;
  snd_wl1_ = irs_;
  snd_wl2_ = iss_;
  peer_mss_ = std::max(syn.mss, kSmallestMss);
  snd_mss_ = std::min(peer_mss_, our_mss_);
  rcv_mss_ = std::min<std::uint32_t>(kDefaultMss, our_mss_);
  const bool scaled = config_.window_scaling && syn.window_scale.has_value();
  snd_wscale_ = scaled ? *syn.window_scale : 0;
  if (!scaled) rcv_wscale_ = 0;
  sack_ = config_.sack && syn.sack_permitted;
  timestamps_ = config_.timestamps && syn.ts_recent.has_value();
  if (timestamps_) ts_recent_ = *syn.ts_recent;
  negotiate_ecn(syn);
}

void Connection::negotiate_ecn(const PeerSyn& syn) {
  const bool is_answer = state_ == State::SynSent;
  const EcnMode mode = ecn_mode(config_);
  if (!syn.ecn || mode == EcnMode::Off || (is_answer && mode != EcnMode::On)) return;
  ++env_.stats.ecn_negotiated;
  ecn_echo_.enable(config_.congestion_control == cc::Kind::Dctcp);
  // RFC 3168 §6.1.1: a SYN of ours that did not ask may have been the one that counted.
  if (cc::heeds_ecn(cc_) && !(is_answer && syn_retries_ != 0)) ecn_answer_.enable();
}

bool Connection::emit_syn(Instant now, wire::TxSegment& out) {
  syn_pending_ = false;
  const bool answer = state_ == State::SynReceived;
  out = {};
  out.header.seq = iss_;
  out.header.flags = wire::TcpFlags::Syn;
  out.header.window = static_cast<std::uint16_t>(std::min<std::uint32_t>(rcv_buffer_, 0xffff));
  wire::TcpOptions& options = out.header.options;
  options.mss = our_mss_;
  // A SYN-ACK offers only what the SYN offered (RFC 7323 §2.2, §3.2, RFC 2018 §2).
  if (answer ? sack_ : config_.sack) options.sack_permitted = true;
  if (answer ? timestamps_ : config_.timestamps)
    options.timestamps = wire::Timestamps{timestamp(now), answer ? ts_recent_ : 0};
  if (answer ? rcv_wscale_ != 0 || snd_wscale_ != 0 : config_.window_scaling)
    options.window_scale = rcv_wscale_;
  if (answer) {
    out.header.ack = rcv_nxt_;
    out.header.flags |= wire::TcpFlags::Ack;
  }
  if (answer ? ecn_echo_.is_enabled() : ecn_mode(config_) == EcnMode::On && syn_retries_ == 0)
    out.header.flags |= answer ? wire::TcpFlags::Ece : wire::TcpFlags::Ece | wire::TcpFlags::Cwr;
  snd_nxt_ = iss_ + 1U;
  if (syn_retries_ == 0) syn_sent_at_ = now;
  if (syn_retries_ != 0) ++env_.stats.segments_retransmitted;
  arm(Timer::Retransmit, now + rtt_.rto());
  ++segments_sent_;
  ++env_.stats.segments_sent;
  return true;
}

Outcome Connection::on_syn_sent(Instant now, const wire::TcpSegment& segment) {
  using wire::TcpFlags;
  Outcome out;
  const wire::TcpHeader& header = segment.header;
  const bool acks = has(header.flags, TcpFlags::Ack);
  // First: the ACK (RFC 9293 §3.10.7.3).
  if (acks && (header.ack <= iss_ || header.ack > snd_nxt_)) {
    if (!has(header.flags, TcpFlags::Rst)) reset_reply_ = header.ack;
    ++env_.stats.acks_unacceptable;
    return out;
  }
  // Second: RST.
  if (has(header.flags, TcpFlags::Rst)) {
    if (!acks) return out;
    ++env_.stats.attempts_failed;
    finish(CloseReason::Refused, out);
    return out;
  }
  // Fourth: SYN. Payload in it is left for the peer to send again.
  if (!has(header.flags, TcpFlags::Syn)) return out;
  negotiate(PeerSyn::from(header));
  ts_recent_at_ = now;
  if (!acks) {
    // Simultaneous open (RFC 9293 §3.5, figure 7).
    state_ = State::SynReceived;
    syn_pending_ = true;
    return out;
  }
  snd_una_ = header.ack;
  snd_wl2_ = header.ack;
  ack_now_ = true;
  out.accepted = true;
  become_established(now, out);
  return out;
}

void Connection::become_established(Instant now, Outcome& out) {
  state_ = fin_queued_ ? State::FinWait1 : State::Established;
  if (syn_retries_ == 0) {
    rtt_.on_sample(now - syn_sent_at_);
  } else {
    rtt_.on_progress();
    rtt_.on_syn_retransmitted();
  }
  cc_ = cc::make_controller(config_.congestion_control,
                            {payload_room(), config_.initial_window_segments, now});
  disarm(Timer::Retransmit);
  unacked_since_ = last_arrival_ = now;
  if (config_.keepalive_idle > 0s) arm(Timer::Keepalive, now + config_.keepalive_idle);
  out.established = true;
  out.writable = true;
}

}  // namespace dataplane::tcp
