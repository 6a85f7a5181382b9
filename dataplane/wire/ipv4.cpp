#include "dataplane/wire/ipv4.hpp"

#include "dataplane/wire/checksum.hpp"

namespace dataplane::wire {
namespace {

constexpr std::uint16_t kDontFragment = 0x4000;
constexpr std::uint16_t kMoreFragmentsOrOffset = 0x3fff;

}  // namespace

Result<ParsedIpv4> parse_ipv4(ByteSpan octets, ChecksumCheck check) {
  if (octets.size() < kIpv4HeaderLength) return Refused(Error::Truncated);
  const std::byte* at = octets.data();
  const auto version_and_length = static_cast<unsigned>(at[0]);
  if (version_and_length >> 4 != 4) return Refused(Error::BadVersion);
  const std::size_t header_length = std::size_t{version_and_length & 0xf} * 4;
  const std::size_t total_length = load_be<std::uint16_t>(at + 2);
  if (header_length < kIpv4HeaderLength || total_length < header_length)
    return Refused(Error::BadLength);
  if (total_length > octets.size()) return Refused(Error::Truncated);
  if (check == ChecksumCheck::Verify) {
    Checksum sum;
    sum.add(octets.first(header_length));
    if (!sum.is_valid()) return Refused(Error::BadChecksum);
  }
  const auto fragment = load_be<std::uint16_t>(at + 6);
  if ((fragment & kMoreFragmentsOrOffset) != 0) return Refused(Error::Fragment);

  ParsedIpv4 parsed;
  parsed.header_length = header_length;
  Ipv4Header& header = parsed.header;
  header.traffic_class = static_cast<std::uint8_t>(at[1]);
  header.payload_length = static_cast<std::uint16_t>(total_length - header_length);
  header.identification = load_be<std::uint16_t>(at + 4);
  header.dont_fragment = (fragment & kDontFragment) != 0;
  header.hop_limit = static_cast<std::uint8_t>(at[8]);
  header.protocol = IpProtocol{static_cast<std::uint8_t>(at[9])};
  header.source = IpAddress::from_network_v4(at + 12);
  header.destination = IpAddress::from_network_v4(at + 16);
  return parsed;
}

void emit_ipv4(const Ipv4Header& header, MutableByteSpan out) {
  ASSERT(out.size() >= kIpv4HeaderLength);
  ASSERT(header.payload_length <= 0xffff - kIpv4HeaderLength);
  std::byte* at = out.data();
  at[0] = std::byte{0x45};
  at[1] = std::byte{header.traffic_class};
  store_be(at + 2, static_cast<std::uint16_t>(kIpv4HeaderLength + header.payload_length));
  store_be(at + 4, header.identification);
  store_be(at + 6, header.dont_fragment ? kDontFragment : std::uint16_t{0});
  at[8] = std::byte{header.hop_limit};
  at[9] = std::byte{static_cast<std::uint8_t>(header.protocol)};
  store_be(at + 10, std::uint16_t{0});
  std::memcpy(at + 12, header.source.octets().data() + 12, 4);
  std::memcpy(at + 16, header.destination.octets().data() + 12, 4);
  store_be(at + 10, checksum_of(out.first(kIpv4HeaderLength)));
}

}  // namespace dataplane::wire
