#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "dataplane/base/byte_io.hpp"
#include "dataplane/base/result.hpp"
#include "dataplane/base/seq.hpp"

namespace dataplane::wire {

/// The option space of a TCP header: 40 octets, as the data offset counts 15 words (RFC 9293 §3.1).
inline constexpr std::size_t kMaxTcpOptions = 40;

/// TSval and TSecr (RFC 7323 §3.2).
struct Timestamps {
  std::uint32_t value = 0;
  std::uint32_t echo_reply = 0;
  friend bool operator==(const Timestamps&, const Timestamps&) = default;
};

/// One block of received octets, [begin, end) (RFC 2018 §3).
struct SackBlock {
  SeqNum begin;
  SeqNum end;
  friend bool operator==(const SackBlock&, const SackBlock&) = default;
};

/// At most four blocks fit into 40 octets (RFC 2018 §3).
inline constexpr std::size_t kMaxSackBlocks = 4;

/// The options of one segment as a value. Kinds that are not here are skipped.
struct TcpOptions {
  std::optional<std::uint16_t> mss;          ///< SYN only (RFC 9293 §3.7.1).
  std::optional<std::uint8_t> window_scale;  ///< SYN only; as sent, may exceed 14 (RFC 7323 §2.3).
  bool sack_permitted = false;               ///< SYN only (RFC 2018 §2).
  std::optional<Timestamps> timestamps;
  std::array<SackBlock, kMaxSackBlocks> sack_blocks{};
  std::uint8_t sack_count = 0;
  /// Kind-30 options with their kind and length octets (RFC 8684 §3), opaque to TCP.
  /// Parsed: points into the packet, from the first of them to the end of the last; its reader
  /// skips what else lies between. To emit: points into the caller's memory; its length is a
  /// multiple of 4.
  ByteSpan mptcp;

  std::span<const SackBlock> sacks() const { return {sack_blocks.data(), sack_count}; }
  void add_sack(const SackBlock& block) { sack_blocks[sack_count++] = block; }
};

/// Reads the option octets of a header. Refuses a length octet of 0 or 1, one that runs past the
/// end, and a known kind with a wrong length.
Result<TcpOptions> parse_tcp_options(ByteSpan octets);

/// Octets that emit_tcp_options() will write: a multiple of 4, at most kMaxTcpOptions.
std::size_t emitted_length(const TcpOptions& options);

/// Writes the options, padded with NOPs, and returns their length. `out` holds at least
/// emitted_length().
std::size_t emit_tcp_options(const TcpOptions& options, MutableByteSpan out);

}  // namespace dataplane::wire
