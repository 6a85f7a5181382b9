#include "dataplane/wire/checksum.hpp"

#include <catch2/catch.hpp>

#include "test/dataplane/wire/octets.hpp"

namespace dataplane::wire {
namespace {

/// RFC 1071 §1, word by word.
std::uint16_t reference(ByteSpan octets) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < octets.size(); i += 2) {
    sum += static_cast<std::uint32_t>(octets[i]) << 8;
    if (i + 1 < octets.size()) sum += static_cast<std::uint32_t>(octets[i + 1]);
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return static_cast<std::uint16_t>(~sum);
}

TEST_CASE("the checksum of the example in the RFC is the RFC's", "[wire][checksum][rfc1071-3]") {
  const Octets octets = octets_of({0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7});
  Checksum sum;
  sum.add(octets);
  CHECK(sum.folded() == 0xddf2);
  CHECK(sum.finish() == 0x220d);
}

TEST_CASE("all checksum kernels agree for every length and alignment", "[wire][checksum]") {
  constexpr std::size_t kLongest = 2100;
  constexpr std::size_t kGuard = 8;
  const Octets source = some_octets(kLongest + 64);
  for (const ChecksumKernel& kernel : checksum_kernels()) {
    INFO(kernel.name);
    bool sums_agree = true;
    bool copies_agree = true;
    for (std::size_t length = 0; length <= kLongest; ++length) {
      const std::size_t from = (length * 7) % 64;
      const std::size_t to = (length * 13) % 64;
      const ByteSpan octets = ByteSpan(source).subspan(from, length);
      const auto expected = static_cast<std::uint16_t>(~reference(octets));
      sums_agree &= __builtin_bswap16(fold_sum(kernel.sum(octets.data(), length))) == expected;
      Octets target(to + length + kGuard, std::byte{0xa5});
      const std::uint64_t sum = kernel.copy_and_sum(octets.data(), target.data() + to, length);
      copies_agree &= __builtin_bswap16(fold_sum(sum)) == expected;
      copies_agree &=
          std::equal(octets.begin(), octets.end(), target.begin() + static_cast<long>(to));
      for (std::size_t i = 0; i < kGuard; ++i)
        copies_agree &= target[to + length + i] == std::byte{0xa5};
    }
    CHECK(sums_agree);
    CHECK(copies_agree);
  }
}

TEST_CASE("all checksum kernels agree at every alignment of short runs", "[wire][checksum]") {
  const Octets source = some_octets(512, 3);
  for (const ChecksumKernel& kernel : checksum_kernels()) {
    INFO(kernel.name);
    bool agree = true;
    for (std::size_t from = 0; from < 65; ++from) {
      for (std::size_t length = 0; length < 200; ++length) {
        const ByteSpan octets = ByteSpan(source).subspan(from, length);
        const auto expected = static_cast<std::uint16_t>(~reference(octets));
        agree &= __builtin_bswap16(fold_sum(kernel.sum(octets.data(), length))) == expected;
      }
    }
    CHECK(agree);
  }
}

TEST_CASE("octets of all ones keep every carry", "[wire][checksum]") {
  const Octets ones(65'536, std::byte{0xff});
  for (const ChecksumKernel& kernel : checksum_kernels()) {
    INFO(kernel.name);
    CHECK(fold_sum(kernel.sum(ones.data(), ones.size())) == 0xffff);
    CHECK(fold_sum(kernel.sum(ones.data(), ones.size() - 1)) ==
          static_cast<std::uint16_t>(~__builtin_bswap16(reference(ByteSpan(ones).first(65'535)))));
  }
}

TEST_CASE("pieces of odd lengths sum like the whole", "[wire][checksum][rfc1071-2]") {
  const Octets whole = some_octets(400, 7);
  for (std::size_t a = 0; a < 70; ++a) {
    for (std::size_t b : {0U, 1U, 2U, 31U, 33U, 64U, 65U, 127U}) {
      for (std::size_t c : {0U, 1U, 8U, 15U, 99U}) {
        const ByteSpan all(whole);
        Octets copy(whole.size());
        Checksum sum;
        sum.add(all.first(a));
        sum.add(all.subspan(a, b));
        sum.add_copy(all.subspan(a + b, c), copy.data() + a + b);
        sum.add_copy(all.subspan(a + b + c), copy.data() + a + b + c);
        if (sum.finish() != reference(all)) FAIL(a << ' ' << b << ' ' << c);
        if (!std::equal(all.begin() + static_cast<long>(a + b), all.end(),
                        copy.begin() + static_cast<long>(a + b)))
          FAIL(a << ' ' << b << ' ' << c);
      }
    }
  }
}

TEST_CASE("the pseudo headers of both families are those of the RFCs",
          "[wire][checksum][rfc9293-3.1][rfc8200-8.1]") {
  const Octets payload = some_octets(77);
  Checksum v4;
  v4.add_pseudo_header(*IpAddress::parse("10.9.0.1"), *IpAddress::parse("192.168.77.2"), 6, 77);
  v4.add(payload);
  Octets plain = octets_of({10, 9, 0, 1, 192, 168, 77, 2, 0, 6, 0, 77});
  plain.insert(plain.end(), payload.begin(), payload.end());
  CHECK(v4.finish() == reference(plain));

  const IpAddress source = *IpAddress::parse("fd00:9::1");
  const IpAddress destination = *IpAddress::parse("fe80::1234:5678:9abc:def0");
  Checksum v6;
  v6.add_pseudo_header(source, destination, 58, 70'000);
  v6.add(payload);
  Octets wide;
  for (const IpAddress& address : {source, destination})
    for (const std::uint8_t octet : address.octets())
      wide.push_back(std::byte{octet});
  for (const unsigned octet : {0U, 1U, 0x11U, 0x70U, 0U, 0U, 0U, 58U})
    wide.push_back(static_cast<std::byte>(octet));
  wide.insert(wide.end(), payload.begin(), payload.end());
  CHECK(v6.finish() == reference(wide));
}

TEST_CASE("a sum with its own checksum in it is valid, and no other is", "[wire][checksum]") {
  Octets octets = some_octets(60);
  octets[10] = octets[11] = std::byte{0};
  store_be(octets.data() + 10, checksum_of(octets));
  CHECK(checksum_of(octets) == 0);
  for (std::size_t bit = 0; bit < octets.size() * 8; ++bit) {
    octets[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    if (checksum_of(octets) == 0) FAIL(bit);
    octets[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
  }
}

}  // namespace
}  // namespace dataplane::wire
