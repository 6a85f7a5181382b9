#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>

#include "dataplane/base/address.hpp"
#include "dataplane/base/byte_io.hpp"
#include "dataplane/base/result.hpp"
#include "dataplane/wire/icmp.hpp"

namespace dataplane::wire {

/// Neighbor Discovery is only heard from this hop limit: no router has passed it (RFC 4861 §7.1).
inline constexpr std::uint8_t kNdpHopLimit = 255;
/// The most that emit_ndp() writes.
inline constexpr std::size_t kMaxNdpLength = 32;

/// Asks who has `target` (RFC 4861 §4.3).
struct NeighborSolicitation {
  IpAddress target;
  std::optional<MacAddress> source_mac;  ///< The source link-layer address option.
  friend bool operator==(const NeighborSolicitation&, const NeighborSolicitation&) = default;
};

/// Says who has `target` (RFC 4861 §4.4).
struct NeighborAdvertisement {
  IpAddress target;
  std::optional<MacAddress> target_mac;  ///< The target link-layer address option.
  bool from_router = false;
  bool solicited = false;
  bool override_entry = false;
  friend bool operator==(const NeighborAdvertisement&, const NeighborAdvertisement&) = default;
};

/// A router's solicitation, advertisement or redirect: recognised, and ignored by policy, as
/// addresses and next hops come from the configuration.
struct RouterMessage {
  std::uint8_t type = 0;
  friend bool operator==(const RouterMessage&, const RouterMessage&) = default;
};

using NdpMessage = std::variant<NeighborSolicitation, NeighborAdvertisement, RouterMessage>;

/// Whether an ICMPv6 type belongs to Neighbor Discovery (RFC 4861 §4).
constexpr bool is_ndp(std::uint8_t icmpv6_type) { return icmpv6_type >= 133 && icmpv6_type <= 137; }

/// Reads a message whose checksum parse_icmpv6() found right.
Result<NdpMessage> parse_ndp(ByteSpan octets);

std::size_t emitted_length(const NdpMessage& message);
/// Writes emitted_length() octets with their checksum. RouterMessage is never sent.
void emit_ndp(const NdpMessage& message, const Icmpv6Addresses& addresses, MutableByteSpan out);

/// ff02::1:ffXX:XXXX, where solicitations for `address` go (RFC 4291 §2.7.1).
IpAddress solicited_node(const IpAddress& address);
/// ff02::1.
IpAddress all_nodes();

}  // namespace dataplane::wire
