#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "dataplane/base/address.hpp"
#include "dataplane/base/result.hpp"
#include "dataplane/net/interface.hpp"

namespace dataplane::net {

/// How a segment to an address travels.
struct Route {
  PortIndex port{};
  IpAddress next_hop;
  std::uint16_t mtu = 0;
};

/// The source address decides the port: each port has its own next hop.
class RouteTable {
 public:
  /// Keeps no reference to the interfaces.
  explicit RouteTable(const std::vector<Interface>& ports);

  /// The port that owns an address of ours.
  std::optional<PortIndex> port_of(const IpAddress& local) const;
  Result<Route> route(const IpAddress& local, const IpAddress& remote) const;
  std::optional<IpAddress> source_for(const IpAddress& remote) const;

 private:
  struct Port {
    std::vector<Prefix> prefixes;
    std::optional<IpAddress> gateway_v4;
    std::optional<IpAddress> gateway_v6;
    std::uint16_t mtu = 0;
  };
  std::optional<IpAddress> next_hop(const Port& port, const IpAddress& remote) const;

  std::vector<Port> ports_;
};

}  // namespace dataplane::net
