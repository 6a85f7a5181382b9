#include <algorithm>
#include <utility>

#include "mptcp/core_impl.hpp"

namespace mptcp {
namespace {

/// Set in the index part of an id that names a listener.
constexpr std::uint32_t kListenerBit = 1U << 31;
/// Where local ports are taken from (RFC 6056 §3.2).
constexpr std::uint16_t kFirstEphemeral = 16'384;
constexpr std::uint32_t kEphemeralPorts = 65'536 - kFirstEphemeral;

SocketId make_id(std::uint32_t index, std::uint32_t generation) {
  return static_cast<SocketId>(std::uint64_t{generation} << 32 | index);
}
std::uint32_t index_part(SocketId id) { return static_cast<std::uint32_t>(id); }
std::uint32_t generation_part(SocketId id) {
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(id) >> 32);
}

}  // namespace

SocketId Core::Impl::id_of(std::uint32_t index) const {
  return make_id(index, slots[index]->generation);
}

SocketId Core::Impl::listener_id(std::uint32_t index) const {
  return make_id(index | kListenerBit, listeners[index].generation);
}

const Slot* Core::Impl::slot_of(SocketId id) const {
  const std::uint32_t index = index_part(id);
  if (index >= slots.size()) return nullptr;
  const Slot& slot = *slots[index];
  return slot.in_use() && slot.held && slot.generation == generation_part(id) ? &slot : nullptr;
}

Slot* Core::Impl::slot_of(SocketId id) {
  return const_cast<Slot*>(std::as_const(*this).slot_of(id));
}

Listener* Core::Impl::listener_of(SocketId id) {
  const std::uint32_t index = index_part(id) & ~kListenerBit;
  if ((index_part(id) & kListenerBit) == 0 || index >= listeners.size()) return nullptr;
  Listener& listener = listeners[index];
  return listener.open && listener.generation == generation_part(id) ? &listener : nullptr;
}

std::optional<std::uint16_t> Core::Impl::choose_port(const Endpoint& remote,
                                                     const dataplane::IpAddress& local) {
  // RFC 6056 §3.3.3: an offset that only we can compute for this destination, and a counter.
  FourTuple tuple{{local, 0}, remote};
  const std::uint32_t offset = secrets.timestamp_offset(tuple);
  for (std::uint32_t i = 0; i < kEphemeralPorts; ++i) {
    const std::uint32_t step = (offset + next_port_offset++) % kEphemeralPorts;
    tuple.local.port = static_cast<std::uint16_t>(kFirstEphemeral + step);
    if (flows.find(tuple) != net::FlowTable::kNone || listener_for(tuple.local)) continue;
    if (config.core_count > 1 && steering.owner_of(tuple) != config.core_index) continue;
    return tuple.local.port;
  }
  return std::nullopt;
}

SocketResult<SocketId> Core::connect(Instant now, const ConnectOptions& options) {
  Impl& self = *impl_;
  Endpoint local = options.local.value_or(Endpoint{});
  if (local.address.is_unspecified()) {
    const auto source = self.host.source_for(options.remote.address);
    if (!source) return tl::unexpected(SocketError::NoRoute);
    local.address = *source;
  }
  if (!self.host.is_local(local.address)) return tl::unexpected(SocketError::AddressNotAvailable);
  const auto route = self.host.route(local.address, options.remote.address);
  if (!route || options.remote.port == 0) return tl::unexpected(SocketError::NoRoute);
  if (local.port == 0) {
    const auto port = self.choose_port(options.remote, local.address);
    if (!port) return tl::unexpected(SocketError::AddressInUse);
    local.port = *port;
  }
  const FourTuple tuple{local, options.remote};
  if (self.flows.find(tuple) != net::FlowTable::kNone)
    return tl::unexpected(SocketError::AddressInUse);
  const auto index = self.open_slot(tuple, route->port);
  if (!index) return tl::unexpected(SocketError::TooManyConnections);
  Slot& slot = *self.slots[*index];
  const tcp::Config& config = options.tcp ? *options.tcp : self.config.tcp;
  const Config& multipath = options.mptcp ? *options.mptcp : self.config.mptcp;
  const SubflowOpen open{tuple, route->port, self.secrets.initial_sequence(tuple, now),
                         self.secrets.timestamp_offset(tuple), self.mss_for(tuple)};
  const bool spared = multipath.enabled && self.blackholes.has(tuple.remote.address, now);
  if (spared) ++self.stats.mptcp.blackhole_spared;
  if (!multipath.enabled || spared || !self.open_meta(now, *index, open, config, multipath)) {
    slot.connection.emplace(self.environment(),
                            tcp::OpenParameters{config, open.iss, open.timestamp_offset, open.mss},
                            now);
    self.flows.insert(tuple, *index);
  }
  slot.held = true;
  self.mark_pending(*index);
  return self.id_of(*index);
}

