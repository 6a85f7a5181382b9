#include "dataplane/wire/ndp.hpp"

#include "dataplane/wire/checksum.hpp"
#include "dataplane/wire/ethernet.hpp"
#include "dataplane/wire/ipv4.hpp"

namespace dataplane::wire {
namespace {

constexpr std::uint8_t kSolicitation = 135;
constexpr std::uint8_t kAdvertisement = 136;
constexpr std::uint8_t kSourceLinkLayer = 1;
constexpr std::uint8_t kTargetLinkLayer = 2;
constexpr std::size_t kFixedLength = 24;

constexpr std::uint32_t kRouterFlag = 0x8000'0000;
constexpr std::uint32_t kSolicitedFlag = 0x4000'0000;
constexpr std::uint32_t kOverrideFlag = 0x2000'0000;

/// Finds the link-layer address option of a kind. Other options are skipped (RFC 4861 §4.6).
Result<std::optional<MacAddress>> find_link_layer(ByteSpan options, std::uint8_t kind) {
  std::optional<MacAddress> found;
  while (!options.empty()) {
    if (options.size() < 8) return Refused(Error::Truncated);
    const std::size_t length = static_cast<std::size_t>(options[1]) * 8;
    if (length == 0) return Refused(Error::BadLength);
    if (length > options.size()) return Refused(Error::Truncated);
    if (options[0] == std::byte{kind}) {
      if (length != 8) return Refused(Error::BadLength);
      found = load_mac(options.data() + 2);
    }
    options = options.subspan(length);
  }
  return found;
}

}  // namespace

Result<NdpMessage> parse_ndp(ByteSpan octets) {
  if (octets.size() < kIcmpHeaderLength) return Refused(Error::Truncated);
  const auto type = static_cast<std::uint8_t>(octets[0]);
  if (!is_ndp(type)) return Refused(Error::UnknownProtocol);
  if (octets[1] != std::byte{0}) return Refused(Error::BadHeader);
  if (type != kSolicitation && type != kAdvertisement) return RouterMessage{type};

  if (octets.size() < kFixedLength) return Refused(Error::Truncated);
  const auto flags = load_be<std::uint32_t>(octets.data() + 4);
  const IpAddress target = IpAddress::from_network_v6(octets.data() + 8);
  if (target.is_multicast() || target.is_v4()) return Refused(Error::BadAddress);
  const std::uint8_t kind = type == kSolicitation ? kSourceLinkLayer : kTargetLinkLayer;
  const auto mac = find_link_layer(octets.subspan(kFixedLength), kind);
  if (!mac) return Refused(mac.error());
  if (type == kSolicitation) return NeighborSolicitation{target, *mac};
  return NeighborAdvertisement{target, *mac, (flags & kRouterFlag) != 0,
                               (flags & kSolicitedFlag) != 0, (flags & kOverrideFlag) != 0};
}

std::size_t emitted_length(const NdpMessage& message) {
  if (const auto* solicitation = std::get_if<NeighborSolicitation>(&message))
    return kFixedLength + (solicitation->source_mac ? 8 : 0);
  const auto* advertisement = std::get_if<NeighborAdvertisement>(&message);
  ASSERT(advertisement != nullptr);
  return kFixedLength + (advertisement->target_mac ? 8 : 0);
}

void emit_ndp(const NdpMessage& message, const Icmpv6Addresses& addresses, MutableByteSpan out) {
  ASSERT(out.size() == emitted_length(message));
  std::uint8_t type = kSolicitation;
  std::uint8_t option = kSourceLinkLayer;
  std::uint32_t flags = 0;
  IpAddress target;
  std::optional<MacAddress> mac;
  if (const auto* solicitation = std::get_if<NeighborSolicitation>(&message)) {
    target = solicitation->target;
    mac = solicitation->source_mac;
  } else if (const auto* advertisement = std::get_if<NeighborAdvertisement>(&message)) {
    type = kAdvertisement;
    option = kTargetLinkLayer;
    flags = (advertisement->from_router ? kRouterFlag : 0) |
            (advertisement->solicited ? kSolicitedFlag : 0) |
            (advertisement->override_entry ? kOverrideFlag : 0);
    target = advertisement->target;
    mac = advertisement->target_mac;
  }
  Writer writer(out);
  writer.u8(type);
  writer.u8(0);
  writer.u16(0);
  writer.u32(flags);
  writer.bytes(std::as_bytes(std::span(target.octets())));
  if (mac) {
    writer.u8(option);
    writer.u8(1);
    writer.bytes(std::as_bytes(std::span(mac->octets)));
  }
  Checksum sum;
  sum.add_pseudo_header(addresses.source, addresses.destination,
                        static_cast<std::uint8_t>(IpProtocol::Icmpv6),
                        static_cast<std::uint32_t>(out.size()));
  sum.add(out);
  store_be(out.data() + 2, sum.finish());
}

IpAddress solicited_node(const IpAddress& address) {
  const auto& o = address.octets();
  return IpAddress::v6({0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, o[13], o[14], o[15]});
}

IpAddress all_nodes() {
  return IpAddress::v6({0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
}

}  // namespace dataplane::wire
