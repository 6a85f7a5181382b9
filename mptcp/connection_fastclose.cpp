#include <algorithm>
#include <span>

#include "mptcp/connection.hpp"
#include "mptcp/received.hpp"

/// MP_FASTCLOSE. In version 1 it stands on the resets of all subflows (RFC 8684 §3.5, option R). In
/// version 0 an ACK of one subflow has it, again and again until the peer resets that one; the
/// other subflows are reset without a word (RFC 6824 §3.5).
namespace mptcp {
namespace {

/// Once, and three times more (RFC 6824 §3.5).
constexpr std::uint8_t kMostFastcloses = 4;

}  // namespace

void Connection::abort() {
  if (over_) return;
  const bool is_said = !fallback_.is_infinite();
  if (is_said && version_ == Version::V0) fastclose_by_ = fastclose_carrier();
  if (fastclose_by_ != nullptr) {
    fastclose_at_ = {};
    ++env_.stats.mp_fastclose_tx;
  }
  for_each_alive([&](Subflow& subflow) {
    subflow.fastclose = is_said && version_ != Version::V0 && subflow.may_carry();
    if (subflow.fastclose) ++env_.stats.mp_fastclose_tx;
    subflow.phase = Subflow::Phase::Over;
    // What the carrier has sent is kept while its TCP knows of it.
    if (&subflow == fastclose_by_) return;
    subflow.tcp.abort();
    release_acked(subflow);
  });
  reason_ = tcp::CloseReason::Aborted;
  over_ = true;
}

Subflow* Connection::fastclose_carrier() {
  Subflow* carrier = nullptr;
  for_each_alive([&](Subflow& subflow) {
    if (!subflow.may_carry()) return;
    if (carrier == nullptr || carrier->stale) carrier = &subflow;
  });
  return carrier;
}

bool Connection::poll_fastclose(Instant now, wire::TxSegment& out) {
  tcp::Connection& tcp = fastclose_by_->tcp;
  if (fastclose_at_ > now && tcp.state() != tcp::State::Closed) return false;
  if (fastcloses_sent_ == kMostFastcloses) tcp.abort();
  if (tcp.state() == tcp::State::Closed) {
    fastclose_at_ = kNever;
    return tcp.poll_transmit(now, out);
  }
  const Duration patience = std::min(tcp.rto(), config_.probe_interval);
  fastclose_at_ = now + patience * (1 << fastcloses_sent_++);
  const MpFastclose option{remote_key_};
  tcp.reserve_options(0, static_cast<std::uint8_t>(emitted_length(option)));
  tcp.request_bare_ack();
  if (!tcp.poll_transmit(now, out)) return false;
  if (has(out.header.flags, wire::TcpFlags::Rst)) return true;  // In reply to something else.
  out.header.options.mptcp =
      std::span(fastclose_by_->options).first(emit(option, fastclose_by_->options));
  return true;
}

/// Both sides may have given up at once (RFC 6824 §3.5).
void Connection::on_fastclose_answer(const Received& in) {
  const auto* fastclose = in.find<MpFastclose>();
  if (fastclose == nullptr || fastclose->receiver_key != local_key_) return;
  ++env_.stats.mp_fastclose_rx;
  fastclose_by_->tcp.abort();
}

}  // namespace mptcp
