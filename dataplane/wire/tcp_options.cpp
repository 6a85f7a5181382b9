#include "dataplane/wire/tcp_options.hpp"

namespace dataplane::wire {
namespace {

// Option kinds (RFC 9293 §3.2, RFC 7323 §2.2 and §3.2, RFC 2018 §2 and §3, RFC 8684 §3).
constexpr std::uint8_t kEnd = 0;
constexpr std::uint8_t kNop = 1;
constexpr std::uint8_t kMss = 2;
constexpr std::uint8_t kWindowScale = 3;
constexpr std::uint8_t kSackPermitted = 4;
constexpr std::uint8_t kSack = 5;
constexpr std::uint8_t kTimestamps = 8;
constexpr std::uint8_t kMptcp = 30;

/// NOP NOP, then kind and length of the timestamps: how nearly every segment of a connection starts
/// its options (RFC 7323 appendix A).
constexpr std::uint32_t kAlignedTimestamps = 0x0101'080a;
constexpr std::size_t kAlignedTimestampsLength = 12;

Timestamps load_timestamps(const std::byte* at) {
  return {load_be<std::uint32_t>(at), load_be<std::uint32_t>(at + 4)};
}

bool read_sack(ByteSpan body, TcpOptions& options) {
  const std::size_t count = body.size() / 8;
  if (body.size() % 8 != 0 || count == 0 || count > kMaxSackBlocks) return false;
  options.sack_count = 0;  // Of two SACK options the last one counts.
  for (std::size_t i = 0; i < count; ++i) {
    const std::byte* at = body.data() + i * 8;
    options.add_sack({SeqNum(load_be<std::uint32_t>(at)), SeqNum(load_be<std::uint32_t>(at + 4))});
  }
  return true;
}

/// Takes one option of a known kind, whose `body` lies behind its length octet. False: the length
/// is wrong.
bool read_option(std::uint8_t kind, ByteSpan body, TcpOptions& options) {
  switch (kind) {
    case kMss:
      if (body.size() != 2) return false;
      options.mss = load_be<std::uint16_t>(body.data());
      return true;
    case kWindowScale:
      if (body.size() != 1) return false;
      options.window_scale = static_cast<std::uint8_t>(body[0]);
      return true;
    case kSackPermitted:
      options.sack_permitted = true;
      return body.empty();
    case kSack:
      return read_sack(body, options);
    case kTimestamps:
      if (body.size() != 8) return false;
      options.timestamps = load_timestamps(body.data());
      return true;
    default:
      return true;
  }
}

/// As in nearly every segment of a bulk transfer.
bool has_timestamps_alone(const TcpOptions& options) {
  return options.timestamps && options.sack_count == 0 && options.mptcp.empty() && !options.mss &&
         !options.window_scale && !options.sack_permitted;
}

void emit_small_options(const TcpOptions& options, Writer& out) {
  if (options.mss) {
    out.u8(kMss);
    out.u8(4);
    out.u16(*options.mss);
  }
  if (options.sack_permitted) {
    // Before timestamps it takes the place of their two NOPs.
    if (!options.timestamps) out.u16(kNop << 8 | kNop);
    out.u8(kSackPermitted);
    out.u8(2);
  }
  if (options.timestamps) {
    if (!options.sack_permitted) out.u16(kNop << 8 | kNop);
    out.u8(kTimestamps);
    out.u8(10);
    out.u32(options.timestamps->value);
    out.u32(options.timestamps->echo_reply);
  }
  if (options.window_scale) {
    out.u8(kNop);
    out.u8(kWindowScale);
    out.u8(3);
    out.u8(*options.window_scale);
  }
}

}  // namespace

Result<TcpOptions> parse_tcp_options(ByteSpan octets) {
  TcpOptions options;
  const std::byte* const front = octets.data();
  if (octets.size() >= kAlignedTimestampsLength &&
      load_be<std::uint32_t>(front) == kAlignedTimestamps) {
    options.timestamps = load_timestamps(front + 4);
    octets = octets.subspan(kAlignedTimestampsLength);
  }
  const std::byte* mptcp_begin = nullptr;
  const std::byte* mptcp_end = nullptr;
  while (!octets.empty()) {
    const auto kind = static_cast<std::uint8_t>(octets[0]);
    if (kind == kEnd) break;
    if (kind == kNop) {
      octets = octets.subspan(1);
      continue;
    }
    if (octets.size() < 2) return Refused(Error::BadOption);
    const auto length = static_cast<std::size_t>(octets[1]);
    if (length < 2 || length > octets.size()) return Refused(Error::BadOption);
    if (!read_option(kind, octets.subspan(2, length - 2), options))
      return Refused(Error::BadOption);
    if (kind == kMptcp) {
      if (mptcp_begin == nullptr) mptcp_begin = octets.data();
      mptcp_end = octets.data() + length;
    }
    octets = octets.subspan(length);
  }
  if (mptcp_begin != nullptr) options.mptcp = {mptcp_begin, mptcp_end};
  return options;
}

std::size_t emitted_length(const TcpOptions& options) {
  if (has_timestamps_alone(options)) return kAlignedTimestampsLength;
  std::size_t length = options.mptcp.size();
  if (options.mss) length += 4;
  if (options.window_scale) length += 4;
  if (options.timestamps) length += kAlignedTimestampsLength;
  if (options.sack_permitted && !options.timestamps) length += 4;
  if (options.sack_count != 0) length += 4 + std::size_t{options.sack_count} * 8;
  ASSERT(length <= kMaxTcpOptions && length % 4 == 0);
  return length;
}

std::size_t emit_tcp_options(const TcpOptions& options, MutableByteSpan out) {
  if (has_timestamps_alone(options)) {
    ASSERT(out.size() >= kAlignedTimestampsLength);
    store_be(out.data(), kAlignedTimestamps);
    store_be(out.data() + 4, options.timestamps->value);
    store_be(out.data() + 8, options.timestamps->echo_reply);
    return kAlignedTimestampsLength;
  }
  const std::size_t length = emitted_length(options);
  ASSERT(out.size() >= length);
  Writer writer(out.first(length));
  emit_small_options(options, writer);
  if (options.sack_count != 0) {
    writer.u16(kNop << 8 | kNop);
    writer.u8(kSack);
    writer.u8(static_cast<std::uint8_t>(2 + options.sack_count * 8));
    for (const SackBlock& block : options.sacks()) {
      writer.u32(block.begin.raw());
      writer.u32(block.end.raw());
    }
  }
  writer.bytes(options.mptcp);
  ASSERT(writer.remaining() == 0);
  return length;
}

}  // namespace dataplane::wire
