#include <algorithm>
#include <array>
#include <bit>
#include <span>
#include <utility>

#include "dataplane/base/siphash.hpp"
#include "dataplane/tcp/listener.hpp"
#include "mptcp/core_impl.hpp"
#include "mptcp/find_option.hpp"

namespace mptcp {
namespace {

using wire::TcpFlags;

/// Keys tried before a connection goes on as TCP because their tokens are taken.
constexpr int kKeyAttempts = 8;

}  // namespace

bool Core::Impl::may_use(Key key, Version version) const {
  const Token token = digest_of(key, version).token;
  return home_of(token) == config.core_index && !tokens.find(token);
}

std::optional<Key> Core::Impl::make_key(Version version) {
  for (int i = 0; i < kKeyAttempts * config.core_count; ++i) {
    std::array<std::byte, 8> counter;
    dataplane::store_be(counter.data(), ++keys_made);
    const Key key{dataplane::siphash24(key_secret[0], key_secret[1], counter)};
    if (may_use(key, version)) return key;
  }
  ++stats.mptcp.mp_fallback_token_init;
  return std::nullopt;
}

Nonce Core::Impl::make_nonce() {
  std::array<std::byte, 8> counter;
  dataplane::store_be(counter.data(), ++keys_made);
  return Nonce{
      static_cast<std::uint32_t>(dataplane::siphash24(key_secret[1], key_secret[0], counter))};
}

std::unique_ptr<Connection> Core::Impl::make_meta(const tcp::Config& tcp, const Config& choice,
                                                  Version version, Key key, Instant now) {
  return std::make_unique<Connection>(meta_environment(), tcp, choice, version, key, now);
}

bool Core::Impl::open_meta(Instant now, std::uint32_t index, const SubflowOpen& open,
                           const tcp::Config& tcp, const Config& choice) {
  const auto key = make_key(choice.version);
  if (!key) return false;
  Slot& slot = *slots[index];
  slot.meta = make_meta(tcp, choice, choice.version, *key, now);
  if (!tokens.insert(slot.meta->local_token(), index)) {
    slot.meta.reset();
    return false;
  }
  flows.insert(open.tuple, Flow::of(index, slot.meta->open_first(open, now)));
  return true;
}

const tcp::Config& Core::Impl::tcp_config_of(const tcp::HalfOpen& half) const {
  const auto offer = std::bit_cast<Offer>(half.upper);
  if (offer.kind != Offer::Kind::Join) return listeners[half.listener].tcp;
  // The window scale that the SYN-ACK says is that of the connection which is joined.
  const Slot& slot = *slots[offer.slot];
  const bool is_there = slot.meta && slot.generation == offer.generation;
  return is_there ? slot.meta->tcp_config() : config.tcp;
}

std::optional<Version> Core::Impl::asks_for_multipath(const wire::ReceivedSegment& received,
                                                      const Config& service) {
  const wire::TcpHeader& header = received.segment.header;
  if (!service.enabled || header.options.mptcp.empty()) return std::nullopt;
  const auto capable = find_option<MpCapable>(header);
  // RFC 8684 §3.1: what asks for something that we do not know is answered as TCP.
  // Deviation: in version 0, too, where flag B asks for silence (RFC 6824 §3.1). Who set it is
  // better off with TCP than with a SYN that has to time out.
  if (!capable || capable->version > 1 || capable->receiver_key || !capable->hmac ||
      capable->extensibility)
    return std::nullopt;
  const Version version{capable->version};
  if (version < service.oldest_version || version > service.version) return std::nullopt;
  // Only a SYN of version 0 has its sender's key (RFC 6824 §3.1).
  if (capable->sender_key.has_value() != (version == Version::V0)) return std::nullopt;
  ++stats.mptcp.mp_capable_syn_rx;
  return version;
}

void Core::Impl::note_offer(const wire::ReceivedSegment& received, tcp::HalfOpen& half) {
  const Config& service = listeners[half.listener].mptcp;
  const auto version = asks_for_multipath(received, service);
  if (!version) return;
  const auto key = make_key(*version);
  if (!key) return;
  const auto capable = find_option<MpCapable>(received.segment.header);
  Offer offer;
  offer.kind = Offer::Kind::Capable;
  offer.version = *version;
  offer.local_key = *key;
  offer.remote_key = capable->sender_key.value_or(Key{});
  offer.checksum = service.checksum || capable->checksum;
  half.upper = std::bit_cast<decltype(half.upper)>(offer);
}

std::size_t Core::Impl::emit_offer(const tcp::HalfOpen& half, MutableByteSpan out) {
  const auto offer = std::bit_cast<Offer>(half.upper);
  switch (offer.kind) {
    case Offer::Kind::Tcp:
      return 0;
    case Offer::Kind::Capable: {
      MpCapable capable = capable_of(offer.version, listeners[half.listener].mptcp);
      capable.checksum = offer.checksum;
      capable.sender_key = offer.local_key;
      return emit(capable, out);
    }
    case Offer::Kind::Join: {
      const Slot& slot = *slots[offer.slot];
      if (!slot.meta || slot.generation != offer.generation) return 0;
      const MpJoinSyn asked{offer.backup, offer.remote_id, Token{}, offer.remote_nonce};
      return emit(slot.meta->answer_join(asked, offer.local_nonce, half.tuple.local.address), out);
    }
  }
  return 0;
}

void Core::Impl::refuse_join(Instant now, const wire::ReceivedSegment& received, Version version) {
  auto reset = tcp::reset_for(received.segment);
  if (!reset) return;
  std::array<std::byte, kMaxOptionLength> options;
  if (version != Version::V0) {
    const MpTcprst why{false, ResetReason::MptcpSpecific};
    reset->header.options.mptcp = std::span(options).first(emit(why, options));
    ++stats.mptcp.mp_rst_tx;
  }
  ++stats.tcp.resets_sent;
  send(now, received.tuple, *reset);
}

/// Of a flow whose addresses are this core's: the core that has it nevertheless, since it joined a
/// connection there.
std::optional<std::uint16_t> Core::Impl::other_home(Instant now,
                                                    const wire::ReceivedSegment& received) {
  const wire::TcpHeader& header = received.segment.header;
  const bool opens =
      has(header.flags, TcpFlags::Syn) && !has(header.flags, TcpFlags::Ack | TcpFlags::Rst);
  if (!opens) return visitors.find(received.tuple, now);
  const auto join = find_option<MpJoinSyn>(header);
  if (!join || home_of(join->token) == config.core_index) {
    visitors.erase(received.tuple);
    return std::nullopt;
  }
  visitors.add(received.tuple, home_of(join->token), now);
  ++stats.mptcp.joins_on_foreign_core;
  return home_of(join->token);
}

bool Core::Impl::on_join_syn(Instant now, wire::ReceivedSegment& received) {
  const auto join = find_option<MpJoinSyn>(received.segment.header);
  if (!join) return false;
  ++stats.mptcp.mp_join_syn_rx;
  const auto place = tokens.find(join->token);
  if (!place) {
    ++stats.mptcp.mp_join_no_token_found;
    refuse_join(now, received);
    return true;
  }
  Slot& slot = *slots[*place];
  tcp::HalfOpen* half = syn_table.find(received.tuple);
  const tcp::PeerSyn syn = tcp::PeerSyn::from(received.segment.header);
  tcp::HalfOpen* const known = half != nullptr ? half : find_aside(received.tuple);
  if (known != nullptr && known->syn.irs == syn.irs) {
    known->syn.ecn = known->syn.ecn && syn.ecn;  // Or the path does not bear that SYN.
    send_syn_ack(now, *known);                   // Our answer was lost.
    return true;
  }
  if (half != nullptr) syn_table.remove(*half);
  if (!slot.meta->may_be_joined(received.tuple.local)) {
    ++stats.mptcp.mp_join_rejected;
    refuse_join(now, received, slot.meta->version());
    return true;
  }
  half = syn_table.add(received.tuple);
  tcp::HalfOpen* const kept = half;
  if (half == nullptr) {
    half = &aside_for(received.tuple);
    *half = {};
    half->tuple = received.tuple;
  }
  Offer offer;
  offer.kind = Offer::Kind::Join;
  offer.slot = *place;
  offer.generation = slot.generation;
  offer.local_nonce = make_nonce();
  offer.remote_nonce = join->nonce;
  offer.remote_id = join->address_id;
  offer.backup = join->backup;
  half->upper = std::bit_cast<decltype(half->upper)>(offer);
  half->syn = syn;
  half->iss = secrets.initial_sequence(received.tuple, now);
  half->timestamp_offset = secrets.timestamp_offset(received.tuple);
  half->mss = mss_for(received.tuple);
  half->sent_at = now;
  half->listener = kNoListener;
  if (kept != nullptr) {
    syn_table.set_deadline(*half, now + config.tcp.rto_initial);
  } else {
    ++stats.mptcp.joins_kept_aside;
  }
  send_syn_ack(now, *half);
  return true;
}

/// The keys of both sides, which the third segment has. In version 0 that one is not repeated, and
/// the SYN said as much: any option of the peer shows that it has our key (RFC 6824 §3.1).
std::optional<MpCapable> Core::Impl::keys_of(const Offer& offer, const wire::TcpHeader& header) {
  const auto capable = find_option<MpCapable>(header);
  const bool from_syn = offer.version == Version::V0 && offer.remote_key != Key{};
  if (!capable && from_syn) {
    MpCapable known;
    known.version = 0;
    known.checksum = offer.checksum;
    known.sender_key = offer.remote_key;
    return known;
  }
  if (!capable || Version{capable->version} != offer.version || !capable->sender_key ||
      capable->receiver_key != offer.local_key)
    return std::nullopt;
  if (from_syn && capable->sender_key != offer.remote_key) return std::nullopt;
  return capable;
}

bool Core::Impl::on_third_segment(Instant now, const tcp::HalfOpen& half, bool first_try,
                                  wire::ReceivedSegment& received) {
  const auto offer = std::bit_cast<Offer>(half.upper);
  if (offer.kind == Offer::Kind::Tcp) return open_passive(now, half, first_try, received);
  if (offer.kind == Offer::Kind::Join) return accept_join(now, half, first_try, received);
  const wire::TcpHeader& header = received.segment.header;
  if (header.options.mptcp.empty()) {
    ++stats.mptcp.mp_capable_fallback_ack;
    return open_passive(now, half, first_try, received);
  }
  const auto capable = keys_of(offer, header);
  if (!capable) {
    // Something behind the third segment overtook it: without the peer's key it says nothing, and
    // the peer repeats the key with its first data (RFC 8684 §3.1).
    ++stats.mptcp.third_acks_awaited;
    return false;
  }
  Listener& listener = listeners[half.listener];
  if (listener.ready.size() >= config.accept_backlog) {
    ++stats.tcp.accept_overflows;
    return false;
  }
  auto meta = make_meta(listener.tcp, listener.mptcp, offer.version, offer.local_key, now);
  const auto index = open_slot(half.tuple, received.port);
  if (!index) return false;
  if (!tokens.insert(meta->local_token(), *index)) {
    ++stats.mptcp.mp_fallback_token_init;
    release(*index);
    return false;
  }
  Slot& slot = *slots[*index];
  slot.meta = std::move(meta);
  SubflowOpen open{half.tuple, received.port, half.iss, half.timestamp_offset, half.mss};
  if (const auto route = host.route(half.tuple.local.address, half.tuple.remote.address))
    open.port = slot.port = route->port;
  const SubflowId id = slot.meta->accept_first(
      open, half.syn, now, first_try ? std::optional(half.sent_at) : std::nullopt, *capable);
  flows.insert(half.tuple, Flow::of(*index, id));
  after_input(*index, slot.meta->on_segment(now, id, std::move(received.segment)));
  admit(*index, half.listener);
  return true;
}

bool Core::Impl::accept_join(Instant now, const tcp::HalfOpen& half, bool first_try,
                             wire::ReceivedSegment& received) {
  const auto offer = std::bit_cast<Offer>(half.upper);
  Slot& slot = *slots[offer.slot];
  if (!slot.meta || slot.generation != offer.generation ||
      !slot.meta->may_be_joined(half.tuple.local)) {
    ++stats.mptcp.mp_join_rejected;
    refuse_join(now, received);
    return true;
  }
  const auto third = find_option<MpJoinAck>(received.segment.header);
  // Only the third segment, which is repeated until it is answered, can tell (RFC 8684 §3.2).
  if (!third && !received.segment.header.options.mptcp.empty()) return false;
  ++stats.mptcp.mp_join_ack_rx;
  if (!third || !slot.meta->proves_keys(*third, offer.local_nonce, offer.remote_nonce)) {
    ++stats.mptcp.mp_join_ack_hmac_failure;
    refuse_join(now, received, slot.meta->version());
    return true;
  }
  SubflowOpen open{half.tuple, received.port, half.iss, half.timestamp_offset, half.mss};
  if (const auto route = host.route(half.tuple.local.address, half.tuple.remote.address))
    open.port = route->port;
  const SubflowId id = slot.meta->accept_join(
      open, half.syn, now, first_try ? std::optional(half.sent_at) : std::nullopt,
      {offer.remote_id, offer.local_nonce, offer.remote_nonce, offer.backup});
  flows.insert(half.tuple, Flow::of(offer.slot, id));
  after_input(offer.slot, slot.meta->on_segment(now, id, std::move(received.segment)));
  return true;
}

void Core::Impl::on_subflow_segment(Instant now, std::uint32_t flow,
                                    wire::ReceivedSegment& received, std::span<Packet>& more) {
  const wire::TcpHeader& header = received.segment.header;
  const bool opens =
      has(header.flags, TcpFlags::Syn) && !has(header.flags, TcpFlags::Ack | TcpFlags::Rst);
  if (opens && reuse_subflow(now, flow, received)) return;
  const std::uint32_t index = Flow::slot(flow);
  Connection& meta = *slots[index]->meta;
  const tcp::Outcome out = meta.on_run(now, Flow::id(flow), std::move(received.segment), more);
  if (out.established && meta.met_a_blackhole()) {
    ++stats.mptcp.blackhole;
    blackholes.add(slots[index]->tuple.remote.address, now + meta.blackhole_time());
  }
  after_input(index, out);
}

bool Core::Impl::reuse_subflow(Instant now, std::uint32_t flow,
                               const wire::ReceivedSegment& received) {
  const std::uint32_t index = Flow::slot(flow);
  Connection& meta = *slots[index]->meta;
  const tcp::Connection& old = meta.subflow(Flow::id(flow))->tcp;
  const auto listener = listener_for(received.tuple.local);
  if (!listener || !old.allows_reuse_by(received.segment.header)) return false;
  ++stats.tcp.time_wait_reused;
  const dataplane::SeqNum beyond = old.snd_nxt() + 0x1'0000U;
  flows.erase(received.tuple);
  meta.remove(Flow::id(flow), now);
  release_if_done(index);
  on_syn(now, *listener, received, beyond);
  return true;
}

bool Core::Impl::open_join(Instant now, std::uint32_t index, const JoinWish& wish) {
  const auto route = host.route(wish.local, wish.remote.address);
  if (!route || wish.remote.port == 0) return false;
  FourTuple tuple{{wish.local, 0}, wish.remote};
  const auto port = choose_port(wish.remote, wish.local);
  if (!port) return false;
  tuple.local.port = *port;
  const SubflowOpen open{tuple, route->port, secrets.initial_sequence(tuple, now),
                         secrets.timestamp_offset(tuple), mss_for(tuple)};
  Connection& meta = *slots[index]->meta;
  if (flows.size() >= flows.max_size()) return false;
  flows.insert(tuple, Flow::of(index, meta.open_join(open, wish, make_nonce(), now)));
  return true;
}

SocketResult<void> Core::Impl::command(Instant now, std::uint32_t index,
                                       const PathCommand& command) {
  Connection* const meta = slots[index]->meta.get();
  if (meta == nullptr) return tl::unexpected(SocketError::NotMultipath);
  if (const auto* open = std::get_if<OpenPath>(&command)) {
    const auto wish = meta->wish_for(*open);
    if (!wish) return tl::unexpected(wish.error());
    if (!open_join(now, index, *wish)) return tl::unexpected(SocketError::NoRoute);
    mark_pending(index);
    return {};
  }
  const auto out = std::visit(
      [&](const auto& chosen) -> Connection::Commanded {
        if constexpr (std::is_same_v<std::decay_t<decltype(chosen)>, OpenPath>)
          return {};
        else
          return meta->command(now, chosen);
      },
      command);
  if (!out) return tl::unexpected(out.error());
  after_input(index, *out);
  return {};
}

void Core::Impl::open_joins(Instant now, std::uint32_t index) {
  Connection& meta = *slots[index]->meta;
  while (const auto wish = meta.next_join(now))
    if (!open_join(now, index, *wish)) meta.on_join_refused(*wish, now);
}

void Core::Impl::remove_gone(Instant now, std::uint32_t index) {
  Connection& meta = *slots[index]->meta;
  while (const auto gone = meta.next_gone()) {
    const FourTuple& tuple = meta.subflow(*gone)->tuple;
    if (flows.find(tuple) == Flow::of(index, *gone)) flows.erase(tuple);
    meta.remove(*gone, now);
  }
}

void Core::Impl::transmit_meta(Instant now, std::uint32_t index) {
  Connection& meta = *slots[index]->meta;
  open_joins(now, index);
  for (SubflowId id = 0; id < meta.place_count(); ++id)
    if (Subflow* subflow = meta.subflow(id)) subflow->device_full = tx_room(subflow->port) == 0;
  meta.schedule(now);
  for (SubflowId id = 0; id < meta.place_count(); ++id) {
    const Subflow* subflow = meta.subflow(id);
    if (subflow == nullptr) continue;
    const auto next = [&](wire::TxSegment& segment, std::uint32_t most) {
      return meta.poll_transmit(now, id, segment, most);
    };
    if (send_all(now, subflow->tuple, subflow->port, next)) mark_pending(index);
  }
  if (meta.take_wanted_round()) mark_pending(index);
  remove_gone(now, index);
  if (index >= wheel->size()) wheel->resize(static_cast<std::uint32_t>(slots.size()));
  wheel->arm(index, meta.next_deadline());
  release_if_done(index);
}

void Core::Impl::release_meta(std::uint32_t index) {
  Connection& meta = *slots[index]->meta;
  tokens.erase(meta.local_token());
  for (SubflowId id = 0; id < meta.place_count(); ++id) {
    const Subflow* subflow = std::as_const(meta).subflow(id);
    if (subflow != nullptr && flows.find(subflow->tuple) == Flow::of(index, id))
      flows.erase(subflow->tuple);
  }
  slots[index]->meta.reset();
}

void Core::Impl::on_neighbor_failed(Instant now, std::uint32_t index, const net::PathEvent& event) {
  Connection& meta = *slots[index]->meta;
  for (SubflowId id = 0; id < meta.place_count(); ++id) {
    const Subflow* subflow = std::as_const(meta).subflow(id);
    if (subflow == nullptr || subflow->port != event.port) continue;
    const auto route = host.route(subflow->tuple.local.address, subflow->tuple.remote.address);
    if (route && route->next_hop == event.tuple.remote.address)
      after_input(index, meta.on_unreachable(now, id, subflow->tcp.iss()));
  }
}

void Core::Impl::on_subflow_event(Instant now, std::uint32_t flow, const net::PathEvent& event) {
  const std::uint32_t index = Flow::slot(flow);
  Connection& meta = *slots[index]->meta;
  if (event.kind != net::PathEvent::Kind::PacketTooBig) {
    after_input(index, meta.on_unreachable(now, Flow::id(flow), event.quoted_seq));
    return;
  }
  const std::uint16_t headers = tcp_headers(event.tuple.local.address);
  if (event.mtu > headers)
    meta.on_packet_too_big(now, Flow::id(flow), event.quoted_seq,
                           static_cast<std::uint16_t>(event.mtu - headers));
  mark_pending(index);
}

SocketInfo Core::Impl::info_of(const Connection& meta) {
  const Connection::Info data = meta.info();
  SocketInfo out;
  out.tuple = data.tuple;
  out.state = meta.state_name();
  out.reason = meta.close_reason();
  out.bytes_sent = data.bytes_sent;
  out.bytes_acked = data.bytes_acked;
  out.bytes_received = data.bytes_received;
  out.snd_wnd = data.snd_wnd;
  out.rcv_wnd = data.rcv_wnd;
  out.multipath = !meta.is_fallen_back();
  out.multipath_version = meta.version();
  out.subflows = meta.subflow_infos();
  for (const SubflowInfo& subflow : out.subflows) {
    out.segments_sent += subflow.segments_sent;
    out.segments_received += subflow.segments_received;
    out.segments_retransmitted += subflow.segments_retransmitted;
    out.cwnd += subflow.cwnd;
    out.in_flight += subflow.in_flight;
    out.srtt = std::max(out.srtt, subflow.srtt);
    out.rto = std::max(out.rto, subflow.rto);
    out.mss = std::max(out.mss, subflow.mss);
  }
  return out;
}

}  // namespace mptcp
