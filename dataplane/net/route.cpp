#include "dataplane/net/route.hpp"

namespace dataplane::net {

RouteTable::RouteTable(const std::vector<Interface>& ports) {
  for (const Interface& port : ports) {
    const InterfaceConfig& config = port.config();
    ports_.push_back({config.addresses, config.gateway_v4, config.gateway_v6, config.mtu});
  }
}

std::optional<PortIndex> RouteTable::port_of(const IpAddress& local) const {
  for (std::size_t i = 0; i < ports_.size(); ++i)
    for (const Prefix& prefix : ports_[i].prefixes)
      if (prefix.address == local) return PortIndex{static_cast<std::uint16_t>(i)};
  return std::nullopt;
}

std::optional<IpAddress> RouteTable::next_hop(const Port& port, const IpAddress& remote) const {
  if (remote.is_link_local()) return remote;
  for (const Prefix& prefix : port.prefixes)
    if (prefix.contains(remote)) return remote;
  return remote.is_v4() ? port.gateway_v4 : port.gateway_v6;
}

Result<Route> RouteTable::route(const IpAddress& local, const IpAddress& remote) const {
  const auto index = port_of(local);
  if (!index || local.is_v4() != remote.is_v4()) return Refused(Error::NoRoute);
  const Port& port = ports_[index_of(*index)];
  const auto hop = next_hop(port, remote);
  if (!hop) return Refused(Error::NoRoute);
  return Route{*index, *hop, port.mtu};
}

std::optional<IpAddress> RouteTable::source_for(const IpAddress& remote) const {
  for (const Port& port : ports_)
    for (const Prefix& prefix : port.prefixes)
      if (prefix.contains(remote)) return prefix.address;
  for (const Port& port : ports_) {
    if (!next_hop(port, remote)) continue;
    for (const Prefix& prefix : port.prefixes)
      if (prefix.address.is_v4() == remote.is_v4()) return prefix.address;
  }
  return std::nullopt;
}

}  // namespace dataplane::net
