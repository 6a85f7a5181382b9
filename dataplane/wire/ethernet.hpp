#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "dataplane/base/address.hpp"
#include "dataplane/base/byte_io.hpp"
#include "dataplane/base/result.hpp"

namespace dataplane::wire {

inline constexpr std::size_t kEthernetHeaderLength = 14;
inline constexpr std::size_t kVlanTagLength = 4;

/// What a frame carries.
enum class EtherType : std::uint16_t {
  Ipv4 = 0x0800,
  Arp = 0x0806,
  Vlan = 0x8100,  ///< IEEE 802.1Q; never the type of a parsed header.
  Ipv6 = 0x86dd,
};

/// An Ethernet II header with at most one 802.1Q tag.
struct EthernetHeader {
  MacAddress destination;
  MacAddress source;
  EtherType type{};  ///< Any value; those without a name are not ours.
  /// VLAN identifier, 0..4095; 0 is a priority tag, which names no VLAN. The priority bits are not
  /// kept.
  std::optional<std::uint16_t> vlan;

  std::size_t length() const { return kEthernetHeaderLength + (vlan ? kVlanTagLength : 0); }
  friend bool operator==(const EthernetHeader&, const EthernetHeader&) = default;
};

/// Reads a header; it is header.length() octets long.
Result<EthernetHeader> parse_ethernet(ByteSpan octets);
/// Writes length() octets.
void emit_ethernet(const EthernetHeader& header, MutableByteSpan out);

/// Where frames to an IP multicast address go (RFC 1112 §6.4, RFC 2464 §7).
MacAddress multicast_mac(const IpAddress& group);

inline MacAddress load_mac(const std::byte* at) {
  MacAddress mac;
  std::memcpy(mac.octets.data(), at, mac.octets.size());
  return mac;
}
inline void store_mac(std::byte* at, const MacAddress& mac) {
  std::memcpy(at, mac.octets.data(), mac.octets.size());
}

}  // namespace dataplane::wire
