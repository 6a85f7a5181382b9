#include "dataplane/base/siphash.hpp"

#include <array>

#include <catch2/catch.hpp>

TEST_CASE("SipHash-2-4 gives the values of its authors' test vectors", "[base][siphash]") {
  std::array<std::byte, 16> octets{};
  for (std::size_t i = 0; i < octets.size(); ++i)
    octets[i] = static_cast<std::byte>(i);
  // The key is the octets 00 01 .. 0f, the message the octets 00 01 .. of the given length.
  const std::uint64_t k0 = 0x0706'0504'0302'0100;
  const std::uint64_t k1 = 0x0f0e'0d0c'0b0a'0908;
  const auto hash = [&](std::size_t length) {
    return dataplane::siphash24(k0, k1, dataplane::ByteSpan(octets).first(length));
  };
  CHECK(hash(0) == 0x726f'db47'dd0e'0e31);
  CHECK(hash(1) == 0x74f8'39c5'93dc'67fd);
  CHECK(hash(8) == 0x93f5'f579'9a93'2462);
  CHECK(hash(15) == 0xa129'ca61'49be'45e5);
}
