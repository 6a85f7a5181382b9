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
    sum.add_header(octets.first(header_length));
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

std::optional<ByteSpan> continued_ipv4(ByteSpan first, ByteSpan octets, ChecksumCheck check) {
  if (octets.size() < first.size()) return std::nullopt;
  const std::byte* const at = octets.data();
  const auto is_same = [&](std::size_t begin, std::size_t end) {
    return std::memcmp(first.data() + begin, at + begin, end - begin) == 0;
  };
  const std::size_t total_length = load_be<std::uint16_t>(at + 2);
  if (!is_same(0, 2) || !is_same(6, 10) || !is_same(12, first.size()) ||
      total_length < first.size() || total_length > octets.size())
    return std::nullopt;
  if (check == ChecksumCheck::Verify) {
    Checksum sum;
    sum.add_header(octets.first(first.size()));
    if (!sum.is_valid()) return std::nullopt;
  }
  return octets.first(total_length);
}

void emit_ipv4(const Ipv4Header& header, MutableByteSpan out) {
  ASSERT(out.size() >= kIpv4HeaderLength);
  ASSERT(header.payload_length <= 0xffff - kIpv4HeaderLength);
  // The sum is taken of the words before they are written: reading back what was just stored waits
  // for the cache line, which is cold in a fresh packet.
  const std::uint32_t first = 0x4500'0000U | std::uint32_t{header.traffic_class} << 16 |
                              static_cast<std::uint32_t>(kIpv4HeaderLength + header.payload_length);
  const std::uint32_t second =
      std::uint32_t{header.identification} << 16 | (header.dont_fragment ? kDontFragment : 0U);
  const std::uint32_t third = std::uint32_t{header.hop_limit} << 24 |
                              std::uint32_t{static_cast<std::uint8_t>(header.protocol)} << 16;
  const std::uint32_t source = header.source.v4_host_order();
  const std::uint32_t destination = header.destination.v4_host_order();
  const std::uint64_t sum = std::uint64_t{first} + second + third + source + destination;
  const auto checksum = static_cast<std::uint16_t>(~fold_sum(sum));
  std::byte* at = out.data();
  store_be(at, first);
  store_be(at + 4, second);
  store_be(at + 8, third | checksum);
  store_be(at + 12, source);
  store_be(at + 16, destination);
}

}  // namespace dataplane::wire
