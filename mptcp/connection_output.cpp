#include <algorithm>
#include <span>
#include <utility>

#include "dataplane/wire/checksum.hpp"
#include "mptcp/capable.hpp"
#include "mptcp/connection.hpp"
#include "mptcp/wire/data_checksum.hpp"

namespace mptcp {
namespace {

using wire::TcpFlags;

// What the options of one segment take at the most, in whole words (RFC 8684 §3.1, §3.2, §3.3).
constexpr std::uint8_t kThirdOfFirst = 24;
constexpr std::uint8_t kThirdOfJoin = 24;
constexpr std::uint8_t kDssNarrow = 24;
constexpr std::uint8_t kDssWide = 28;
constexpr std::uint8_t kDataAckNarrow = 8;
constexpr std::uint8_t kDataAckWide = 12;
constexpr std::uint8_t kInfinite = 20;

template <class T>
std::size_t put(const T& option, Subflow& subflow, std::size_t at) {
  return emit(option, std::span(subflow.options).subspan(at));
}

}  // namespace

bool Connection::sends_data_fin() const {
  return fin_queued_ && established_ && data_nxt_ == send_.end() && !fallback_.is_infinite();
}

void Connection::update_reserves(Subflow& subflow) const {
  if (subflow.phase == Subflow::Phase::Opening) return;
  if (fallback_.is_infinite()) {
    subflow.tcp.reserve_options(infinite_map_pending_ ? kInfinite : 0, 0);
    return;
  }
  const std::uint8_t mapped = peer_is_wide_ ? kDssWide : kDssNarrow;
  std::uint8_t ack = peer_is_wide_ ? kDataAckWide : kDataAckNarrow;
  if (sends_data_fin() && !fin_acked_) ack = mapped;
  if (subflow.phase == Subflow::Phase::Unconfirmed)
    ack = std::max(ack, subflow.is_join ? kThirdOfJoin : kThirdOfFirst);
  subflow.tcp.reserve_options(mapped, ack);
}

bool Connection::poll_transmit(Instant now, SubflowId id, wire::TxSegment& out,
                               std::uint32_t most) {
  Subflow& subflow = *subflows_[id];
  if (&subflow == fastclose_by_) return poll_fastclose(now, out);
  // What is said once stands on one segment.
  if (subflow.phase == Subflow::Phase::Unconfirmed || infinite_map_pending_) most = 1;
  update_reserves(subflow);
  const std::uint64_t edge = next_edge();
  if (subflow.phase != Subflow::Phase::Opening) {
    const auto window = static_cast<std::uint32_t>(edge - receive_.next());
    subflow.tcp.set_receive_window(window, rcv_buffer_);
  }
  if (!subflow.tcp.poll_transmit(now, out, most)) return false;
  // Only what was said moves the edge, or the peer would never hear of it.
  if (subflow.phase != Subflow::Phase::Opening) {
    rcv_edge_ = edge;
    note_window_said(subflow);
  }
  add_options(now, subflow, out);
  return true;
}

/// Who was told on one subflow that there is no room, and on another that there is, takes the first
/// for closed: an update goes on all of them (RFC 8684 §3.3.4 has one window for all).
void Connection::note_window_said(Subflow& subflow) {
  subflow.said_closed = rcv_edge_ - receive_.next() < largest_mss();
  if (subflow.said_closed) {
    closed_somewhere_ = true;
    return;
  }
  if (!closed_somewhere_) return;
  closed_somewhere_ = false;
  for_each_alive([&](Subflow& each) {
    if (!each.said_closed) return;
    each.tcp.request_ack();
    round_wanted_ = true;
  });
}

void Connection::add_options(Instant now, Subflow& subflow, wire::TxSegment& out) {
  const TcpFlags flags = out.header.flags;
  std::size_t used = 0;
  if (has(flags, TcpFlags::Rst)) {
    used = add_reset_options(subflow);
  } else if (has(flags, TcpFlags::Syn)) {
    // What was accepted was answered before there was a subflow.
    subflow.syns_crossed = has(flags, TcpFlags::Ack);
    if (!subflow.syns_crossed) used = add_syn_options(subflow);
  } else {
    const std::size_t room = wire::kMaxTcpOptions - wire::emitted_length(out.header.options);
    used = add_third_options(subflow, out);
    if (used == 0) used = add_dss(subflow, out);
    if (out.payload_length == 0 && !has(flags, TcpFlags::Fin))
      used = add_signal(now, subflow, out.header.ack, used, room);
  }
  out.header.options.mptcp = std::span(subflow.options).first(used);
}

std::size_t Connection::add_reset_options(Subflow& subflow) {
  if (subflow.fastclose) return put(MpFastclose{remote_key_}, subflow, 0);
  if (!subflow.reset_reason) return 0;
  std::size_t used = 0;
  // What went wrong with the payload is said with the reset (RFC 8684 §3.7).
  if (const auto* fail = subflow.signals.find<MpFail>()) used = put(*fail, subflow, 0);
  if (version_ == Version::V0) return used;  // It has no MP_TCPRST.
  ++env_.stats.mp_rst_tx;
  return used + put(MpTcprst{false, *subflow.reset_reason}, subflow, used);
}

std::size_t Connection::add_syn_options(Subflow& subflow) {
  ++subflow.syns_sent;
  if (subflow.is_join) {
    ++env_.stats.mp_join_syn_tx;
    return put(MpJoinSyn{subflow.backup_here, subflow.local_id, remote_.token, subflow.local_nonce},
               subflow, 0);
  }
  // Something on the path may drop what it does not know (RFC 8684 §3.7).
  if (subflow.syns_sent > config_.syns_with_option) {
    ++env_.stats.mp_capable_syn_tx_drop;
    return 0;
  }
  ++env_.stats.mp_capable_syn_tx;
  MpCapable capable = capable_of(version_, config_);
  capable.checksum = config_.checksum;
  if (version_ == Version::V0) capable.sender_key = local_key_;
  return put(capable, subflow, 0);
}

std::size_t Connection::add_third_options(Subflow& subflow, const wire::TxSegment& out) {
  if (subflow.phase != Subflow::Phase::Unconfirmed) return 0;
  if (subflow.is_join) {
    const Hmac hmac =
        join_hmac({local_key_, remote_key_, subflow.local_nonce, subflow.remote_nonce}, version_);
    return put(MpJoinAck{leftmost_160(hmac)}, subflow, 0);
  }
  // Both keys stand on all that starts with the first octet, so that a lost third segment is made
  // good by the first data (RFC 8684 §3.1).
  if (out.header.seq != subflow.tcp.iss() + 1U) return 0;
  // In version 0 they never stand beside data, which has a mapping as any (RFC 6824 §3.1).
  if (version_ == Version::V0 && out.payload_length != 0) return 0;
  if (out.payload_length == 0 && sends_data_fin()) {
    // The option has no place for a DATA_FIN: it follows in a segment of its own.
    subflow.sent_capable_ack = !subflow.sent_capable_ack;
    if (!subflow.sent_capable_ack) return 0;
    subflow.tcp.request_ack();
  }
  MpCapable capable = capable_of(version_, config_);
  capable.checksum = checksum_;
  capable.sender_key = local_key_;
  capable.receiver_key = remote_key_;
  if (out.payload_length != 0) {
    capable.data_length = static_cast<std::uint16_t>(out.payload_length);
    if (checksum_)
      capable.data_checksum = checksum_of(local_.idsn + 1U, 1, *capable.data_length, out);
  }
  return put(capable, subflow, 0);
}

std::uint16_t Connection::checksum_of(Dsn dsn, std::uint32_t subflow_seq, std::uint16_t length,
                                      const wire::TxSegment& out) const {
  wire::Checksum sum;
  for (const dataplane::ByteSpan piece : out.payload())
    sum.add(piece);
  return data_checksum({dsn, subflow_seq, length}, sum.folded());
}

Dss Connection::dss_for(Subflow& subflow, const wire::TxSegment& out) {
  Dss dss;
  if (!fallback_.is_infinite()) dss.data_ack = WireDsn{rcv_nxt().raw(), peer_is_wide_};
  DssMapping mapping;
  const std::uint64_t position = subflow.tcp.position_of(out.header.seq);
  if (out.payload_length != 0) {
    if (const SharedMapping* shared = subflow.shared.find(position)) {
      dss.data_fin = shared->data_fin;
      dss.mapping = shared->mapping;
      return dss;
    }
    const Mapping* found = subflow.sent.find(position);
    ASSERT(found != nullptr && position + out.payload_length <= found->end());
    const Dsn dsn = found->dsn_at(position);
    dss.data_fin = sends_data_fin() && dsn + out.payload_length == send_.end();
    mapping.dsn = {dsn.raw(), true};
    mapping.subflow_seq = static_cast<std::uint32_t>(position + 1);
    mapping.length = static_cast<std::uint16_t>(out.payload_length + (dss.data_fin ? 1U : 0U));
  } else if (sends_data_fin() && !fin_acked_) {
    dss.data_fin = true;
    mapping.dsn = {send_.end().raw(), true};
    mapping.length = 1;
  } else {
    return dss;
  }
  if (checksum_)
    mapping.checksum =
        checksum_of(Dsn(mapping.dsn.value), mapping.subflow_seq, mapping.length, out);
  dss.mapping = mapping;
  if (out.segment_size != 0)
    subflow.shared.push_back({position, position + out.payload_length, mapping, dss.data_fin});
  return dss;
}

std::size_t Connection::add_dss(Subflow& subflow, const wire::TxSegment& out) {
  if (fallback_.is_infinite()) {
    if (!infinite_map_pending_ || out.payload_length == 0) return 0;
    infinite_map_pending_ = false;
    ++env_.stats.infinite_map_tx;
    subflow.shared.clear();  // They end where the infinite mapping begins.
    Dss dss = dss_for(subflow, out);
    dss.data_fin = false;
    dss.mapping->length = 0;
    if (checksum_) dss.mapping->checksum = 0;
    return put(dss, subflow, 0);
  }
  return put(dss_for(subflow, out), subflow, 0);
}

bool Connection::say(Subflow& subflow, const Option& option) {
  if (!subflow.signals.push(option)) {
    ++env_.stats.signals_dropped;
    return false;
  }
  if (subflow.signals.may_go()) subflow.tcp.request_bare_ack();
  return true;
}

std::size_t Connection::add_signal(Instant now, Subflow& subflow, SeqNum ack, std::size_t used,
                                   std::size_t room) {
  if (subflow.phase == Subflow::Phase::Unconfirmed) return used;
  const Option* const next = subflow.signals.next(now, ack);
  if (next == nullptr) return used;
  const std::size_t length = emitted_length(*next);
  if (length > room) return used;  // SACK blocks: the next ACK may have none.
  // Some announcements leave no room for a DATA_ACK (RFC 8684 §3.4.1), which follows at once.
  const bool alone = used + length > room;
  if (alone) used = 0;
  used += put(*next, subflow, used);
  subflow.signals.pop(now, ack, alone ? 2 : 1, subflow.tcp.rto());
  if (!subflow.signals.empty() && subflow.signals.may_go()) {
    subflow.tcp.request_bare_ack();
  } else if (alone) {
    subflow.tcp.request_ack();
  }
  return used;
}

}  // namespace mptcp