SocketResult<SocketId> Core::listen(const Endpoint& local, std::optional<tcp::Config> tcp,
                                    std::optional<Config> mptcp) {
  Impl& self = *impl_;
  if (!local.address.is_unspecified() && !self.host.is_local(local.address))
    return tl::unexpected(SocketError::AddressNotAvailable);
  for (const Listener& other : self.listeners)
    if (other.open && other.local == local) return tl::unexpected(SocketError::AddressInUse);
  auto free = std::find_if(self.listeners.begin(), self.listeners.end(),
                           [](const Listener& listener) { return !listener.open; });
  if (free == self.listeners.end()) free = self.listeners.emplace(free);
  free->local = local;
  free->tcp = tcp.value_or(self.config.tcp);
  free->mptcp = mptcp.value_or(self.config.mptcp);
  ++free->generation;
  free->open = true;
  return self.listener_id(static_cast<std::uint32_t>(free - self.listeners.begin()));
}

std::optional<SocketId> Core::accept(SocketId id) {
  Impl& self = *impl_;
  Listener* listener = self.listener_of(id);
  while (listener != nullptr && !listener->ready.empty()) {
    const std::uint32_t index = listener->ready.take_front();
    Slot& slot = *self.slots[index];
    slot.queued = false;
    if (slot.visit([](const auto& c) { return c.is_finished(); })) {
      self.release(index);  // Reset while it waited.
      continue;
    }
    slot.held = slot.told_connected = true;
    // What happened while it waited is told now.
    tcp::Outcome missed;
    missed.readable = slot.visit([](const auto& c) { return c.readable(); }) != 0;
    missed.end_of_stream = slot.visit([](const auto& c) { return c.has_received_fin(); });
    missed.closed =
        slot.visit([](const auto& c) { return c.close_reason() != tcp::CloseReason::None; });
    self.after_input(index, missed);
    return self.id_of(index);
  }
  return std::nullopt;
}

std::size_t Core::write(Instant /*now*/, SocketId id, ByteSpan octets) {
  Slot* slot = impl_->slot_of(id);
  if (slot == nullptr) return 0;
  const std::size_t taken = slot->visit([&](auto& c) { return c.write(octets); });
  if (taken != 0) impl_->mark_pending(index_part(id));
  return taken;
}

std::size_t Core::write_reference(Instant /*now*/, SocketId id, ByteSpan octets) {
  Slot* slot = impl_->slot_of(id);
  if (slot == nullptr) return 0;
  const std::size_t taken = slot->visit([&](auto& c) { return c.write_reference(octets); });
  if (taken != 0) impl_->mark_pending(index_part(id));
  return taken;
}

void Core::Impl::after_read(Slot& slot, std::uint32_t index) {
  if (slot.visit([](const auto& c) { return c.readable(); }) == 0) slot.told_readable = false;
  if (slot.visit([](const auto& c) { return c.wants_to_ack(); })) mark_pending(index);
}

std::size_t Core::read(Instant now, SocketId id, MutableByteSpan out) {
  Slot* slot = impl_->slot_of(id);
  if (slot == nullptr) return 0;
  const std::size_t count = slot->visit([&](auto& c) { return c.read(now, out); });
  impl_->after_read(*slot, index_part(id));
  return count;
}

Packet Core::read_packet(Instant now, SocketId id) {
  Slot* slot = impl_->slot_of(id);
  if (slot == nullptr) return {};
  Packet packet = slot->visit([&](auto& c) { return c.take_packet(now); });
  impl_->after_read(*slot, index_part(id));
  return packet;
}

void Core::shutdown(Instant now, SocketId id) {
  Slot* slot = impl_->slot_of(id);
  if (slot == nullptr) return;
  slot->close(now);
  impl_->mark_pending(index_part(id));
}

