#include "mptcp/crypto/keys.hpp"

#include <algorithm>
#include <cstring>
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "dataplane/base/assert.hpp"
#include "dataplane/base/byte_io.hpp"

namespace mptcp {
namespace {

using dataplane::ByteSpan;
using dataplane::load_be;
using dataplane::store_be;
using dataplane::Writer;

/// Both hashes take blocks of 64 octets.
constexpr std::size_t kBlock = 64;
/// The longest message: the octets of an ADD_ADDR of IPv6.
constexpr std::size_t kMaxMessage = 1 + 16 + 2;

std::size_t digest_length(Version version) { return version == Version::V0 ? 20 : 32; }

/// SHA-1 (RFC 6824 §3.1) or SHA-256 (RFC 8684 §3.1); what is behind a SHA-1 stays zero.
Hmac hash(Version version, ByteSpan octets) {
  std::array<unsigned char, 32> digest{};
  if (version == Version::V0) {
    SHA_CTX sha1;
    SHA1_Init(&sha1);
    SHA1_Update(&sha1, octets.data(), octets.size());
    SHA1_Final(digest.data(), &sha1);
  } else {
    SHA256_CTX sha256;
    SHA256_Init(&sha256);
    SHA256_Update(&sha256, octets.data(), octets.size());
    SHA256_Final(digest.data(), &sha256);
  }
  Hmac out;
  std::memcpy(out.data(), digest.data(), out.size());
  return out;
}

/// RFC 2104 §2. The key of 16 octets is shorter than a block, so it is only filled up with zeros.
Hmac hmac(Version version, Key sender_key, Key receiver_key, ByteSpan message) {
  ASSERT(message.size() <= kMaxMessage);
  std::array<std::byte, kBlock + kMaxMessage> inner{};
  store_be(inner.data(), raw(sender_key));
  store_be(inner.data() + 8, raw(receiver_key));
  std::array<std::byte, kBlock + 32> outer{};
  for (std::size_t at = 0; at < kBlock; ++at) {
    outer[at] = inner[at] ^ std::byte{0x5c};
    inner[at] ^= std::byte{0x36};
  }
  std::ranges::copy(message, inner.begin() + kBlock);
  const Hmac inner_digest = hash(version, ByteSpan(inner).first(kBlock + message.size()));
  const std::size_t length = digest_length(version);
  std::copy_n(inner_digest.begin(), length, outer.begin() + kBlock);
  return hash(version, ByteSpan(outer).first(kBlock + length));
}

}  // namespace

KeyDigest digest_of(Key key, Version version) {
  std::array<std::byte, 8> octets;
  store_be(octets.data(), raw(key));
  const Hmac digest = hash(version, octets);
  const std::byte* const tail = digest.data() + digest_length(version) - 8;
  return {Token{load_be<std::uint32_t>(digest.data())}, Dsn(load_be<std::uint64_t>(tail))};
}

Hmac join_hmac(const JoinSecrets& secrets, Version version) {
  std::array<std::byte, 8> message;
  store_be(message.data(), raw(secrets.sender_nonce));
  store_be(message.data() + 4, raw(secrets.receiver_nonce));
  return hmac(version, secrets.sender_key, secrets.receiver_key, message);
}

std::uint64_t leftmost_64(const Hmac& hmac) { return load_be<std::uint64_t>(hmac.data()); }

std::array<std::byte, 20> leftmost_160(const Hmac& hmac) {
  std::array<std::byte, 20> out;
  std::memcpy(out.data(), hmac.data(), out.size());
  return out;
}

std::uint64_t add_addr_hmac(Key sender_key, Key receiver_key, AddressId id,
                            const dataplane::Endpoint& endpoint) {
  std::array<std::byte, kMaxMessage> message;
  Writer out(message);
  out.u8(raw(id));
  out.bytes(endpoint.address.network_bytes());
  out.u16(endpoint.port);
  const ByteSpan used = ByteSpan(message).first(message.size() - out.remaining());
  const Hmac digest = hmac(Version::V1, sender_key, receiver_key, used);
  return load_be<std::uint64_t>(digest.data() + digest.size() - 8);
}

bool equal_in_constant_time(ByteSpan a, ByteSpan b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace mptcp
