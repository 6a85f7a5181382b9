#include "test/sim/content.hpp"

#include <cstring>

#include "test/sim/rng.hpp"

namespace sim {

Content::Content(std::uint64_t seed) : table_(kPeriod + kPiece) {
  Rng rng(seed);
  for (std::size_t i = 0; i < kPeriod; i += 8) {
    const std::uint64_t word = rng.next();
    std::memcpy(&table_[i], &word, sizeof word);
  }
  std::memcpy(&table_[kPeriod], table_.data(), kPiece);
}

bool Content::matches(std::uint64_t key, std::uint64_t offset, dataplane::ByteSpan octets) const {
  while (!octets.empty()) {
    const dataplane::ByteSpan expected = at(key, offset, octets.size());
    if (std::memcmp(expected.data(), octets.data(), expected.size()) != 0) return false;
    octets = octets.subspan(expected.size());
    offset += expected.size();
  }
  return true;
}

}  // namespace sim
