#include "dataplane/wire/ethernet.hpp"

namespace dataplane::wire {

Result<EthernetHeader> parse_ethernet(ByteSpan octets) {
  if (octets.size() < kEthernetHeaderLength) return Refused(Error::Truncated);
  EthernetHeader header;
  header.destination = load_mac(octets.data());
  header.source = load_mac(octets.data() + 6);
  header.type = EtherType{load_be<std::uint16_t>(octets.data() + 12)};
  if (header.type != EtherType::Vlan) return header;
  if (octets.size() < kEthernetHeaderLength + kVlanTagLength) return Refused(Error::Truncated);
  header.vlan = static_cast<std::uint16_t>(load_be<std::uint16_t>(octets.data() + 14) & 0x0fff);
  header.type = EtherType{load_be<std::uint16_t>(octets.data() + 16)};
  // A tag in a tag: a second VLAN is never ours.
  if (header.type == EtherType::Vlan) return Refused(Error::UnknownVlan);
  return header;
}

void emit_ethernet(const EthernetHeader& header, MutableByteSpan out) {
  ASSERT(out.size() >= header.length());
  std::byte* at = out.data();
  store_mac(at, header.destination);
  store_mac(at + 6, header.source);
  at += 12;
  if (header.vlan) {
    store_be(at, static_cast<std::uint16_t>(EtherType::Vlan));
    store_be(at + 2, static_cast<std::uint16_t>(*header.vlan & 0x0fff));
    at += kVlanTagLength;
  }
  store_be(at, static_cast<std::uint16_t>(header.type));
}

MacAddress multicast_mac(const IpAddress& group) {
  const auto& o = group.octets();
  if (group.is_v4()) {
    return {{0x01, 0x00, 0x5e, static_cast<std::uint8_t>(o[13] & 0x7f), o[14], o[15]}};
  }
  return {{0x33, 0x33, o[12], o[13], o[14], o[15]}};
}

}  // namespace dataplane::wire
