#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "dataplane/base/byte_io.hpp"
#include "dataplane/base/time.hpp"

/// What two `hawser perf` processes say to each other on each connection. All integers are
/// big-endian.
///
///     client                                                server
///       |  PerfRequest (32 octets), payload ..., FIN          |
///       | --------------------------------------------------> |
///       |          payload ..., PerfResult (64 octets), FIN   |
///       | <-------------------------------------------------- |
///
/// Either payload may be empty. The server sends its result when the client's stream has ended and
/// its own payload is out, so the last 64 octets that the client reads are the result, whatever
/// came before. A payload octet depends on its position only (perf_pattern.hpp), so that the
/// receiver can check it.
namespace apps::hawser {

/// Octets 0-7 of both messages: the protocol and its version.
inline constexpr std::uint64_t kPerfRequestMagic = 0x48'57'53'52'51'00'00'01;
inline constexpr std::uint64_t kPerfResultMagic = 0x48'57'53'52'53'00'00'01;

/// What the client wants on this connection.
///
///     0        8 magic   8  1 flags (1: client sends, 2: server sends, 4: server checks what
///     comes) 9  7 zero         16  8 octets the server sends; 0: until the time
///    24  8 how long the server sends, ns; 0: until the octets. If both are 0: until the connection
///    ends.
struct PerfRequest {
  bool client_sends = false;
  bool server_sends = false;
  bool verify = false;
  std::uint64_t send_octets = 0;
  dataplane::Duration send_time{};

  static constexpr std::size_t kSize = 32;
  std::array<std::byte, kSize> emit() const;
  /// Nothing if the octets are no request, or one of a version that we do not speak.
  static std::optional<PerfRequest> parse(dataplane::ByteSpan octets);
  friend bool operator==(const PerfRequest&, const PerfRequest&) = default;
};

/// What the server saw on this connection: eight integers of 8 octets, the magic first.
struct PerfResult {
  std::uint64_t received = 0;  ///< Payload octets.
  std::uint64_t mismatches =
      0;                   ///< Of these, the ones that were wrong; 0 when nothing was checked.
  std::uint64_t sent = 0;  ///< Payload octets.
  std::uint64_t segments_sent = 0;
  std::uint64_t segments_retransmitted = 0;
  dataplane::Duration elapsed{};  ///< From the request to the end of both payloads.
  std::uint64_t busy_cycles = 0;  ///< Of the engine cores meanwhile, in TSC cycles.

  static constexpr std::size_t kSize = 64;
  std::array<std::byte, kSize> emit() const;
  static std::optional<PerfResult> parse(dataplane::ByteSpan octets);
  friend bool operator==(const PerfResult&, const PerfResult&) = default;
};

}  // namespace apps::hawser
