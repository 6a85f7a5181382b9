#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/base/address.hpp"
#include "dataplane/base/byte_io.hpp"
#include "dataplane/base/result.hpp"

namespace dataplane::wire {

inline constexpr std::size_t kArpLength = 28;

enum class ArpOperation : std::uint16_t { Request = 1, Reply = 2 };

/// An ARP packet for IPv4 over Ethernet (RFC 826).
struct ArpPacket {
  ArpOperation operation = ArpOperation::Request;
  MacAddress sender_mac;
  IpAddress sender_ip = IpAddress::v4(0);
  MacAddress target_mac;
  IpAddress target_ip = IpAddress::v4(0);

  friend bool operator==(const ArpPacket&, const ArpPacket&) = default;
};

/// Reads a packet; octets behind it are link padding. BadVersion: not IPv4 over Ethernet.
/// BadHeader: neither request nor reply.
Result<ArpPacket> parse_arp(ByteSpan octets);
/// Writes kArpLength octets.
void emit_arp(const ArpPacket& packet, MutableByteSpan out);

}  // namespace dataplane::wire
