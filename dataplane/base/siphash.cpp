#include "dataplane/base/siphash.hpp"

#include <bit>
#include <cstring>

namespace dataplane {
namespace {

struct SipState {
  std::uint64_t v0;
  std::uint64_t v1;
  std::uint64_t v2;
  std::uint64_t v3;

  void round() {
    v0 += v1;
    v2 += v3;
    v1 = std::rotl(v1, 13) ^ v0;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 = std::rotl(v0, 32) + v3;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 = std::rotl(v2, 32);
  }
  void absorb(std::uint64_t word) {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }
};

static_assert(std::endian::native == std::endian::little);

}  // namespace

std::uint64_t siphash24(std::uint64_t k0, std::uint64_t k1, ByteSpan octets) {
  SipState s{k0 ^ 0x736f'6d65'7073'6575, k1 ^ 0x646f'7261'6e64'6f6d, k0 ^ 0x6c79'6765'6e65'7261,
             k1 ^ 0x7465'6462'7974'6573};
  const std::uint64_t length = octets.size();
  for (; octets.size() >= 8; octets = octets.subspan(8)) {
    std::uint64_t word;
    std::memcpy(&word, octets.data(), 8);
    s.absorb(word);
  }
  std::uint64_t last = length << 56;
  for (std::size_t i = 0; i < octets.size(); ++i)
    last |= std::to_integer<std::uint64_t>(octets[i]) << (8 * i);
  s.absorb(last);
  s.v2 ^= 0xff;
  for (int i = 0; i < 4; ++i)
    s.round();
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

}  // namespace dataplane
