#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/base/address.hpp"
#include "dataplane/base/time.hpp"

namespace dataplane::net {

/// What the device does for us; asked at start by dataplane/dpdk, all false in the simulator.
struct Offloads {
  bool tx_ipv4_checksum = false;
  bool tx_tcp_checksum = false;
  bool tx_vlan = false;
  bool rx_vlan_strip = false;
  bool tso = false;
};

/// One port of the node, as the operator configured it.
struct InterfaceConfig {
  std::string id;
  MacAddress mac;
  std::vector<Prefix> addresses;
  std::optional<IpAddress> gateway_v4;
  std::optional<IpAddress> gateway_v6;
  std::uint16_t mtu = 1500;           ///< Octets of an IP packet.
  std::optional<std::uint16_t> vlan;  ///< 802.1Q tag of all our frames on this port, 1..4094.
  bool backup = false;                ///< Subflows of this port are backups (RFC 8684 §3.3.8).
  Offloads offloads;
};

struct HostConfig {
  std::vector<InterfaceConfig> ports;
  std::size_t tx_queue_frames = 1024;       ///< Per port, a power of two.
  std::size_t neighbor_queue_frames = 16;   ///< Frames kept per unresolved next hop.
  std::size_t neighbor_total_frames = 512;  ///< Frames kept for all unresolved next hops.
  std::size_t max_neighbors = 1024;  ///< Of all ports; the one not used for longest gives way.
  /// How long an answer is trusted before a neighbour in use is asked again (RFC 4861 §10).
  Duration neighbor_reachable = 30s;
  Duration neighbor_retry = 1s;  ///< Between solicitations (RFC 4861 §10).
  std::uint8_t neighbor_attempts =
      3;  ///< Solicitations before a next hop has failed (RFC 4861 §10).
  std::uint32_t echo_per_second = 1'000;  ///< Echo requests answered; more are counted and dropped.
  /// With more than one, the frames that every core must see are handed out in
  /// IngressBatch::for_all_cores.
  std::uint16_t core_count = 1;
  std::uint64_t seed = 0;
};

}  // namespace dataplane::net
