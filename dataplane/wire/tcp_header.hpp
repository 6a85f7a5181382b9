#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/base/byte_io.hpp"
#include "dataplane/base/result.hpp"
#include "dataplane/base/seq.hpp"
#include "dataplane/wire/tcp_options.hpp"

namespace dataplane::wire {

inline constexpr std::size_t kTcpHeaderLength = 20;  ///< Without options (RFC 9293 §3.1).

/// The control bits (RFC 9293 §3.1), as a set.
enum class TcpFlags : std::uint8_t {
  None = 0,
  Fin = 0x01,
  Syn = 0x02,
  Rst = 0x04,
  Psh = 0x08,
  Ack = 0x10,
  Urg = 0x20,
  Ece = 0x40,
  Cwr = 0x80,
};
constexpr TcpFlags operator|(TcpFlags a, TcpFlags b) {
  return static_cast<TcpFlags>(static_cast<std::uint8_t>(a) | static_cast<std::uint8_t>(b));
}
constexpr TcpFlags& operator|=(TcpFlags& a, TcpFlags b) { return a = a | b; }
/// Whether any bit of `some` is set in `flags`.
constexpr bool has(TcpFlags flags, TcpFlags some) {
  return (static_cast<std::uint8_t>(flags) & static_cast<std::uint8_t>(some)) != 0;
}

/// A TCP header as a value. The urgent pointer is neither kept nor sent: urgent data is ignored by
/// policy.
struct TcpHeader {
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  SeqNum seq;
  SeqNum ack;
  TcpFlags flags = TcpFlags::None;
  std::uint16_t window = 0;  ///< As on the wire, before scaling.
  TcpOptions options;
};

struct ParsedTcp {
  TcpHeader header;
  std::size_t header_length = 0;  ///< With options: where the payload starts.
};

/// Reads header and options at the front of `octets`. The checksum is not looked at.
Result<ParsedTcp> parse_tcp(ByteSpan octets);
/// The same into a value that was just made, without a copy. Returns the header length.
Result<std::size_t> parse_tcp_into(ByteSpan octets, TcpHeader& header);

/// Whether a segment with the header `header` is the one behind a segment with the header `first`,
/// and differs in nothing else that counts; both headers are as long, and valid but for what this
/// looks at. `next`: the sequence number that it has then. Only data without flags of its own is
/// continued.
bool continues(ByteSpan first, ByteSpan header, SeqNum next);

/// Writes header and options with a checksum field of zero and returns the length, 20 to 60.
std::size_t emit_tcp(const TcpHeader& header, MutableByteSpan out);

}  // namespace dataplane::wire
