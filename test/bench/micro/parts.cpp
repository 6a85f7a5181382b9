// What the parts of the engine cost, each alone.

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "dataplane/base/rng.hpp"
#include "dataplane/base/timer_wheel.hpp"
#include "dataplane/net/flow_table.hpp"
#include "dataplane/wire/checksum.hpp"
#include "dataplane/wire/ipv4.hpp"
#include "dataplane/wire/tcp_header.hpp"
#include "test/bench/micro/cycles.hpp"

namespace {

using namespace std::chrono_literals;
using bench::Meter;
using dataplane::FourTuple;
using dataplane::Instant;
using dataplane::IpAddress;
using dataplane::TimerWheel;
namespace net = dataplane::net;
namespace wire = dataplane::wire;

constexpr std::size_t kPayload = 1'448;

std::vector<std::byte> octets(std::size_t length) {
  std::vector<std::byte> out(length);
  for (std::size_t i = 0; i < length; ++i)
    out[i] = static_cast<std::byte>(i * 131);
  return out;
}

void checksum_sum(benchmark::State& state, const wire::ChecksumKernel& kernel) {
  const auto from = octets(kPayload);
  Meter meter;
  meter.start();
  for (auto _ : state)
    benchmark::DoNotOptimize(kernel.sum(from.data(), from.size()));
  meter.stop();
  meter.report(state, static_cast<std::uint64_t>(state.iterations()));
}

void checksum_copy(benchmark::State& state, const wire::ChecksumKernel& kernel) {
  const auto from = octets(kPayload);
  std::vector<std::byte> to(from.size());
  Meter meter;
  meter.start();
  for (auto _ : state) {
    benchmark::DoNotOptimize(kernel.copy_and_sum(from.data(), to.data(), from.size()));
    benchmark::ClobberMemory();
  }
  meter.stop();
  meter.report(state, static_cast<std::uint64_t>(state.iterations()));
}

/// Headers of a data segment with timestamps, as a bulk transfer has them.
void parse_headers(benchmark::State& state) {
  wire::TcpHeader tcp;
  tcp.source_port = 8080;
  tcp.destination_port = 40'000;
  tcp.flags = wire::TcpFlags::Ack;
  tcp.options.timestamps = wire::Timestamps{1, 2};
  const std::size_t tcp_length = wire::kTcpHeaderLength + wire::emitted_length(tcp.options);
  wire::Ipv4Header ip;
  ip.source = IpAddress::v4(0x0a09'0001);
  ip.destination = IpAddress::v4(0x0a09'0002);
  ip.protocol = wire::IpProtocol::Tcp;
  ip.payload_length = static_cast<std::uint16_t>(tcp_length + kPayload);
  std::vector<std::byte> packet(wire::kIpv4HeaderLength + ip.payload_length);
  wire::emit_ipv4(ip, {packet.data(), wire::kIpv4HeaderLength});
  wire::emit_tcp(tcp, {packet.data() + wire::kIpv4HeaderLength, tcp_length});
  Meter meter;
  meter.start();
  for (auto _ : state) {
    const auto ipv4 = wire::parse_ipv4(packet, wire::ChecksumCheck::Verify);
    wire::TcpHeader header;
    const auto length =
        wire::parse_tcp_into(std::span(packet).subspan(ipv4->header_length), header);
    benchmark::DoNotOptimize(length);
    benchmark::DoNotOptimize(header);
  }
  meter.stop();
  meter.report(state, static_cast<std::uint64_t>(state.iterations()));
}

FourTuple tuple_number(std::uint32_t n) {
  return {
      {IpAddress::v4(0x0a09'0001), 8080},
      {IpAddress::v4(0x0a0a'0000 + (n >> 15)), static_cast<std::uint16_t>(1024 + (n & 0x7fff))}};
}

/// Bursts of 32 segments of random flows, as the receive path looks them up.
void flow_lookup(benchmark::State& state) {
  constexpr std::size_t kBurst = 32;
  const auto flows = static_cast<std::uint32_t>(state.range(0));
  net::FlowTable table(flows, 7);
  for (std::uint32_t n = 0; n < flows; ++n)
    table.insert(tuple_number(n), n);
  dataplane::Rng rng(3);
  std::vector<wire::ReceivedSegment> segments(kBurst * 64);
  for (wire::ReceivedSegment& segment : segments)
    segment.tuple = tuple_number(static_cast<std::uint32_t>(rng.below(flows)));
  std::array<std::uint32_t, kBurst> found{};
  std::size_t at = 0;
  Meter meter;
  meter.start();
  for (auto _ : state) {
    table.find_all(std::span(segments).subspan(at, kBurst), found);
    benchmark::DoNotOptimize(found);
    at = (at + kBurst) % segments.size();
  }
  meter.stop();
  meter.report(state, static_cast<std::uint64_t>(state.iterations()) * kBurst);
}

/// A retransmission timer that each ACK moves to a later time, among many.
void timer_rearm(benchmark::State& state) {
  const auto timers = static_cast<std::uint32_t>(state.range(0));
  Instant now(1s);
  TimerWheel wheel(now);
  wheel.resize(timers);
  for (std::uint32_t id = 0; id < timers; ++id)
    wheel.arm(id, now + 200ms + id * 1us);
  std::uint32_t id = 0;
  Meter meter;
  meter.start();
  for (auto _ : state) {
    now += 100ns;
    wheel.arm(id, now + 200ms);
    id = id + 1 == timers ? 0 : id + 1;
  }
  meter.stop();
  meter.report(state, static_cast<std::uint64_t>(state.iterations()));
}

/// Timers that fire and are armed again: the wheel's whole work.
void timer_expire(benchmark::State& state) {
  const auto timers = static_cast<std::uint32_t>(state.range(0));
  Instant now(1s);
  TimerWheel wheel(now);
  wheel.resize(timers);
  dataplane::Rng rng(5);
  for (std::uint32_t id = 0; id < timers; ++id)
    wheel.arm(id, now + 1us * rng.below(1'000'000));
  std::uint64_t fired = 0;
  Meter meter;
  meter.start();
  for (auto _ : state) {
    now += 1ms;
    while (const auto id = wheel.pop_expired(now)) {
      wheel.arm(*id, now + 1s);
      ++fired;
    }
  }
  meter.stop();
  meter.report(state, fired);
}

/// One line for each way of this CPU to sum.
[[maybe_unused]] const bool kChecksumsRegistered = [] {
  for (const wire::ChecksumKernel& kernel : wire::checksum_kernels()) {
    const std::string name(kernel.name);
    benchmark::RegisterBenchmark(("checksum/" + name).c_str(), checksum_sum, kernel);
    benchmark::RegisterBenchmark(("copy_and_checksum/" + name).c_str(), checksum_copy, kernel);
  }
  return true;
}();

BENCHMARK(parse_headers);
BENCHMARK(flow_lookup)->Arg(1)->Arg(10'000)->Arg(1'000'000);
BENCHMARK(timer_rearm)->Arg(1'000)->Arg(1'000'000);
BENCHMARK(timer_expire)->Arg(1'000)->Arg(1'000'000);

}  // namespace

BENCHMARK_MAIN();
