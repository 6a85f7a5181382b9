#include <algorithm>
#include <vector>

#include <catch2/catch.hpp>

#include "apps/hawser/perf_pattern.hpp"
#include "apps/hawser/perf_protocol.hpp"

using namespace apps::hawser;
using namespace std::chrono_literals;
using dataplane::ByteSpan;

namespace {

/// `count` octets of the pattern from `position` on.
std::vector<std::byte> payload(const PerfPattern& pattern, std::uint64_t position,
                               std::size_t count) {
  std::vector<std::byte> octets(count);
  for (std::size_t i = 0; i < count; ++i)
    octets[i] = pattern.from(position + i)[0];
  return octets;
}

}  // namespace

TEST_CASE("a request survives its wire format", "[apps][perf]") {
  const PerfRequest request{.client_sends = true,
                            .server_sends = false,
                            .verify = true,
                            .send_octets = 0x0102'0304'0506'0708,
                            .send_time = 10s};
  const auto octets = request.emit();
  CHECK(PerfRequest::parse(octets) == request);
  for (std::size_t length = 0; length < octets.size(); ++length)
    CHECK_FALSE(PerfRequest::parse(ByteSpan(octets).first(length)));
  auto other = octets;
  other[7] = std::byte{2};
  CHECK_FALSE(PerfRequest::parse(other));
}

TEST_CASE("a result survives its wire format", "[apps][perf]") {
  const PerfResult result{1, 2, 3, 4, 5, 6s, 7};
  const auto octets = result.emit();
  CHECK(PerfResult::parse(octets) == result);
  CHECK_FALSE(PerfResult::parse(ByteSpan(octets).first(63)));
  CHECK_FALSE(PerfResult::parse(PerfRequest{}.emit()));
}

TEST_CASE("a time that no clock can hold does not overflow", "[apps][perf]") {
  auto octets = PerfRequest{}.emit();
  std::fill(octets.begin() + 24, octets.end(), std::byte{0xff});
  CHECK(PerfRequest::parse(octets)->send_time > 1000h);
}

TEST_CASE("the pattern tells a shift by any segment or buffer size", "[apps][perf]") {
  const PerfPattern pattern;
  const std::uint64_t at = 1'000'000'007;
  const auto octets = payload(pattern, at, 3000);
  CHECK(pattern.count_mismatches(at, octets) == 0);
  for (std::uint64_t shift : {1U, 2U, 8U, 536U, 1448U, 2896U, 4096U, 65'536U, 1U << 20, 1U << 24})
    CHECK(pattern.count_mismatches(at + shift, octets) > 2500);
  const auto across = payload(pattern, PerfPattern::kPeriod - 10, 200'000);
  CHECK(pattern.count_mismatches(PerfPattern::kPeriod - 10, across) == 0);
}

TEST_CASE("the last octets of a stream are held back, however it is cut", "[apps][perf]") {
  const PerfPattern pattern;
  const std::size_t count = GENERATE(0U, 1U, 63U, 64U, 65U, 1000U);
  auto stream = payload(pattern, 0, count);
  const auto tail = PerfResult{42, 0, 0, 0, 0, 0s, 0}.emit();
  stream.insert(stream.end(), tail.begin(), tail.end());
  const std::size_t piece = GENERATE(1U, 2U, 31U, 63U, 64U, 65U, 1448U);
  PerfReceiver receiver(&pattern, true);
  for (std::size_t at = 0; at < stream.size(); at += piece)
    receiver.on_octets(ByteSpan(stream).subspan(at, std::min(piece, stream.size() - at)));
  CHECK(receiver.payload() == count);
  CHECK(receiver.mismatches() == 0);
  REQUIRE(PerfResult::parse(receiver.tail()));
  CHECK(PerfResult::parse(receiver.tail())->received == 42);
}

TEST_CASE("one wrong octet is counted once", "[apps][perf]") {
  const PerfPattern pattern;
  auto stream = payload(pattern, 0, 5000);
  stream[3000] ^= std::byte{1};
  PerfReceiver receiver(&pattern, false);
  receiver.on_octets(ByteSpan(stream).first(1448));
  receiver.on_octets(ByteSpan(stream).subspan(1448));
  CHECK(receiver.payload() == 5000);
  CHECK(receiver.mismatches() == 1);
}
