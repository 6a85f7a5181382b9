#include "mptcp/crypto/keys.hpp"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace mptcp {
namespace {

using dataplane::Endpoint;
using dataplane::IpAddress;

std::string hex(dataplane::ByteSpan octets) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::byte octet : octets) {
    text += kDigits[static_cast<std::size_t>(octet) >> 4];
    text += kDigits[static_cast<std::size_t>(octet) & 15];
  }
  return text;
}

struct DigestVector {
  std::uint64_t key;
  Version version;
  std::uint32_t token;
  std::uint64_t idsn;
};

TEST_CASE("a token and the first data sequence number are the two ends of the key's hash",
          "[mptcp][crypto][rfc8684-3.2]") {
  const auto vector = GENERATE(values<DigestVector>({
      {0x0000000000000000, Version::V1, 0xaf5570f5, 0xe5b2328de0e83dfc},
      {0x0000000000000000, Version::V0, 0x05fe4057, 0xac558654f107c7e9},
      {0x0000000000000001, Version::V1, 0xcd266215, 0x19ec509083d00a50},
      {0x0000000000000001, Version::V0, 0xcb473678, 0x38f11011007ad27d},
      {0x0123456789abcdef, Version::V1, 0x55c53f5d, 0x570762cd38be9818},
      {0x0123456789abcdef, Version::V0, 0x0ca2eadb, 0xe3df8ee121f10547},
      {0xffffffffffffffff, Version::V1, 0x12a3ae44, 0x57fb595bbbacf0ca},
      {0xffffffffffffffff, Version::V0, 0xbe673e8a, 0x866701c11ef8e089},
      {0x8f1e2d3c4b5a6978, Version::V1, 0x8f8c9430, 0xe050b607f1258350},
      {0x8f1e2d3c4b5a6978, Version::V0, 0xdebc42dd, 0x72692968af2e1486},
  }));
  const KeyDigest digest = digest_of(Key{vector.key}, vector.version);
  CHECK(raw(digest.token) == vector.token);
  CHECK(digest.idsn.raw() == vector.idsn);
}

struct JoinVector {
  JoinSecrets secrets;
  Version version;
  std::string hmac;
};

constexpr Key kA{0x0123456789abcdef};
constexpr Key kB{0xfedcba9876543210};

TEST_CASE("a join proves both keys by an HMAC over both nonces", "[mptcp][crypto][rfc8684-3.2]") {
  const std::vector<JoinVector> vectors{
      {{kA, kB, Nonce{1}, Nonce{2}},
       Version::V1,
       "5904f7d16c9441a4264fc4f865580b9ae7cc4cc88c5b038f128ced7c1cb808e2"},
      {{kA, kB, Nonce{1}, Nonce{2}}, Version::V0, "1109977f574fd77a6775fbb1f1af2f6c769d38cc"},
      {{kB, kA, Nonce{2}, Nonce{1}},
       Version::V1,
       "ebb854e29c409080936507706412280ca6c7ae56f95d21626ea81e950e4faf70"},
      {{kB, kA, Nonce{2}, Nonce{1}}, Version::V0, "a3175d9451c0b460028033fe3f6e2ec4c412d4fe"},
      {{Key{0}, Key{0}, Nonce{0}, Nonce{0}},
       Version::V1,
       "f375180aba92888401f1919be4a8715a62763b65c1c10e1d0858e81d4d6f9fd2"},
      {{Key{0}, Key{0}, Nonce{0}, Nonce{0}},
       Version::V0,
       "dab69ad98e28764f977ee2487e4f3f6873b2a297"},
      {{Key{0xffffffffffffffff}, kA, Nonce{0xffffffff}, Nonce{0xdeadbeef}},
       Version::V1,
       "c420aacb9bb553df963d9fc99edf520b43086bd7bae557698435ceefd6ba2744"},
      {{Key{0xffffffffffffffff}, kA, Nonce{0xffffffff}, Nonce{0xdeadbeef}},
       Version::V0,
       "95d8dcc06113c41dfe7ba1e0999942023c76b59d"},
  };
  for (const JoinVector& vector : vectors) {
    const Hmac hmac = join_hmac(vector.secrets, vector.version);
    std::string expected = vector.hmac;
    expected.resize(64, '0');
    CHECK(hex(hmac) == expected);
    CHECK(hex(leftmost_160(hmac)) == vector.hmac.substr(0, 40));
    CHECK(leftmost_64(hmac) == std::stoull(vector.hmac.substr(0, 16), nullptr, 16));
  }
}

struct AddAddrVector {
  Key sender;
  Key receiver;
  AddressId id;
  std::string address;
  std::uint16_t port;
  std::uint64_t hmac;
};

TEST_CASE("an announced address carries the right end of an HMAC over id, address and port",
          "[mptcp][crypto][rfc8684-3.4.1]") {
  const std::vector<AddAddrVector> vectors{
      {kA, kB, AddressId{1}, "10.9.0.1", 0, 0xb28f5fe0195683b6},
      {kA, kB, AddressId{1}, "10.9.0.1", 8080, 0x9c123dabce544747},
      {kB, kA, AddressId{255}, "fd00:9::1", 0, 0x8df80497b8c12581},
      {kB, kA, AddressId{7}, "fd00:9::1", 65535, 0x9570050a1958b2d5},
  };
  for (const AddAddrVector& vector : vectors) {
    const Endpoint endpoint{*IpAddress::parse(vector.address), vector.port};
    CHECK(add_addr_hmac(vector.sender, vector.receiver, vector.id, endpoint) == vector.hmac);
  }
}

TEST_CASE("HMACs are equal when every octet is", "[mptcp][crypto]") {
  const Hmac a = join_hmac({kA, kB, Nonce{1}, Nonce{2}}, Version::V1);
  Hmac b = a;
  CHECK(equal_in_constant_time(a, b));
  b.back() ^= std::byte{1};
  CHECK_FALSE(equal_in_constant_time(a, b));
  CHECK_FALSE(equal_in_constant_time(a, dataplane::ByteSpan(a).first(20)));
}

}  // namespace
}  // namespace mptcp
