#include "dataplane/net/steering.hpp"

#include <bit>
#include <cstring>

#include "dataplane/base/assert.hpp"

namespace dataplane::net {
namespace {

/// A key that repeats every 16 bits hashes a flow and its way back alike.
constexpr std::uint16_t kKeyWord = 0x6d5a;

}  // namespace

Steering::Steering(std::uint16_t core_count) : core_count_(core_count) {
  ASSERT(core_count > 0);
  for (std::size_t i = 0; i < kRetaSize; ++i)
    reta_[i] = static_cast<std::uint16_t>(i % core_count_);
}

std::array<std::uint8_t, Steering::kRssKeyLength> Steering::rss_key() {
  std::array<std::uint8_t, kRssKeyLength> key{};
  for (std::size_t i = 0; i < key.size(); ++i)
    key[i] = static_cast<std::uint8_t>(i % 2 == 0 ? kKeyWord >> 8 : kKeyWord & 0xff);
  return key;
}

std::uint32_t Steering::rss_hash(const FourTuple& tuple) {
  // Toeplitz is linear, and under this key each 16-bit word of the input meets the same key bits:
  // so the hash of the input is that of the sum of its words. The words of ::ffff:a.b.c.d that IPv4
  // does not have cancel out.
  std::uint32_t sum = 0;
  for (const Endpoint* end : {&tuple.local, &tuple.remote}) {
    std::array<std::uint32_t, 4> words{};
    std::memcpy(words.data(), end->address.octets().data(), sizeof words);
    for (const std::uint32_t word : words)
      sum ^= __builtin_bswap32(word);
    sum ^= end->port;
  }
  const auto folded = static_cast<std::uint16_t>(sum ^ sum >> 16);

  constexpr std::uint32_t kKey = std::uint32_t{kKeyWord} << 16 | kKeyWord;
  std::uint32_t hash = 0;
  for (int bit = 0; bit < 16; ++bit)
    if ((folded >> (15 - bit) & 1) != 0) hash ^= std::rotl(kKey, bit);
  return hash;
}

std::optional<std::uint16_t> Steering::next_port(FourTuple tuple, std::uint16_t from,
                                                 std::uint16_t last, std::uint16_t core) const {
  for (std::uint32_t port = from; port <= last; ++port) {
    tuple.local.port = static_cast<std::uint16_t>(port);
    if (owner_of(tuple) == core) return tuple.local.port;
  }
  return std::nullopt;
}

}  // namespace dataplane::net
