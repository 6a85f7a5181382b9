#include "apps/hawser/perf_protocol.hpp"

namespace apps::hawser {

namespace {

constexpr std::uint8_t kClientSends = 1;
constexpr std::uint8_t kServerSends = 2;
constexpr std::uint8_t kVerify = 4;

/// A time from the wire; what does not fit a Duration is as good as for ever.
dataplane::Duration to_duration(std::uint64_t nanoseconds) {
  const auto largest = static_cast<std::uint64_t>(dataplane::Duration::max().count() / 4);
  return dataplane::Duration(
      static_cast<std::int64_t>(nanoseconds < largest ? nanoseconds : largest));
}

}  // namespace

std::array<std::byte, PerfRequest::kSize> PerfRequest::emit() const {
  std::array<std::byte, kSize> octets{};
  dataplane::Writer writer(octets);
  writer.u64(kPerfRequestMagic);
  writer.u8(static_cast<std::uint8_t>((client_sends ? kClientSends : 0) |
                                      (server_sends ? kServerSends : 0) | (verify ? kVerify : 0)));
  writer.u8(0);
  writer.u16(0);
  writer.u32(0);
  writer.u64(send_octets);
  writer.u64(static_cast<std::uint64_t>(send_time.count()));
  return octets;
}

std::optional<PerfRequest> PerfRequest::parse(dataplane::ByteSpan octets) {
  dataplane::Reader reader(octets);
  PerfRequest request;
  const std::uint64_t magic = reader.u64();
  const std::uint8_t flags = reader.u8();
  reader.skip(7);
  request.client_sends = (flags & kClientSends) != 0;
  request.server_sends = (flags & kServerSends) != 0;
  request.verify = (flags & kVerify) != 0;
  request.send_octets = reader.u64();
  request.send_time = to_duration(reader.u64());
  if (!reader.ok() || magic != kPerfRequestMagic) return std::nullopt;
  return request;
}

std::array<std::byte, PerfResult::kSize> PerfResult::emit() const {
  std::array<std::byte, kSize> octets{};
  dataplane::Writer writer(octets);
  writer.u64(kPerfResultMagic);
  writer.u64(received);
  writer.u64(mismatches);
  writer.u64(sent);
  writer.u64(segments_sent);
  writer.u64(segments_retransmitted);
  writer.u64(static_cast<std::uint64_t>(elapsed.count()));
  writer.u64(busy_cycles);
  return octets;
}

std::optional<PerfResult> PerfResult::parse(dataplane::ByteSpan octets) {
  dataplane::Reader reader(octets);
  PerfResult result;
  const std::uint64_t magic = reader.u64();
  result.received = reader.u64();
  result.mismatches = reader.u64();
  result.sent = reader.u64();
  result.segments_sent = reader.u64();
  result.segments_retransmitted = reader.u64();
  result.elapsed = to_duration(reader.u64());
  result.busy_cycles = reader.u64();
  if (!reader.ok() || magic != kPerfResultMagic) return std::nullopt;
  return result;
}

}  // namespace apps::hawser
