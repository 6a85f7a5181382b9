#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "dataplane/base/address.hpp"
#include "dataplane/base/packet.hpp"
#include "dataplane/base/result.hpp"
#include "dataplane/base/time.hpp"
#include "dataplane/net/host_stats.hpp"
#include "dataplane/net/interface.hpp"
#include "dataplane/net/neighbor.hpp"
#include "dataplane/net/route.hpp"
#include "dataplane/wire/arp.hpp"
#include "dataplane/wire/icmp.hpp"
#include "dataplane/wire/ipv4.hpp"
#include "dataplane/wire/ndp.hpp"
#include "dataplane/wire/segment.hpp"

namespace dataplane::net {

/// What the ways in and out of a host share.
struct HostState {
  HostState(const HostConfig& host_config, PacketPool& packet_pool);

  HostConfig config;
  PacketPool& pool;
  std::vector<Interface> ports;
  RouteTable routes;
  NeighborCache neighbors;
  NeighborActions actions;  ///< Empty between calls into the host.
  HostStats stats;
};

/// Builds frames, finds their next hop and queues them on their port.
class Egress {
 public:
  explicit Egress(HostState& host) : host_(host) {}

  Result<void> send(Instant now, const FourTuple& tuple, const wire::TxSegment& segment);
  /// Sends an ICMP message of the addresses' family.
  Result<void> send_icmp(Instant now, const wire::Icmpv6Addresses& addresses,
                         const wire::IcmpMessage& message);
  void send_arp(Interface& port, const wire::ArpPacket& packet, const MacAddress& destination);
  void send_ndp(Interface& port, const wire::Icmpv6Addresses& addresses,
                const wire::NdpMessage& message, const MacAddress& destination);
  /// Tells the link that an address of ours is ours (RFC 5227 §2.3, RFC 4861 §7.2.6).
  void announce(Interface& port, const IpAddress& address);

  /// Does what the neighbour cache wants done, but for the failures, and empties the list.
  void perform(NeighborActions& actions);

 private:
  /// The way of the segments between two addresses, kept from one to the next.
  struct Path {
    IpAddress local;
    IpAddress remote;
    Route route;
    NeighborCache::Slot slot = NeighborCache::Slot::None;
    bool is_known = false;
  };
  static constexpr std::size_t kPaths = 64;

  Result<Path*> find_path(const IpAddress& local, const IpAddress& remote);
  /// Adds IP header and link header and queues the frame, or lets it wait for its next hop.
  Result<void> send_ip(Instant now, Path& path, Packet packet, wire::IpProtocol protocol,
                       wire::Ecn ecn);
  void add_ip_header(const Interface& port, const Path& path, Packet& packet,
                     wire::IpProtocol protocol, wire::Ecn ecn) const;
  void solicit(const NeighborActions::Solicitation& solicitation);
  void transmit(Interface& port, Packet frame);

  HostState& host_;
  std::array<Path, kPaths> paths_;
};

}  // namespace dataplane::net
