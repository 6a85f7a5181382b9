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
#include "dataplane/wire/checksum.hpp"
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

  /// Several segments in one are cut here where the device does not do it.
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
  /// Ethernet with a tag and IPv6 fit; a whole cache line is copied at once.
  static constexpr std::size_t kMaxHeaders = 64;

  /// The way of the segments between two addresses, kept from one to the next.
  struct Path {
    IpAddress local;
    IpAddress remote;
    Route route;
    NeighborCache::Slot slot = NeighborCache::Slot::None;
    bool is_known = false;
    /// Link header and IP header of a TCP segment without payload, for `destination`; empty: not
    /// laid out yet.
    std::array<std::byte, kMaxHeaders> headers{};
    std::uint8_t headers_length = 0;
    MacAddress destination{};
    wire::Checksum ip_sum{};         ///< Of the IPv4 header, its checksum field zero.
    wire::Checksum pseudo_header{};  ///< Of TCP, its length zero.
  };
  static constexpr std::size_t kPaths = 64;

  static std::size_t ip_header_length(const Path& path);
  static std::size_t tcp_header_length(const wire::TxSegment& segment);
  Result<Path*> find_path(const IpAddress& local, const IpAddress& remote);
  Result<void> send_one(const FourTuple& tuple, const wire::TxSegment& segment, Path& path,
                        const MacAddress* mac);
  /// Segment after segment of several in one (egress_cut.cpp).
  Result<void> send_cut(const FourTuple& tuple, const wire::TxSegment& segment, Path& path,
                        const MacAddress* mac);
  /// Adds IP header and link header and queues the frame, or lets it wait for its next hop.
  Result<void> send_ip(Instant now, Path& path, Packet packet, wire::IpProtocol protocol,
                       wire::Ecn ecn);
  /// Lays the headers of TCP segments out in the path, unless they are there.
  static void lay_out_headers(const Interface& port, const MacAddress& destination, Path& path);
  /// Copies them to the front of a frame and fills in what differs.
  static void emit_headers(const Path& path, std::uint16_t payload_length, wire::Ecn ecn,
                           std::byte* out);
  static void emit_ip_header(const Path& path, wire::IpProtocol protocol,
                             std::uint16_t payload_length, wire::Ecn ecn, MutableByteSpan out);
  /// Leaves checksums, and with a segment size the cutting, to the device.
  static void ask_device(const Interface& port, const Path& path, std::size_t tcp_header,
                         std::uint16_t segment_size, Packet& packet);
  Result<void> enqueue(Interface& port, const Path& path, bool is_resolved, Packet packet);
  void solicit(const NeighborActions::Solicitation& solicitation);
  void transmit(Interface& port, Packet frame);

  HostState& host_;
  std::array<Path, kPaths> paths_;
};

}  // namespace dataplane::net
