#pragma once

#include <cstdint>

#include "dataplane/base/seq.hpp"

namespace mptcp {

using dataplane::Dsn;

/// The 64 bits that one host brings to a connection, in network order as an integer (RFC 8684
/// §3.1).
enum class Key : std::uint64_t {};
/// What names a connection at the host that made the key (RFC 8684 §3.2).
enum class Token : std::uint32_t {};
/// The random number of one host in one join (RFC 8684 §3.2).
enum class Nonce : std::uint32_t {};
/// What names an address within a connection at the host that owns it; 0 is the address of the
/// first subflow (RFC 8684 §3.2).
enum class AddressId : std::uint8_t {};

constexpr std::uint64_t raw(Key key) { return static_cast<std::uint64_t>(key); }
constexpr std::uint32_t raw(Token token) { return static_cast<std::uint32_t>(token); }
constexpr std::uint32_t raw(Nonce nonce) { return static_cast<std::uint32_t>(nonce); }
constexpr std::uint8_t raw(AddressId id) { return static_cast<std::uint8_t>(id); }

/// Version 0 is RFC 6824, 1 is RFC 8684.
enum class Version : std::uint8_t { V0 = 0, V1 = 1 };

}  // namespace mptcp
