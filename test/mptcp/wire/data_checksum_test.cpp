#include "mptcp/wire/data_checksum.hpp"

#include <catch2/catch.hpp>

#include "dataplane/wire/checksum.hpp"
#include "test/dataplane/wire/octets.hpp"

namespace mptcp {
namespace {

using dataplane::ByteSpan;
using dataplane::store_be;
using dataplane::wire::Checksum;
using dataplane::wire::Octets;
using dataplane::wire::some_octets;

/// RFC 8684 §3.3.1, figure 10, octet by octet.
std::uint16_t checksum_as_drawn(const DataPseudoHeader& header, ByteSpan payload) {
  Octets octets(16);
  store_be(octets.data(), header.dsn.raw());
  store_be(octets.data() + 8, header.subflow_seq);
  store_be(octets.data() + 12, header.length);
  octets.insert(octets.end(), payload.begin(), payload.end());
  std::uint32_t sum = 0;
  for (std::size_t at = 0; at < octets.size(); ++at)
    sum += static_cast<std::uint32_t>(octets[at]) << (at % 2 == 0 ? 8 : 0);
  while (sum >> 16 != 0)
    sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

TEST_CASE("the checksum of a mapping is that of the drawn pseudo header and the payload",
          "[mptcp][wire][rfc8684-3.3.1]") {
  const auto length = GENERATE(as<std::size_t>(), 0, 1, 2, 3, 1447, 1448, 65'535);
  const auto dsn =
      GENERATE(as<std::uint64_t>(), 0, 0xffff'ffff, 0xfffe'fdfc'fbfa'f9f8, 0xffff'ffff'ffff'ffff);
  const auto seq = GENERATE(as<std::uint32_t>(), 0, 1, 0xffff'ffff);
  const Octets payload = some_octets(length);
  const DataPseudoHeader header{Dsn(dsn), seq, static_cast<std::uint16_t>(length)};
  Checksum sum;
  sum.add(payload);
  const std::uint16_t checksum = data_checksum(header, sum.folded());
  CHECK(checksum == checksum_as_drawn(header, payload));
  CHECK(is_valid_data_checksum(header, sum.folded(), checksum));
  CHECK_FALSE(
      is_valid_data_checksum(header, sum.folded(), static_cast<std::uint16_t>(checksum ^ 0x100)));
}

TEST_CASE("a mapping that comes in pieces of odd length has the same checksum",
          "[mptcp][wire][rfc8684-3.3.1]") {
  const Octets payload = some_octets(4096);
  const DataPseudoHeader header{Dsn(77), 9, 4096};
  Checksum pieces;
  for (std::size_t at = 0, next = 1; at < payload.size(); at += next, next += 2)
    pieces.add(ByteSpan(payload).subspan(at, std::min(next, payload.size() - at)));
  CHECK(data_checksum(header, pieces.folded()) == checksum_as_drawn(header, payload));
}

TEST_CASE("a checksum field of all ones says the same as one of zeros",
          "[mptcp][wire][rfc8684-3.3.1]") {
  const DataPseudoHeader header{Dsn(0xffff), 0, 0};
  CHECK(data_checksum(header, 0) == 0);
  CHECK(is_valid_data_checksum(header, 0, 0));
  CHECK(is_valid_data_checksum(header, 0, 0xffff));
}

}  // namespace
}  // namespace mptcp