void Core::close(Instant now, SocketId id) {
  if (impl_->listener_of(id) != nullptr) {
    impl_->close_listener(now, index_part(id) & ~kListenerBit);
    return;
  }
  Slot* slot = impl_->slot_of(id);
  if (slot == nullptr) return;
  // Octets that nobody will read: the peer must not believe that they were (RFC 1122 §4.2.2.13).
  if (slot->visit([](const auto& c) { return c.readable(); }) != 0) {
    slot->visit([](auto& c) { c.abort(); });
  } else {
    slot->close(now);
    slot->visit([&](auto& c) { c.detach(now); });
  }
  slot->held = false;
  impl_->mark_pending(index_part(id));
}

void Core::abort(Instant /*now*/, SocketId id) {
  Slot* slot = impl_->slot_of(id);
  if (slot == nullptr) return;
  slot->visit([](auto& c) { c.abort(); });
  slot->held = false;
  impl_->mark_pending(index_part(id));
}

void Core::Impl::close_listener(Instant /*now*/, std::uint32_t index) {
  Listener& listener = listeners[index];
  listener.open = false;
  syn_table.remove_listener(index);
  while (!listener.ready.empty()) {
    const std::uint32_t waiting = listener.ready.take_front();
    slots[waiting]->queued = false;
    slots[waiting]->visit([](auto& c) { c.abort(); });
    mark_pending(waiting);
  }
}

std::size_t Core::writable(SocketId id) const {
  const Slot* slot = std::as_const(*impl_).slot_of(id);
  return slot == nullptr ? 0 : slot->visit([](const auto& c) { return c.writable(); });
}

std::size_t Core::readable(SocketId id) const {
  const Slot* slot = std::as_const(*impl_).slot_of(id);
  return slot == nullptr ? 0 : slot->visit([](const auto& c) { return c.readable(); });
}

bool Core::at_end_of_stream(SocketId id) const {
  const Slot* slot = std::as_const(*impl_).slot_of(id);
  return slot != nullptr && slot->visit([](const auto& c) { return c.at_end_of_stream(); });
}

SocketResult<void> Core::command(Instant now, SocketId id, const PathCommand& command) {
  if (impl_->slot_of(id) == nullptr) return tl::unexpected(SocketError::NoSuchSocket);
  return impl_->command(now, index_part(id), command);
}

bool Core::number_address(const dataplane::IpAddress& address, AddressId id) {
  auto& all = impl_->addresses.all;
  const auto own = std::find_if(all.begin(), all.end(),
                                [&](const LocalAddress& each) { return each.address == address; });
  if (own == all.end() || id == AddressId{}) return false;
  const auto other =
      std::find_if(all.begin(), all.end(), [&](const LocalAddress& each) { return each.id == id; });
  if (other != all.end()) other->id = own->id;
  own->id = id;
  return true;
}

std::optional<PathChange> Core::next_path_change(SocketId id) {
  Slot* slot = impl_->slot_of(id);
  if (slot == nullptr || !slot->meta) return std::nullopt;
  const auto change = slot->meta->next_path_change();
  if (!slot->meta->has_path_change()) slot->told_paths = false;
  return change;
}

std::optional<SocketInfo> Core::info(SocketId id) const {
  const Slot* slot = std::as_const(*impl_).slot_of(id);
  if (slot == nullptr) return std::nullopt;
  if (slot->meta) return Impl::info_of(*slot->meta);
  const tcp::Connection::Info tcp = slot->connection->info();
  return SocketInfo{.tuple = slot->tuple,
                    .state = tcp::name_of(slot->connection->state()),
                    .reason = slot->connection->close_reason(),
                    .bytes_sent = tcp.bytes_sent,
                    .bytes_acked = tcp.bytes_acked,
                    .bytes_received = tcp.bytes_received,
                    .segments_sent = tcp.segments_sent,
                    .segments_received = tcp.segments_received,
                    .segments_retransmitted = tcp.segments_retransmitted,
                    .srtt = tcp.srtt,
                    .rttvar = tcp.rttvar,
                    .rto = tcp.rto,
                    .cwnd = tcp.cwnd,
                    .in_flight = tcp.in_flight,
                    .snd_wnd = tcp.snd_wnd,
                    .rcv_wnd = tcp.rcv_wnd,
                    .mss = tcp.mss,
                    .multipath = false,
                    .subflows = {}};
}

}  // namespace mptcp
