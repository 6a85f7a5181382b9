#include "mptcp/core.hpp"

#include <algorithm>
#include <utility>

#include "mptcp/core_impl.hpp"

namespace mptcp {
namespace {

/// Joined subflows that reach a core and belong to another.
constexpr std::size_t kMostVisitors = 16'384;
/// Timers run in one turn; the rest waits for the next, so that a turn stays short.
constexpr int kTimersPerTurn = 256;

net::HostConfig host_config(const CoreConfig& config, std::uint64_t seed) {
  net::HostConfig out;
  out.ports = config.ports;
  out.seed = seed;
  out.core_count = config.core_count;
  out.max_neighbors = config.max_neighbors;
  return out;
}

NodeAddresses addresses_of(const CoreConfig& config) {
  NodeAddresses out;
  for (std::size_t i = 0; i < config.ports.size(); ++i) {
    const auto port = static_cast<PortIndex>(i);
    if (config.ports[i].backup) out.backup_ports.push_back(port);
    for (const dataplane::Prefix& prefix : config.ports[i].addresses) {
      // Both sides number their addresses in the order of their ports, from 1 (RFC 8684 §3.2).
      const auto id = static_cast<AddressId>(out.all.size() + 1);
      if (out.all.size() < 255)
        out.all.push_back({id, prefix.address, static_cast<std::uint8_t>(prefix.length), port});
    }
  }
  return out;
}

/// Half of the packets may wait for readers; the other half keeps devices and senders going.
std::size_t receive_share_of(dataplane::PacketPool& pool) {
  const Packet sample = pool.alloc();
  return sample ? pool.available() / 2 * sample.footprint() : 0;
}

}  // namespace

std::string_view name_of(SocketError error) {
  switch (error) {
    case SocketError::AddressInUse:
      return "address in use";
    case SocketError::AddressNotAvailable:
      return "address not available on any port";
    case SocketError::NoRoute:
      return "no port can reach the remote address";
    case SocketError::TooManyConnections:
      return "too many connections";
    case SocketError::NoSuchSocket:
      return "no such socket";
    case SocketError::NotMultipath:
      return "the connection does not speak Multipath TCP";
    case SocketError::NoSuchPath:
      return "the connection has no such path";
    case SocketError::OnlyPath:
      return "the connection has no other path";
    case SocketError::TooManyPaths:
      return "the connection has as many paths as it may";
    case SocketError::Busy:
      return "too much waits to be told to the peer";
  }
  return "unknown";
}

Core::Impl::Impl(CoreConfig core_config, dataplane::PacketPool& pool)
    : config(std::move(core_config)),
      rng(config.seed),
      host(host_config(config, rng.next()), pool),
      flows(config.max_connections, rng.next()),
      steering(config.core_count),
      full_devices(config.ports.size()),
      blocks(config.send_memory),
      receive_memory(receive_share_of(pool)),
      secrets(rng.next(), rng.next()),
      syn_table(config.syn_table_size, rng.next(), rng.next()),
      addresses(addresses_of(config)),
      tokens(config.max_connections),
      visitors(config.core_count > 1 ? kMostVisitors : 0, rng.next()),
      key_secret{rng.next(), rng.next()},
      cookie_secret{rng.next(), rng.next()},
      next_port_offset(static_cast<std::uint16_t>(rng.next())) {}

Core::Core(CoreConfig config, dataplane::PacketPool& pool)
    : impl_(std::make_unique<Impl>(std::move(config), pool)) {}
Core::~Core() = default;

void Core::on_frames(Instant now, PortIndex port, std::span<Packet> frames) {
  impl_->host.on_frames(now, port, frames, impl_->batch);
  for (Packet& shared : impl_->batch.for_all_cores)
    impl_->pass_on({Foreign::kEveryCore, port, std::move(shared)});
  impl_->on_batch(now);
}

void Core::on_passed_frames(Instant now, PortIndex port, std::span<Packet> frames) {
  impl_->host.on_frames(now, port, frames, impl_->batch);
  impl_->were_passed = true;
  impl_->on_batch(now);
  impl_->were_passed = false;
}

void Core::on_shared_frames(Instant now, PortIndex port, std::span<Packet> frames) {
  impl_->host.on_shared_frames(now, port, frames, impl_->batch);
  impl_->on_batch(now);
}

void Core::Impl::on_batch(Instant now) {
  for (wire::ReceivedSegment& received : batch.segments)
    on_run(now, received, batch.continued_of(received));
  for (const net::PathEvent& event : batch.events)
    on_path_event(now, event);
  batch.clear();
}

void Core::Impl::on_run(Instant now, wire::ReceivedSegment& received, std::span<Packet> more) {
  stats.tcp.segments_received += 1 + more.size();
  if (more.empty()) {
    on_segment(now, received, more);
    return;
  }
  const wire::TcpHeader header = received.segment.header;
  const std::uint32_t size = received.segment.payload_length();
  const auto to_payload = received.segment.payload.begin() - header.options.mptcp.data();
  for (std::uint32_t gone = 0;;) {
    const std::size_t offered = more.size();
    on_segment(now, received, more);
    if (more.empty()) return;
    // The next one goes by itself: its header is the first's, but for its place.
    gone += 1 + static_cast<std::uint32_t>(offered - more.size());
    wire::TcpSegment& next = received.segment;
    next.payload = std::move(more.front());
    more = more.subspan(1);
    next.header = header;
    next.header.seq = header.seq + gone * size;
    if (!header.options.mptcp.empty())
      next.header.options.mptcp = {next.payload.begin() - to_payload, header.options.mptcp.size()};
  }
}

void Core::on_deadline(Instant now) {
  Impl& self = *impl_;
  if (self.wheel) {
    for (int i = 0; i < kTimersPerTurn; ++i) {
      const auto index = self.wheel->pop_expired(now);
      if (!index) break;
      Slot& slot = *self.slots[*index];
      if (slot.in_use())
        self.after_input(*index, slot.visit([&](auto& c) { return c.on_deadline(now); }));
    }
  }
  if (self.syn_table.next_deadline() <= now) self.on_syn_deadline(now);
  if (self.host.next_deadline() <= now) {
    self.host.on_deadline(now, self.batch);
    self.on_batch(now);
  }
}

Instant Core::next_deadline() const {
  Instant next = std::min(impl_->host.next_deadline(), impl_->syn_table.next_deadline());
  return impl_->wheel ? std::min(next, impl_->wheel->next_deadline()) : next;
}

bool Core::has_pending_transmit() const { return !impl_->pending.empty(); }

void Core::poll_transmit(Instant now) {
  Impl& self = *impl_;
  if (!self.wheel) {
    self.wheel.emplace(now);
    if (self.config.core_index == 0) self.host.announce(now);
  }
  self.look_at_devices();
  // One visit for each that waits; who has more to send queues up again.
  for (std::size_t left = self.pending.size(); left > 0; --left)
    self.transmit_from(now, self.pending.take_front());
}

void Core::Impl::look_at_devices() {
  // A device that left frames behind has a full ring: whatever queues up behind that gains no rate
  // and only makes the round trip longer, which nobody sees as congestion because nothing is lost.
  for (std::size_t i = 0; i < full_devices.size(); ++i)
    full_devices[i] = host.tx_backlog(static_cast<PortIndex>(i)) != 0;
}

std::size_t Core::Impl::tx_room(PortIndex port) const {
  return full_devices[dataplane::index_of(port)] ? 0 : host.tx_room(port);
}

void Core::Impl::transmit_from(Instant now, std::uint32_t index) {
  Slot& slot = *slots[index];
  slot.pending = false;
  if (slot.meta) {
    transmit_meta(now, index);
    return;
  }
  if (!slot.connection) return;
  tcp::Connection& connection = *slot.connection;
  const auto next = [&](wire::TxSegment& segment, std::uint32_t most) {
    return connection.poll_transmit(now, segment, most);
  };
  if (send_all(now, slot.tuple, slot.port, next)) mark_pending(index);
  if (index >= wheel->size()) wheel->resize(static_cast<std::uint32_t>(slots.size()));
  wheel->arm(index, connection.next_deadline());
  release_if_done(index);
}

void Core::Impl::send(Instant now, const FourTuple& tuple, const wire::TxSegment& segment) {
  if (!host.send(now, tuple, segment)) ++stats.sends_refused;
}

void Core::Impl::mark_pending(std::uint32_t index) {
  Slot& slot = *slots[index];
  if (slot.pending) return;
  slot.pending = true;
  pending.push_back(index);
}

void Core::Impl::tell(std::uint32_t index, Event::Kind kind) {
  const tcp::CloseReason reason =
      slots[index]->visit([](const auto& c) { return c.close_reason(); });
  events.push_back({id_of(index), kind, reason});
}

void Core::Impl::after_input(std::uint32_t index, const tcp::Outcome& out) {
  Slot& slot = *slots[index];
  mark_pending(index);
  if (out.closed && slot.visit([](const auto& c) { return c.is_time_wait(); }))
    time_wait.push_back(id_of(index));
  if (!slot.held) return;
  if (out.established && !slot.told_connected) {
    slot.told_connected = true;
    tell(index, Event::Kind::Connected);
  }
  if (out.readable && !slot.told_readable) {
    slot.told_readable = true;
    tell(index, Event::Kind::Readable);
  }
  if (out.end_of_stream && !slot.told_end) {
    slot.told_end = true;
    tell(index, Event::Kind::EndOfStream);
  }
  if (out.writable && !out.established) tell(index, Event::Kind::Writable);
  if (slot.meta && slot.meta->has_path_change() && !slot.told_paths && !slot.told_closed) {
    slot.told_paths = true;
    tell(index, Event::Kind::PathChanged);
  }
  if (out.closed && !slot.told_closed) {
    slot.told_closed = true;
    tell(index, Event::Kind::Closed);
  }
}

std::optional<std::uint32_t> Core::Impl::take_slot() {
  if (connections >= config.max_connections) {
    // TIME-WAIT protects against old segments only; a new connection is worth more.
    while (!time_wait.empty() && connections >= config.max_connections) {
      const SocketId oldest = time_wait.take_front();
      const auto index = static_cast<std::uint32_t>(oldest);
      const Slot& slot = *slots[index];
      const bool current = id_of(index) == oldest && slot.in_use();
      if (!current || slot.held || slot.queued) continue;
      if (!slot.visit([](const auto& c) { return c.is_time_wait(); })) continue;
      ++stats.tcp.time_wait_recycled;
      release(index);
    }
    if (connections >= config.max_connections) return std::nullopt;
  }
  if (free_slots.empty()) {
    free_slots.push_back(static_cast<std::uint32_t>(slots.size()));
    slots.push_back(std::make_unique<Slot>());
  }
  const std::uint32_t index = free_slots.back();
  free_slots.pop_back();
  return index;
}

std::optional<std::uint32_t> Core::Impl::open_slot(const FourTuple& tuple, PortIndex port) {
  const auto index = take_slot();
  if (!index) {
    ++stats.tcp.no_memory;
    return std::nullopt;
  }
  Slot& slot = *slots[*index];
  const std::uint32_t generation = slot.generation + 1;
  const bool still_pending =
      slot.pending;  // It stands in the queue from its last life; a visit finds it free or new.
  slot.connection.reset();
  slot.meta.reset();
  slot.tuple = tuple;
  slot.port = port;
  slot.generation = generation;
  slot.held = slot.queued = slot.told_readable = slot.told_end = slot.told_closed =
      slot.told_connected = slot.told_paths = false;
  slot.pending = still_pending;
  ++connections;
  return index;
}

void Core::Impl::release_if_done(std::uint32_t index) {
  const Slot& slot = *slots[index];
  if (!slot.in_use() || slot.held || slot.queued) return;
  if (slot.visit([](const auto& c) { return c.is_finished(); })) release(index);
}

void Core::Impl::release(std::uint32_t index) {
  Slot& slot = *slots[index];
  if (slot.meta) release_meta(index);
  // A new connection may have taken over the four-tuple from TIME-WAIT.
  if (flows.find(slot.tuple) == index) flows.erase(slot.tuple);
  if (wheel && index < wheel->size()) wheel->disarm(index);
  slot.connection.reset();
  --connections;
  free_slots.push_back(index);
  const auto is_over = [&](SocketId id) {
    const auto waiting = static_cast<std::uint32_t>(id);
    return id_of(waiting) != id || !slots[waiting]->in_use();
  };
  while (!time_wait.empty() && is_over(time_wait.front()))
    time_wait.pop_front();
}

net::FrameQueue& Core::tx_queue(PortIndex port) { return impl_->host.tx_queue(port); }
std::size_t Core::port_count() const { return impl_->host.port_count(); }
std::size_t Core::connection_count() const { return impl_->connections; }
const CoreStats& Core::stats() const { return impl_->stats; }
const net::Host& Core::host() const { return impl_->host; }

std::optional<Core::Foreign> Core::next_foreign() {
  if (impl_->foreign.empty()) return std::nullopt;
  return impl_->foreign.take_front();
}

std::optional<Event> Core::next_event() {
  while (!impl_->events.empty()) {
    const Event event = impl_->events.take_front();
    // What was to be read may have gone with a reset that came behind it.
    if (event.kind == Event::Kind::Readable && readable(event.socket) == 0) continue;
    // Events of sockets that were closed meanwhile are nobody's.
    if (impl_->slot_of(event.socket) != nullptr || impl_->listener_of(event.socket) != nullptr)
      return event;
  }
  return std::nullopt;
}

}  // namespace mptcp
