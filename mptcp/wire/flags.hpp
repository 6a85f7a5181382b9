#pragma once

#include <cstdint>

/// The bits of the options' flags, as they stand in the octet that has them.
namespace mptcp::flags {

// MP_CAPABLE, in the octet behind subtype and version (RFC 8684 §3.1).
inline constexpr std::uint8_t kChecksum = 0x80;       // A
inline constexpr std::uint8_t kExtensibility = 0x40;  // B
inline constexpr std::uint8_t kNoJoinHere = 0x20;     // C
inline constexpr std::uint8_t kHmac = 0x01;           // H

// MP_JOIN, ADD_ADDR, MP_PRIO and MP_TCPRST, in the subtype's octet (RFC 8684 §3.2, §3.4.1, §3.3.8,
// §3.6).
inline constexpr std::uint8_t kBackup = 0x01;     // B
inline constexpr std::uint8_t kEcho = 0x01;       // E
inline constexpr std::uint8_t kTransient = 0x01;  // T

// DSS, in the octet behind the subtype (RFC 8684 §3.3).
inline constexpr std::uint8_t kDataFin = 0x10;      // F
inline constexpr std::uint8_t kWideDsn = 0x08;      // m
inline constexpr std::uint8_t kMapping = 0x04;      // M
inline constexpr std::uint8_t kWideDataAck = 0x02;  // a
inline constexpr std::uint8_t kDataAck = 0x01;      // A

}  // namespace mptcp::flags
