#include "dataplane/net/interface.hpp"

#include <algorithm>

#include "dataplane/wire/ndp.hpp"

namespace dataplane::net {

std::vector<MacAddress> multicast_macs(const InterfaceConfig& config) {
  std::vector<MacAddress> macs;
  const auto add = [&macs](const IpAddress& group) {
    const MacAddress mac = wire::multicast_mac(group);
    if (std::find(macs.begin(), macs.end(), mac) == macs.end()) macs.push_back(mac);
  };
  for (const Prefix& prefix : config.addresses) {
    if (prefix.address.is_v4()) continue;
    add(wire::all_nodes());
    add(wire::solicited_node(prefix.address));
  }
  return macs;
}

Interface::Interface(PortIndex index, InterfaceConfig config, std::size_t tx_queue_frames)
    : index_(index),
      config_(std::move(config)),
      groups_(multicast_macs(config_)),
      link_header_length_(wire::kEthernetHeaderLength),
      tx_(tx_queue_frames) {
  for (const Prefix& prefix : config_.addresses)
    addresses_.push_back(prefix.address);
  if (config_.vlan && !config_.offloads.tx_vlan) link_header_length_ += wire::kVlanTagLength;
}

bool Interface::is_broadcast(const IpAddress& address) const {
  if (!address.is_v4()) return false;
  if (address.is_broadcast()) return true;
  for (const Prefix& prefix : config_.addresses) {
    // A /31 and a /32 have no broadcast address (RFC 3021 §2.1).
    if (!prefix.address.is_v4() || prefix.length > 30) continue;
    const std::uint32_t host_bits = 0xffff'ffffU >> prefix.length;
    if (address.v4_host_order() == (prefix.address.v4_host_order() | host_bits)) return true;
  }
  return false;
}

bool Interface::is_on_link(const IpAddress& address) const {
  if (address.is_link_local()) return true;
  if (config_.gateway_v4 == address || config_.gateway_v6 == address) return true;
  return std::any_of(config_.addresses.begin(), config_.addresses.end(),
                     [&](const Prefix& prefix) { return prefix.contains(address); });
}

bool Interface::has_joined(const IpAddress& group) const {
  return std::any_of(addresses_.begin(), addresses_.end(), [&](const IpAddress& own) {
    return own.is_v6() && (group == wire::all_nodes() || group == wire::solicited_node(own));
  });
}

bool Interface::hears(const MacAddress& destination) const {
  return destination == MacAddress::broadcast() ||
         std::find(groups_.begin(), groups_.end(), destination) != groups_.end();
}

const IpAddress* Interface::address_towards(const IpAddress& neighbor) const {
  const IpAddress* first = nullptr;
  for (const Prefix& prefix : config_.addresses) {
    if (prefix.address.is_v4() != neighbor.is_v4()) continue;
    if (prefix.contains(neighbor)) return &prefix.address;
    if (first == nullptr) first = &prefix.address;
  }
  return first;
}

void Interface::add_link_header(Packet& packet, wire::EtherType type,
                                const MacAddress& destination) const {
  emit_link_header(type, destination, {packet.prepend(link_header_length_), link_header_length_});
  mark_tag(packet);
}

void Interface::emit_link_header(wire::EtherType type, const MacAddress& destination,
                                 MutableByteSpan out) const {
  wire::EthernetHeader header{destination, config_.mac, type, std::nullopt};
  if (!config_.offloads.tx_vlan) header.vlan = config_.vlan;
  wire::emit_ethernet(header, out);
}

}  // namespace dataplane::net
