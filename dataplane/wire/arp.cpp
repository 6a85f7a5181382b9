#include "dataplane/wire/arp.hpp"

#include "dataplane/wire/ethernet.hpp"

namespace dataplane::wire {
namespace {

constexpr std::uint16_t kHardwareEthernet = 1;

}  // namespace

Result<ArpPacket> parse_arp(ByteSpan octets) {
  if (octets.size() < kArpLength) return Refused(Error::Truncated);
  Reader in(octets);
  const std::uint16_t hardware = in.u16();
  const EtherType protocol{in.u16()};
  if (hardware != kHardwareEthernet || protocol != EtherType::Ipv4)
    return Refused(Error::BadVersion);
  if (in.u8() != 6 || in.u8() != 4) return Refused(Error::BadLength);
  ArpPacket packet;
  packet.operation = ArpOperation{in.u16()};
  if (packet.operation != ArpOperation::Request && packet.operation != ArpOperation::Reply)
    return Refused(Error::BadHeader);
  packet.sender_mac = load_mac(in.bytes(6).data());
  packet.sender_ip = IpAddress::v4(in.u32());
  packet.target_mac = load_mac(in.bytes(6).data());
  packet.target_ip = IpAddress::v4(in.u32());
  return packet;
}

void emit_arp(const ArpPacket& packet, MutableByteSpan out) {
  Writer writer(out);
  writer.u16(kHardwareEthernet);
  writer.u16(static_cast<std::uint16_t>(EtherType::Ipv4));
  writer.u8(6);
  writer.u8(4);
  writer.u16(static_cast<std::uint16_t>(packet.operation));
  writer.bytes(std::as_bytes(std::span(packet.sender_mac.octets)));
  writer.u32(packet.sender_ip.v4_host_order());
  writer.bytes(std::as_bytes(std::span(packet.target_mac.octets)));
  writer.u32(packet.target_ip.v4_host_order());
}

}  // namespace dataplane::wire
