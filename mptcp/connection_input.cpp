#include <algorithm>
#include <utility>

#include "dataplane/wire/checksum.hpp"
#include "mptcp/connection.hpp"
#include "mptcp/received.hpp"
#include "mptcp/wire/data_checksum.hpp"

namespace mptcp {
namespace {

using wire::TcpFlags;

/// Segments one after another whose octets no mapping covers, before the subflow is given up.
constexpr std::uint8_t kMostUnmapped = 16;

/// The position in 64 bits that has the low bits `low` and lies nearest to `near`.
std::uint64_t nearest(std::uint32_t low, std::uint64_t near) {
  const auto distance = static_cast<std::int32_t>(low - static_cast<std::uint32_t>(near));
  return near + static_cast<std::uint64_t>(static_cast<std::int64_t>(distance));
}

Dsn complete(const WireDsn& dsn, Dsn near) {
  if (dsn.wide) return Dsn(dsn.value);
  return Dsn(nearest(static_cast<std::uint32_t>(dsn.value), near.raw()));
}

/// The first `count` octets as a packet of their own; the rest stays.
Packet split_front(Packet& packet, std::uint32_t count) {
  Packet front = dataplane::PacketPool::pool_of(packet.mbuf())->alloc();
  if (!front || front.tailroom() < count) return {};
  std::memcpy(front.append(count), packet.begin(), count);
  packet.trim_front(count);
  return front;
}

}  // namespace

tcp::Outcome Connection::on_segment(Instant now, SubflowId id, wire::TcpSegment segment) {
  std::span<Packet> none;
  return on_run(now, id, std::move(segment), none);
}

tcp::Outcome Connection::on_run(Instant now, SubflowId id, wire::TcpSegment segment,
                                std::span<Packet>& more) {
  Subflow& subflow = *subflows_[id];
  const Received in(segment, env_.stats);
  segment.is_signal = in.is_signal();
  trim_to_mapping(subflow, in, segment);
  // What the one mapping of all of them does not cover has to be looked at alone.
  const bool is_mapped = is_mapped_until_end(subflow, in, more);
  const SeqNum next = segment.header.seq + segment.payload_length();
  const tcp::Outcome out = subflow.tcp.on_segment(now, std::move(segment));
  tcp::Outcome up;
  if (&subflow == fastclose_by_) on_fastclose_answer(in);
  if (!subflow.is_alive()) return up;
  if (has(in.header.flags, TcpFlags::Rst) && out.closed) on_reset(subflow, in);
  if (out.accepted) take_options(now, subflow, in, out);
  if (out.established && subflow.is_alive() && !subflow.is_join) {
    established_ = true;
    up.established = up.writable = true;
  }
  if (subflow.is_alive()) drain(now, subflow, up);
  if (subflow.is_alive() && out.accepted && is_mapped) take_run(now, subflow, next, more, up);
  after_tcp(now, subflow, out, up);
  return up;
}

void Connection::take_run(Instant now, Subflow& subflow, SeqNum seq, std::span<Packet>& more,
                          tcp::Outcome& up) {
  if (more.empty() || subflow.phase == Subflow::Phase::Opening) return;
  const auto taken = more.first(subflow.tcp.pass_run(now, seq, more));
  if (taken.empty()) return;
  more = more.subspan(taken.size());
  std::uint32_t octets = 0;
  for (const Packet& packet : taken)
    octets += packet.size();
  subflow.bytes_received += octets;
  const Mapping* mapping =
      fallback_.is_infinite() ? nullptr : subflow.received.find(subflow.delivered);
  if (mapping != nullptr && !mapping->checksum && mapping->end() >= subflow.delivered + octets) {
    take_mapped(subflow, mapping->dsn_at(subflow.delivered), taken, octets, up);
    subflow.delivered += octets;
    subflow.received.release_below(subflow.delivered, [](Dsn, std::uint32_t) {});
    return;
  }
  for (Packet& packet : taken)
    if (!deliver(subflow, std::move(packet), up)) return;
}

void Connection::keep_only(wire::TcpSegment& segment, std::uint32_t octets) {
  segment.payload.trim_back(segment.payload_length() - octets);
  const auto flags = static_cast<std::uint8_t>(segment.header.flags);
  segment.header.flags = static_cast<TcpFlags>(flags & ~static_cast<std::uint8_t>(TcpFlags::Fin));
}

void Connection::trim_to_mapping(Subflow& subflow, const Received& in,
                                 wire::TcpSegment& segment) const {
  if (in.payload == 0 || in.is_third || fallback_.is_infinite()) return;
  const std::uint64_t begin =
      nearest(in.header.seq.raw() - subflow.tcp.irs().raw() - 1, subflow.delivered);
  const std::uint64_t end = begin + in.payload;
  std::uint64_t from = std::max(begin, subflow.delivered);
  const auto* dss = in.find<Dss>();
  const bool maps = dss != nullptr && dss->mapping && dss->mapping->subflow_seq != 0;
  if (maps && dss->mapping->length == 0) return;
  if (!maps) {
    // Where a segment was split, the mapping may come with another part of it; but what never has
    // any is no path of ours.
    const bool known = from >= end || subflow.received.find(from) != nullptr;
    if (known || !fallback_.has_seen_mapping() || ++subflow.unmapped_in_row > kMostUnmapped) return;
    keep_only(segment, 0);
    return;
  }
  subflow.unmapped_in_row = 0;
  // Something on the path made one segment of several and kept one mapping. What no mapping tells
  // about was not received: the peer sends it again, with a mapping of its own.
  const std::uint64_t first = nearest(dss->mapping->subflow_seq - 1, subflow.delivered);
  const std::uint64_t last = first + dss->mapping->length - (dss->data_fin ? 1U : 0U);
  std::uint64_t to = subflow.received.covered_until(from);
  if (to == from && first > from) from = to = first;
  if (first <= to && to < last) to = subflow.received.covered_until(last);
  if (from >= end) return;
  if (to < end) keep_only(segment, static_cast<std::uint32_t>(std::max(to, begin) - begin));
  if (from == first && from > std::max(begin, subflow.delivered)) {
    const auto unknown = static_cast<std::uint32_t>(from - begin);
    segment.payload.trim_front(unknown);
    segment.header.seq += unknown;
  }
}

bool Connection::is_mapped_until_end(const Subflow& subflow, const Received& in,
                                     std::span<const Packet> more) const {
  if (more.empty() || fallback_.is_infinite()) return true;
  const auto* dss = in.find<Dss>();
  if (dss == nullptr || !dss->mapping) return false;
  std::uint32_t octets = in.payload;
  for (const Packet& packet : more)
    octets += packet.size();
  // Both count from the start of the subflow.
  const std::uint32_t begin = in.header.seq.raw() - subflow.tcp.irs().raw();
  const std::uint32_t skipped = begin - dss->mapping->subflow_seq;
  const std::uint32_t mapped = dss->mapping->length - (dss->data_fin ? 1U : 0U);
  return skipped < mapped && octets <= mapped - skipped;
}

void Connection::take_options(Instant now, Subflow& subflow, const Received& in,
                              const tcp::Outcome& out) {
  if (subflow.phase == Subflow::Phase::Opening) {
    if (!out.established) return;
    subflow.ready_at = now;
    if (subflow.opened_by_us && has(in.header.flags, TcpFlags::Syn) && !subflow.syns_crossed) {
      on_syn_ack(now, subflow, in);
      return;
    }
    if (subflow.opened_by_us) {
      // The SYNs crossed: MPTCP has no handshake for that (RFC 8684 §3.1).
      if (subflow.is_join || !fall_back(FallbackCause::SimultaneousOpen)) {
        reset_subflow(subflow, ResetReason::MptcpSpecific);
        return;
      }
      subflow.phase = Subflow::Phase::Ready;
      return;
    }
    subflow.phase = Subflow::Phase::Ready;
    // The third segment of a join waits for an answer (RFC 8684 §3.2).
    if (subflow.is_join) subflow.tcp.request_ack();
    if (!subflow.is_join)
      snd_edge_ = max(snd_edge_, send_.begin() + subflow.tcp.window_of(in.header));
    on_ready(now, subflow);
  }
  if (fallback_.is_infinite()) return;
  if (in.count == 0) {
    on_no_option(subflow, in);
    return;
  }
  for (std::size_t i = 0; i < in.count && subflow.is_alive() && !over_; ++i)
    on_option(now, subflow, in.options[i], in);
}

void Connection::on_syn_ack(Instant now, Subflow& subflow, const Received& in) {
  if (subflow.is_join) {
    on_join_syn_ack(now, subflow, in);
  } else {
    on_first_syn_ack(subflow, in);
  }
}

void Connection::on_first_syn_ack(Subflow& subflow, const Received& in) {
  const auto* capable = in.find<MpCapable>();
  // The answer may name a lower version than the SYN did (RFC 8684 §3.1). None can: a listener of
  // version 0 wants the key of its peer in the SYN, and without it answers as TCP.
  const bool speaks = capable != nullptr && Version{capable->version} == version_ &&
                      capable->sender_key && !capable->receiver_key && capable->hmac &&
                      !capable->extensibility;
  subflow.phase = Subflow::Phase::Unconfirmed;
  if (!speaks) {
    fall_back(FallbackCause::SynAckWithoutOption);
    subflow.phase = Subflow::Phase::Ready;
    return;
  }
  ++env_.stats.mp_capable_syn_ack_rx;
  checksum_ = checksum_ || capable->checksum;
  remotes_.front().joinable = !capable->no_join_here;
  set_remote_key(*capable->sender_key);
  // Version 0 has no data segment that could say both keys: they go before any.
  if (version_ == Version::V0) subflow.tcp.request_bare_ack();
  snd_edge_ = max(snd_edge_, send_.begin() + subflow.tcp.window_of(in.header));
}

void Connection::on_join_syn_ack(Instant now, Subflow& subflow, const Received& in) {
  const auto* answer = in.find<MpJoinSynAck>();
  if (answer == nullptr) {
    reset_subflow(subflow, ResetReason::MptcpSpecific);
    return;
  }
  ++env_.stats.mp_join_syn_ack_rx;
  const Hmac hmac =
      join_hmac({remote_key_, local_key_, answer->nonce, subflow.local_nonce}, version_);
  if (leftmost_64(hmac) != answer->hmac) {
    ++env_.stats.mp_join_syn_ack_hmac_failure;
    reset_subflow(subflow, ResetReason::MptcpSpecific);
    return;
  }
  subflow.remote_nonce = answer->nonce;
  subflow.remote_id = answer->address_id;
  subflow.backup_there = answer->backup;
  subflow.phase = Subflow::Phase::Unconfirmed;
  subflow.third_ack_at = now + subflow.tcp.rto();
}

void Connection::on_no_option(Subflow& subflow, const Received& in) {
  // Until the peer has spoken once, silence means that it does not understand us, or that
  // something takes its options away (RFC 8684 §3.7). The third segment itself was looked at.
  if (subflow.is_join) return;
  // It may understand the handshake, and give up at the first octets that come without a mapping:
  // then TCP acknowledges them and no DATA_ACK ever does.
  const bool acked_without = !data_acked_ && subflow.tcp.acked_position() != 0;
  if (heard_dss_ && !acked_without) return;
  if (!subflow.opened_by_us && in.is_third) return;
  // A peer whose first segments never got a mapping of ours went on as TCP, whatever was seen of
  // its own. What it acknowledged is the stream if this subflow carried all of it, once.
  const bool is_stream = subflow.tcp.written_position() == data_nxt_ - (local_.idsn + 1U);
  const bool peer_fell = acked_without && is_stream;
  if (!fall_back(peer_fell ? FallbackCause::NeverDataAcked : FallbackCause::FirstSegmentWithout)) {
    reset_subflow(subflow, ResetReason::MiddleboxInterference);
    return;
  }
  infinite_map_pending_ = peer_fell;
}

void Connection::confirm(Instant now, Subflow& subflow) {
  heard_dss_ = true;
  fallback_.on_peer_confirmed();
  if (subflow.phase != Subflow::Phase::Unconfirmed) return;
  subflow.phase = Subflow::Phase::Ready;
  subflow.third_ack_at = kNever;
  on_ready(now, subflow);
}

void Connection::on_option(Instant now, Subflow& subflow, const Option& option,
                           const Received& in) {
  if (const auto* dss = std::get_if<Dss>(&option)) {
    confirm(now, subflow);
    on_dss(subflow, *dss, in);
  } else if (const auto* capable = std::get_if<MpCapable>(&option)) {
    // On the first segment with data it is the mapping too (RFC 8684 §3.1).
    if (subflow.is_join || !capable->data_length) return;
    heard_dss_ = true;
    const DssMapping mapping{.dsn = {first_rcv_.raw(), true},
                             .subflow_seq = 1,
                             .length = *capable->data_length,
                             .checksum = capable->data_checksum};
    note_mapping(subflow, mapping, first_rcv_, mapping.length);
  } else if (const auto* add = std::get_if<AddAddr>(&option)) {
    on_add_addr(now, subflow, *add);
  } else if (const auto* removed = std::get_if<RemoveAddr>(&option)) {
    on_remove_addr(now, *removed);
  } else if (const auto* priority = std::get_if<MpPrio>(&option)) {
    on_priority(subflow, *priority);
  } else if (std::holds_alternative<MpFail>(option)) {
    ++env_.stats.mp_fail_rx;
    // RFC 8684 §3.7: the data stream goes on as TCP, from an infinite mapping on.
    if (fall_back(FallbackCause::PeerFellBack)) {
      infinite_map_pending_ = true;
    } else {
      reset_subflow(subflow, ResetReason::MiddleboxInterference);
    }
  } else if (const auto* fastclose = std::get_if<MpFastclose>(&option)) {
    if (fastclose->receiver_key != local_key_) {
      ++env_.stats.fastclose_wrong_key;
      return;
    }
    ++env_.stats.mp_fastclose_rx;
    was_reset_ = true;
    for_each_alive([&](Subflow& each) { reset_subflow(each, ResetReason::MptcpSpecific); });
  }
}

void Connection::on_dss(Subflow& subflow, const Dss& dss, const Received& in) {
  if (dss.data_ack)
    on_data_ack(complete(*dss.data_ack, send_.begin()), subflow.tcp.window_of(in.header));
  if (dss.mapping) on_mapping(subflow, *dss.mapping, dss.data_fin);
  if (dss.data_fin && in.payload == 0) subflow.tcp.request_ack();
}

void Connection::on_data_ack(Dsn ack, std::uint32_t window) {
  const bool fin_sent = sends_data_fin();
  const Dsn limit = data_nxt_ + (fin_sent ? 1U : 0U);
  if (ack > limit) {
    ++env_.stats.data_acks_unacceptable;
    return;
  }
  if (fin_sent && ack == limit) fin_acked_ = true;
  const Dsn octets = min(ack, data_nxt_);
  if (octets > send_.begin()) {
    data_acked_ = true;
    send_.acknowledge(octets);
    reinject_.erase_below(octets);
    rescued_.erase_below(octets);
    // Where one piece was missing that subflows had brought, so is the next that nobody carries; a
    // timeout for each would take for ever (as RFC 6582 §3.2 has it for TCP).
    if (octets < recover_ && !is_carried_well(octets)) reinject_head();
  }
  // The window counts from the DATA_ACK, whatever path it came by (RFC 8684 §3.3.2).
  snd_edge_ = max(snd_edge_, ack + window);
}

void Connection::on_mapping(Subflow& subflow, const DssMapping& mapping, bool data_fin) {
  const Dsn dsn = complete(mapping.dsn, rcv_nxt());
  peer_is_wide_ = mapping.dsn.wide;
  if (mapping.length == 0) {
    if (!fall_back(FallbackCause::PeerFellBack))
      reset_subflow(subflow, ResetReason::MiddleboxInterference);
    return;
  }
  const std::uint32_t octets = mapping.length - (data_fin ? 1U : 0U);
  if (data_fin && !peer_fin_) {
    const std::uint64_t position = (dsn + octets) - first_rcv_;
    // Beyond the window nothing of the peer can end.
    if (position >= receive_.next() && position <= rcv_edge_ + 1) peer_fin_ = position;
  }
  if (octets != 0 && mapping.subflow_seq != 0) note_mapping(subflow, mapping, dsn, octets);
}

void Connection::note_mapping(Subflow& subflow, const DssMapping& wire, Dsn dsn,
                              std::uint32_t octets) {
  Mapping mapping{.position = nearest(wire.subflow_seq - 1, subflow.delivered),
                  .dsn = dsn,
                  .length = octets,
                  .checksum = checksum_ ? wire.checksum : std::nullopt};
  fallback_.on_mapping();
  if (checksum_ && !wire.checksum) {
    // Both had agreed on it (RFC 8684 §3.3.1).
    reset_subflow(subflow, ResetReason::MptcpSpecific);
    return;
  }
  if (static_cast<std::int64_t>(mapping.position - subflow.delivered) < 0) {
    const std::uint64_t known = subflow.delivered - mapping.position;
    if (known >= mapping.length) return;
    // Part of it was given up already, so the checksum has nothing to say.
    mapping.position += known;
    mapping.dsn += known;
    mapping.length -= static_cast<std::uint32_t>(known);
    mapping.checksum.reset();
  }
  const MappingList::Added added = subflow.received.insert(mapping);
  if (added == MappingList::Added::Contradiction || added == MappingList::Added::Full)
    ++env_.stats.dss_not_matching;
}

void Connection::on_reset(Subflow& subflow, const Received& in) {
  if (const auto* why = in.find<MpTcprst>()) {
    ++env_.stats.mp_rst_rx;
    subflow.reset_reason = why->reason;
  }
  const auto* fastclose = in.find<MpFastclose>();
  if (fastclose == nullptr || fallback_.is_infinite()) return;
  if (fastclose->receiver_key != local_key_) {
    ++env_.stats.fastclose_wrong_key;
    return;
  }
  ++env_.stats.mp_fastclose_rx;
  was_reset_ = true;
  for_each_alive([&](Subflow& each) {
    if (&each != &subflow) reset_subflow(each, ResetReason::MptcpSpecific);
  });
}

void Connection::drain(Instant now, Subflow& subflow, tcp::Outcome& up) {
  if (subflow.phase == Subflow::Phase::Opening) return;
  while (Packet packet = subflow.tcp.take_packet(now)) {
    subflow.bytes_received += packet.size();
    if (!deliver(subflow, std::move(packet), up)) return;
  }
  size_receive_buffer(now);
  check_peer_fin(subflow, up);
}

bool Connection::deliver(Subflow& subflow, Packet packet, tcp::Outcome& up) {
  while (packet.size() != 0) {
    if (fallback_.is_infinite()) {
      subflow.delivered += packet.size();
      insert(receive_.next(), std::move(packet), up);
      return true;
    }
    const Mapping* found = subflow.received.find(subflow.delivered);
    if (found == nullptr) {
      if (!on_unmapped(subflow)) return false;
      continue;
    }
    const Mapping mapping = *found;
    const auto left = static_cast<std::uint32_t>(mapping.end() - subflow.delivered);
    const bool whole = packet.size() <= left;
    Packet part = whole ? std::move(packet) : split_front(packet, left);
    if (!part) {
      // The peer keeps it until the DATA_ACK, and sends it again by another way.
      reset_subflow(subflow, ResetReason::LackOfResources);
      return false;
    }
    const std::uint32_t count = part.size();
    if (mapping.checksum) {
      if (!deliver_verified(subflow, mapping, std::move(part), up)) return false;
    } else {
      take_data(subflow, mapping.dsn_at(subflow.delivered), std::move(part), up);
      subflow.delivered += count;
      subflow.received.release_below(subflow.delivered, [](Dsn, std::uint32_t) {});
    }
    if (whole) return true;
  }
  return true;
}

bool Connection::deliver_verified(Subflow& subflow, const Mapping& mapping, Packet part,
                                  tcp::Outcome& up) {
  subflow.unverified_octets += part.size();
  subflow.delivered += part.size();
  subflow.unverified.push_back(std::move(part));
  if (subflow.unverified_octets < mapping.length) return true;
  wire::Checksum sum;
  for (std::size_t i = 0; i < subflow.unverified.size(); ++i)
    sum.add(subflow.unverified[i].data());
  DataPseudoHeader header{mapping.dsn, static_cast<std::uint32_t>(mapping.position + 1),
                          static_cast<std::uint16_t>(mapping.length)};
  bool valid = is_valid_data_checksum(header, sum.folded(), *mapping.checksum);
  if (!valid && peer_fin_ && first_rcv_ + *peer_fin_ == mapping.dsn_end()) {
    // The length field counted the DATA_FIN.
    ++header.length;
    valid = is_valid_data_checksum(header, sum.folded(), *mapping.checksum);
  }
  if (!valid) {
    ++env_.stats.data_csum_err;
    ++env_.stats.mp_fail_tx;
    subflow.signals.push_last(MpFail{mapping.dsn});
    // RFC 8684 §3.7: what changes the payload of the only path is meant to, such as an application
    // gateway; where there are others, this path is not one to use.
    if (subflow.valid_checksum_seen) ++env_.stats.dss_corruption_reset;
    if (subflow.valid_checksum_seen || !fall_back(FallbackCause::BadChecksum)) {
      reset_subflow(subflow, ResetReason::MiddleboxInterference);
      return false;
    }
    subflow.tcp.request_ack();
  }
  subflow.valid_checksum_seen = true;
  subflow.unverified_octets = 0;
  Dsn dsn = mapping.dsn;
  while (!subflow.unverified.empty()) {
    Packet verified = subflow.unverified.take_front();
    const std::uint32_t count = verified.size();
    take_data(subflow, dsn, std::move(verified), up);
    dsn += count;
  }
  subflow.received.release_below(subflow.delivered, [](Dsn, std::uint32_t) {});
  return true;
}

bool Connection::on_unmapped(Subflow& subflow) {
  if (!subflow.is_join && fall_back(FallbackCause::DataWithoutMapping)) return true;
  ++env_.stats.dss_no_match_tcp;
  reset_subflow(subflow, ResetReason::MiddleboxInterference);
  return false;
}

void Connection::take_data(Subflow& subflow, Dsn dsn, Packet packet, tcp::Outcome& up) {
  const std::uint64_t position = dsn - first_rcv_;
  const std::uint64_t end = position + packet.size();
  if (static_cast<std::int64_t>(end - receive_.next()) <= 0) {
    ++env_.stats.duplicate_data;
    return;
  }
  const auto before = static_cast<std::int64_t>(receive_.next() - position);
  if (before > 0) {
    packet.trim_front(static_cast<std::uint32_t>(before));
    insert(receive_.next(), std::move(packet), up);
  } else if (end > rcv_edge_) {
    // The window was the peer's to keep to; it sends this again when there is room.
    ++env_.stats.no_dss_in_window;
    return;
  } else {
    insert(position, std::move(packet), up);
  }
  check_peer_fin(subflow, up);
}

void Connection::take_mapped(Subflow& subflow, Dsn dsn, std::span<Packet> run, std::uint32_t octets,
                             tcp::Outcome& up) {
  const std::uint64_t position = dsn - first_rcv_;
  if (position == receive_.next() && position + octets <= rcv_edge_ && !detached_) {
    receive_.append_run(run, octets);
    up.readable = true;
    rate_arrived_ += octets;
    rcv_edge_ = std::max(rcv_edge_, receive_.next());
    check_peer_fin(subflow, up);
    return;
  }
  if (position < rcv_edge_ && position + octets <= rcv_edge_ && !detached_ &&
      receive_.hold_run(position, run, octets)) {
    env_.stats.ofo_queue += run.size();
    rate_arrived_ += octets;
    make_room_behind_holes();
    return;
  }
  for (Packet& packet : run) {
    const std::uint32_t count = packet.size();
    take_data(subflow, dsn, std::move(packet), up);
    dsn += count;
  }
}

void Connection::insert(std::uint64_t position, Packet packet, tcp::Outcome& up) {
  if (detached_) {
    // Octets that nobody will read: the peer must not believe that they were (RFC 1122 §4.2.2.13).
    ++env_.tcp.stats.segments_after_close;
    abort();
    up.closed = true;
    return;
  }
  const std::uint32_t octets = packet.size();
  const ReorderQueue::Inserted inserted = receive_.insert(position, std::move(packet));
  if (inserted.in_order != 0) up.readable = true;
  if (inserted.out_of_order) {
    ++env_.stats.ofo_queue;
    make_room_behind_holes();
  }
  if (inserted.duplicate) {
    ++env_.stats.duplicate_data;
  } else {
    rate_arrived_ += octets;
  }
  rcv_edge_ = std::max(rcv_edge_, receive_.next());
}

void Connection::check_peer_fin(Subflow& subflow, tcp::Outcome& up) {
  if (fin_received_ || !peer_fin_ || receive_.next() != *peer_fin_ || !subflow.is_alive()) return;
  fin_received_ = true;
  up.end_of_stream = true;
  subflow.tcp.request_ack();
}

bool Connection::fall_back(FallbackCause cause) {
  std::size_t alive = 0;
  for_each_alive([&](const Subflow&) { ++alive; });
  const bool in_order = !receive_.has_holes() && reinject_.empty();
  const bool was_infinite = fallback_.is_infinite();
  if (!fallback_.enter(cause, alive <= 1, in_order, env_.stats)) return false;
  if (!was_infinite) tell({.kind = PathChange::Kind::FellBack, .cause = cause});
  reinject_.clear();
  rescued_.clear();
  peer_fin_.reset();
  meta_deadline_ = kNever;
  for_each_alive([](Subflow& subflow) {
    subflow.tcp.reserve_options(0, 0);
    if (subflow.phase == Subflow::Phase::Unconfirmed) subflow.phase = Subflow::Phase::Ready;
  });
  return true;
}

}  // namespace mptcp
