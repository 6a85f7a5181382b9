#include "dataplane/wire/tcp_header.hpp"

namespace dataplane::wire {

Result<std::size_t> parse_tcp_into(ByteSpan octets, TcpHeader& header) {
  if (octets.size() < kTcpHeaderLength) return Refused(Error::Truncated);
  const std::byte* at = octets.data();
  const std::size_t header_length = (static_cast<std::size_t>(at[12]) >> 4) * 4;
  if (header_length < kTcpHeaderLength) return Refused(Error::BadLength);
  if (header_length > octets.size()) return Refused(Error::Truncated);
  header.source_port = load_be<std::uint16_t>(at);
  header.destination_port = load_be<std::uint16_t>(at + 2);
  header.seq = SeqNum(load_be<std::uint32_t>(at + 4));
  header.ack = SeqNum(load_be<std::uint32_t>(at + 8));
  header.flags = TcpFlags{static_cast<std::uint8_t>(at[13])};
  header.window = load_be<std::uint16_t>(at + 14);
  if (header_length != kTcpHeaderLength) {
    const auto options =
        parse_tcp_options(octets.subspan(kTcpHeaderLength, header_length - kTcpHeaderLength));
    if (!options) return Refused(options.error());
    header.options = *options;
  }
  return header_length;
}

Result<ParsedTcp> parse_tcp(ByteSpan octets) {
  ParsedTcp parsed;
  const auto header_length = parse_tcp_into(octets, parsed.header);
  if (!header_length) return Refused(header_length.error());
  parsed.header_length = *header_length;
  return parsed;
}

bool continues(ByteSpan first, ByteSpan header, SeqNum next) {
  constexpr std::size_t kAckAndLength = 8;  // The acknowledgment number and the data offset.
  const std::byte* const a = first.data();
  const std::byte* const b = header.data();
  const auto plain = [](std::byte flags) {
    return (TcpFlags{static_cast<std::uint8_t>(flags)} | TcpFlags::Psh) ==
           (TcpFlags::Ack | TcpFlags::Psh);
  };
  return SeqNum(load_be<std::uint32_t>(b + 4)) == next && plain(a[13]) && plain(b[13]) &&
         std::memcmp(a, b, 4) == 0 && std::memcmp(a + kAckAndLength, b + kAckAndLength, 5) == 0 &&
         std::memcmp(a + 14, b + 14, 2) == 0 &&
         std::memcmp(a + kTcpHeaderLength, b + kTcpHeaderLength, first.size() - kTcpHeaderLength) ==
             0;
}

std::size_t emit_tcp(const TcpHeader& header, MutableByteSpan out) {
  ASSERT(out.size() >= kTcpHeaderLength);
  std::byte* at = out.data();
  const std::size_t options = emit_tcp_options(header.options, out.subspan(kTcpHeaderLength));
  const std::size_t length = kTcpHeaderLength + options;
  store_be(at, header.source_port);
  store_be(at + 2, header.destination_port);
  store_be(at + 4, header.seq.raw());
  store_be(at + 8, header.ack.raw());
  at[12] = std::byte{static_cast<std::uint8_t>(length / 4 << 4)};
  at[13] = std::byte{static_cast<std::uint8_t>(header.flags)};
  store_be(at + 14, header.window);
  store_be(at + 16, std::uint32_t{0});  // Checksum, and the urgent pointer that we never use.
  return length;
}

}  // namespace dataplane::wire
