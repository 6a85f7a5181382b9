#include "dataplane/net/host.hpp"

#include "dataplane/net/egress.hpp"
#include "dataplane/net/ingress.hpp"

namespace dataplane::net {

struct Host::Impl {
  Impl(const HostConfig& config, PacketPool& pool)
      : state(config, pool), egress(state), ingress(state, egress) {}

  Interface& port(PortIndex index) {
    ASSERT(index_of(index) < state.ports.size());
    return state.ports[index_of(index)];
  }

  HostState state;
  Egress egress;
  Ingress ingress;
};

Host::Host(const HostConfig& config, PacketPool& pool)
    : impl_(std::make_unique<Impl>(config, pool)) {}
Host::~Host() = default;

void Host::announce(Instant) {
  for (Interface& port : impl_->state.ports)
    for (const Prefix& prefix : port.config().addresses)
      impl_->egress.announce(port, prefix.address);
}

void Host::on_frames(Instant now, PortIndex port, std::span<Packet> frames, IngressBatch& out) {
  impl_->ingress.on_frames(now, impl_->port(port), frames, Ingress::Origin::Device, out);
}

void Host::on_shared_frames(Instant now, PortIndex port, std::span<Packet> frames,
                            IngressBatch& out) {
  impl_->ingress.on_frames(now, impl_->port(port), frames, Ingress::Origin::OtherCore, out);
}

void Host::on_deadline(Instant now, IngressBatch& out) {
  HostState& state = impl_->state;
  state.neighbors.on_deadline(now, state.actions);
  if (state.actions.empty()) return;
  for (const Neighbor& neighbor : state.actions.failed) {
    PathEvent event;
    event.kind = PathEvent::Kind::NeighborFailed;
    event.tuple.remote.address = neighbor.address;
    event.port = neighbor.port;
    out.events.push_back(event);
  }
  impl_->egress.perform(state.actions);
}

Instant Host::next_deadline() const { return impl_->state.neighbors.next_deadline(); }

Result<Route> Host::route(const IpAddress& local, const IpAddress& remote) const {
  if (remote.is_multicast() || remote.is_unspecified()) return Refused(Error::NoRoute);
  auto route = impl_->state.routes.route(local, remote);
  if (route && impl_->state.ports[index_of(route->port)].is_broadcast(remote))
    return Refused(Error::NoRoute);
  return route;
}

std::optional<IpAddress> Host::source_for(const IpAddress& remote) const {
  return impl_->state.routes.source_for(remote);
}

bool Host::is_local(const IpAddress& address) const {
  return impl_->state.routes.port_of(address).has_value();
}

Result<void> Host::send(Instant now, const FourTuple& tuple, const wire::TxSegment& segment) {
  const auto sent = impl_->egress.send(now, tuple, segment);
  if (!sent) ++impl_->state.stats.of(sent.error());
  return sent;
}

std::size_t Host::tx_room(PortIndex port) const { return impl_->port(port).tx().room(); }

std::size_t Host::tx_backlog(PortIndex port) const { return impl_->port(port).tx().size(); }

FrameQueue& Host::tx_queue(PortIndex port) { return impl_->port(port).tx(); }

std::size_t Host::port_count() const { return impl_->state.ports.size(); }

const InterfaceConfig& Host::config(PortIndex port) const { return impl_->port(port).config(); }

const HostStats& Host::stats() const { return impl_->state.stats; }

Packet copy_frame(const Packet& frame, PacketPool& pool) {
  Packet copy = pool.alloc();
  if (!copy || copy.tailroom() < frame.size()) return {};
  std::memcpy(copy.append(frame.size()), frame.begin(), frame.size());
  constexpr std::uint64_t kReceived = RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED |
                                      RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK;
  copy.mbuf()->ol_flags = frame.mbuf()->ol_flags & kReceived;
  copy.mbuf()->vlan_tci = frame.mbuf()->vlan_tci;
  return copy;
}

}  // namespace dataplane::net
