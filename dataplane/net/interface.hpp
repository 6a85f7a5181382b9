#pragma once

#include <cstddef>
#include <vector>

#include "dataplane/base/address.hpp"
#include "dataplane/base/packet.hpp"
#include "dataplane/base/time.hpp"
#include "dataplane/net/config.hpp"
#include "dataplane/net/frame_queue.hpp"
#include "dataplane/wire/ethernet.hpp"

namespace dataplane::net {

/// The MAC addresses of the multicast groups that a port must hear; the driver tells the device.
std::vector<MacAddress> multicast_macs(const InterfaceConfig& config);

/// One port: what is ours on it, and the frames that wait for its device. A port answers for its
/// own addresses only, so that two ports on one link do not speak for each other (RFC 1122
/// §3.3.4.2, the strong model).
class Interface {
 public:
  Interface(PortIndex index, InterfaceConfig config, std::size_t tx_queue_frames);

  PortIndex index() const { return index_; }
  const InterfaceConfig& config() const { return config_; }
  FrameQueue& tx() { return tx_; }
  const FrameQueue& tx() const { return tx_; }

  bool owns(const IpAddress& address) const {
    for (const IpAddress& own : addresses_)
      if (own == address) return true;
    return false;
  }
  /// 255.255.255.255, or the broadcast address of a subnet of the port.
  bool is_broadcast(const IpAddress& address) const;
  /// In a subnet of the port, or link-local, or a gateway: reached without a further hop.
  bool is_on_link(const IpAddress& address) const;
  /// All nodes, or the solicited-node group of an address of ours.
  bool has_joined(const IpAddress& group) const;
  /// Whether a group frame to `destination` is for us.
  bool hears(const MacAddress& destination) const;
  /// Our address to speak from to a neighbour: one in its subnet, or the first of its family.
  const IpAddress* address_towards(const IpAddress& neighbor) const;

  /// Prepends the link header to an IP packet or ARP. The tag is left to the device where it can do
  /// it.
  void add_link_header(Packet& packet, wire::EtherType type, const MacAddress& destination) const;
  /// Its two parts: the octets, and what the device is told about the tag.
  void emit_link_header(wire::EtherType type, const MacAddress& destination,
                        MutableByteSpan out) const;
  void mark_tag(Packet& packet) const {
    if (!config_.vlan || !config_.offloads.tx_vlan) return;
    packet.mbuf()->ol_flags |= RTE_MBUF_F_TX_VLAN;
    packet.mbuf()->vlan_tci = *config_.vlan;
  }
  /// Octets of the link header.
  std::uint8_t link_header_length() const { return link_header_length_; }

  /// When we last told the link that an address of ours is ours, against another host.
  Instant last_defence{Instant::min()};

 private:
  PortIndex index_;
  InterfaceConfig config_;
  std::vector<IpAddress> addresses_;
  std::vector<MacAddress> groups_;
  std::uint8_t link_header_length_;
  FrameQueue tx_;
};

}  // namespace dataplane::net
