#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "dataplane/base/address.hpp"
#include "mptcp/wire/ids.hpp"

namespace mptcp {

/// What follows from a key (RFC 8684 §3.2, §3.1): the token that names the connection, and the
/// initial data sequence number of the host that made the key. The first octet of data has
/// `idsn` + 1.
struct KeyDigest {
  Token token{};
  Dsn idsn;
};
KeyDigest digest_of(Key key, Version version);

/// An HMAC under two keys, of which the first is that of the host that sends it (RFC 8684 §3.2).
/// Version 1 has 32 octets, version 0 has 20; those behind are zero.
using Hmac = std::array<std::byte, 32>;

struct JoinSecrets {
  Key sender_key{};
  Key receiver_key{};
  Nonce sender_nonce{};
  Nonce receiver_nonce{};
};
/// What the sender of a join's SYN-ACK or third segment proves that it knows the keys with.
Hmac join_hmac(const JoinSecrets& secrets, Version version);

/// The leftmost 64 bits, as on a SYN-ACK (RFC 8684 §3.2).
std::uint64_t leftmost_64(const Hmac& hmac);
/// The leftmost 160 bits, as on the third segment (RFC 8684 §3.2).
std::array<std::byte, 20> leftmost_160(const Hmac& hmac);

/// What an ADD_ADDR of version 1 carries: the rightmost 64 bits of the HMAC over the id, the
/// address and the port, which is 0 where the option has none (RFC 8684 §3.4.1).
std::uint64_t add_addr_hmac(Key sender_key, Key receiver_key, AddressId id,
                            const dataplane::Endpoint& endpoint);

/// Whether two HMACs are the same, in a time that says nothing about where they differ.
bool equal_in_constant_time(dataplane::ByteSpan a, dataplane::ByteSpan b);

}  // namespace mptcp
