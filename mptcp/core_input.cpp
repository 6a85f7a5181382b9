#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "dataplane/tcp/listener.hpp"
#include "mptcp/core_impl.hpp"

namespace mptcp {
namespace {

using wire::TcpFlags;

/// Resets per second for segments that belong to nothing: a port scan gets answers, a flood gets
/// silence.
constexpr std::uint32_t kResetsPerSecond = 1'000;
/// Frames that wait to be passed to other cores.
constexpr std::size_t kForeignLimit = 1'024;

}  // namespace

bool Listener::takes(const Endpoint& destination) const {
  if (!open || local.port != destination.port) return false;
  if (local.address == destination.address) return true;
  // `::` takes both families, 0.0.0.0 IPv4 only.
  return local.address.is_unspecified() && (local.address.is_v6() || destination.address.is_v4());
}

std::optional<std::uint32_t> Core::Impl::listener_for(const Endpoint& local) const {
  std::optional<std::uint32_t> wildcard;
  for (std::uint32_t i = 0; i < listeners.size(); ++i) {
    if (!listeners[i].takes(local)) continue;
    if (listeners[i].local.address == local.address) return i;
    // 0.0.0.0 is the closer match for IPv4 than ::.
    if (!wildcard || listeners[i].local.address.is_v4()) wildcard = i;
  }
  return wildcard;
}

std::uint16_t Core::Impl::mss_for(const FourTuple& tuple) const {
  const std::uint16_t headers = tcp_headers(tuple.local.address);
  const auto route = host.route(tuple.local.address, tuple.remote.address);
  return route ? static_cast<std::uint16_t>(route->mtu - headers) : tcp::kDefaultMss;
}

void Core::Impl::on_segment(Instant now, wire::ReceivedSegment& received, std::span<Packet>& more) {
  const std::uint32_t found = flows.find(received.tuple);
  if (found == net::FlowTable::kNone) {
    on_unclaimed(now, received);
    return;
  }
  if (Flow::is_subflow(found)) {
    on_subflow_segment(now, found, received, more);
    return;
  }
  Slot& slot = *slots[found];
  const wire::TcpHeader& header = received.segment.header;
  const bool opens =
      has(header.flags, TcpFlags::Syn) && !has(header.flags, TcpFlags::Ack | TcpFlags::Rst);
  if (opens && slot.connection->allows_reuse_by(header)) {
    if (const auto listener = listener_for(received.tuple.local)) {
      ++stats.tcp.time_wait_reused;
      // The new connection must start beyond what the old one used (RFC 9293 §3.10.7.4).
      const dataplane::SeqNum beyond = slot.connection->snd_nxt() + 0x1'0000U;
      if (slot.held || slot.queued) {
        flows.erase(slot.tuple);
      } else {
        release(found);
      }
      on_syn(now, *listener, received, beyond);
      return;
    }
  }
  after_input(found, slot.connection->on_run(now, std::move(received.segment), more));
}

void Core::Impl::on_unclaimed(Instant now, wire::ReceivedSegment& received) {
  if (pass_on_foreign(now, received)) return;
  const TcpFlags flags = received.segment.header.flags;
  if (has(flags, TcpFlags::Syn) && !has(flags, TcpFlags::Ack | TcpFlags::Rst)) {
    // A join names its connection by a token, whatever listens at its port (RFC 8684 §3.2).
    if (!received.segment.header.options.mptcp.empty() && on_join_syn(now, received)) return;
    if (const auto listener = listener_for(received.tuple.local)) {
      on_syn(now, *listener, received, std::nullopt);
      return;
    }
  } else if (on_handshake_ack(now, received)) {
    return;
  }
  refuse(now, received);
}

bool Core::Impl::pass_on_foreign(Instant now, wire::ReceivedSegment& received) {
  if (config.core_count <= 1) return false;
  std::uint16_t owner = steering.owner_of(received.tuple);
  if (owner == config.core_index) {
    const auto home = other_home(now, received);
    if (!home) return false;
    owner = *home;
  } else if (were_passed) {
    // The owner of the addresses has passed it here: for a token of ours, or one that was.
    return false;
  }
  ++stats.segments_foreign;
  Packet frame = std::move(received.segment.payload);
  frame.prepend(received.header_length);
  pass_on({owner, received.port, std::move(frame)});
  return true;
}

void Core::Impl::pass_on(Foreign frame) {
  if (foreign.size() >= kForeignLimit) {
    ++stats.frames_foreign_dropped;
    return;
  }
  foreign.push_back(std::move(frame));
}

void Core::Impl::refuse(Instant now, const wire::ReceivedSegment& received) {
  ++stats.segments_without_connection;
  if (now - reset_second >= std::chrono::seconds(1)) {
    reset_second = now;
    resets_left = kResetsPerSecond;
  }
  const auto reset = tcp::reset_for(received.segment);
  if (!reset) return;
  if (resets_left == 0) {
    ++stats.resets_limited;
    return;
  }
  --resets_left;
  ++stats.tcp.resets_sent;
  send(now, received.tuple, *reset);
}

void Core::Impl::on_syn(Instant now, std::uint32_t listener, const wire::ReceivedSegment& received,
                        std::optional<dataplane::SeqNum> beyond) {
  ++stats.tcp.syns_received;
  const tcp::PeerSyn syn = tcp::PeerSyn::from(received.segment.header);
  tcp::HalfOpen* half = syn_table.find(received.tuple);
  if (half != nullptr && half->syn.irs == syn.irs) {
    half->syn.ecn = half->syn.ecn && syn.ecn;  // Or the path does not bear that SYN.
    send_syn_ack(now, *half);                  // Our answer was lost.
    return;
  }
  if (half != nullptr) syn_table.remove(*half);
  half = syn_table.add(received.tuple);
  if (half == nullptr) {
    send_cookie(now, listener, received);
    return;
  }
  half->syn = syn;
  half->iss = secrets.initial_sequence(received.tuple, now);
  if (beyond && half->iss < *beyond) half->iss = *beyond;
  half->timestamp_offset = secrets.timestamp_offset(received.tuple);
  half->listener = listener;
  half->mss = mss_for(received.tuple);
  note_offer(received, *half);
  half->sent_at = now;
  syn_table.set_deadline(*half, now + listeners[listener].tcp.rto_initial);
  send_syn_ack(now, *half);
}

void Core::Impl::send_syn_ack(Instant now, const tcp::HalfOpen& half) {
  const auto clock =
      static_cast<std::uint32_t>(now.time_since_epoch() / std::chrono::milliseconds(1));
  wire::TxSegment answer = tcp::syn_ack(
      half.syn, {half.iss, half.mss, clock + half.timestamp_offset}, tcp_config_of(half));
  std::array<std::byte, kMaxOptionLength> options;
  answer.header.options.mptcp = std::span(options).first(emit_offer(half, options));
  send(now, half.tuple, answer);
}

void Core::Impl::on_syn_deadline(Instant now) {
  while (tcp::HalfOpen* half = syn_table.next_expired(now)) {
    const tcp::Config& tcp = tcp_config_of(*half);
    if (half->retries >= tcp.syn_retries) {
      ++stats.tcp.attempts_failed;
      syn_table.remove(*half);
      continue;
    }
    ++half->retries;
    ++stats.tcp.segments_retransmitted;
    const Duration wait = std::min(tcp.rto_max, tcp.rto_initial * (1 << half->retries));
    syn_table.set_deadline(*half, now + wait);
    send_syn_ack(now, *half);
  }
}

bool Core::Impl::on_handshake_ack(Instant now, wire::ReceivedSegment& received) {
  const wire::TcpHeader& header = received.segment.header;
  if (tcp::HalfOpen* half = syn_table.find(received.tuple)) {
    if (has(header.flags, TcpFlags::Rst)) {
      // Only the exact sequence number ends the attempt (RFC 5961 §3.2).
      if (header.seq == half->syn.irs + 1U) syn_table.remove(*half);
      return true;
    }
    if (!has(header.flags, TcpFlags::Ack)) return true;
    if (header.ack != half->iss + 1U) return false;
    const tcp::HalfOpen copy = *half;
    if (on_third_segment(now, copy, half->retries == 0, received)) syn_table.remove(*half);
    return true;
  }
  if (!has(header.flags, TcpFlags::Ack) || has(header.flags, TcpFlags::Rst | TcpFlags::Syn))
    return false;
  return on_join_aside(now, received) || on_cookie(now, received);
}

bool Core::Impl::open_passive(Instant now, const tcp::HalfOpen& half, bool first_try,
                              wire::ReceivedSegment& received) {
  Listener& listener = listeners[half.listener];
  if (listener.ready.size() >= config.accept_backlog) {
    // The peer holds the connection open and will send again; by then there may be room.
    ++stats.tcp.accept_overflows;
    return false;
  }
  const auto index = open_slot(half.tuple, received.port);
  if (!index) return false;
  flows.insert(half.tuple, *index);
  Slot& slot = *slots[*index];
  if (const auto route = host.route(half.tuple.local.address, half.tuple.remote.address))
    slot.port = route->port;
  slot.connection.emplace(
      environment(), tcp::OpenParameters{listener.tcp, half.iss, half.timestamp_offset, half.mss},
      half.syn, now, first_try ? std::optional(half.sent_at) : std::nullopt);
  after_input(*index, slot.connection->on_segment(now, std::move(received.segment)));
  admit(*index, half.listener);
  return true;
}

void Core::Impl::admit(std::uint32_t index, std::uint32_t listener) {
  slots[index]->queued = true;
  listeners[listener].ready.push_back(index);
  events.push_back({listener_id(listener), Event::Kind::Acceptable, {}});
}

void Core::Impl::on_path_event(Instant now, const net::PathEvent& event) {
  using Kind = net::PathEvent::Kind;
  if (event.kind == Kind::NeighborFailed) {
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      Slot& slot = *slots[i];
      if (slot.meta) on_neighbor_failed(now, i, event);
      if (!slot.connection || slot.port != event.port) continue;
      const auto route = host.route(slot.tuple.local.address, slot.tuple.remote.address);
      if (route && route->next_hop == event.tuple.remote.address)
        after_input(i, slot.connection->on_unreachable(slot.connection->iss()));
    }
    return;
  }
  const std::uint32_t found = flows.find(event.tuple);
  if (found == net::FlowTable::kNone) return;
  if (Flow::is_subflow(found)) {
    on_subflow_event(now, found, event);
    return;
  }
  tcp::Connection& connection = *slots[found]->connection;
  if (event.kind != Kind::PacketTooBig) {
    after_input(found, connection.on_unreachable(event.quoted_seq));
    return;
  }
  const std::uint16_t headers = tcp_headers(event.tuple.local.address);
  if (event.mtu > headers)
    connection.on_packet_too_big(now, event.quoted_seq,
                                 static_cast<std::uint16_t>(event.mtu - headers));
  mark_pending(found);
}

}  // namespace mptcp
