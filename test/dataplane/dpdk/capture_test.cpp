#include "dataplane/dpdk/capture.hpp"

#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "dataplane/base/byte_io.hpp"
#include "dataplane/dpdk/byte_ring.hpp"
#include "dataplane/dpdk/pcapng.hpp"

namespace dataplane::dpdk {
namespace {

struct FrameShape {
  bool v6 = false;
  bool vlan = false;
  std::uint8_t protocol = 6;
  std::uint8_t host_octet = 1;  ///< The last one of the source; the destination ends with 99.
  std::uint16_t source_port = 1234;
  std::uint16_t destination_port = 80;
};

std::vector<std::byte> frame_of(const FrameShape& shape) {
  std::vector<std::byte> octets(90);
  Writer out(octets);
  for (int i = 0; i < 12; ++i)
    out.u8(2);
  if (shape.vlan) out.u32(0x8100'0005);
  out.u16(shape.v6 ? 0x86dd : 0x0800);
  if (shape.v6) {
    out.u32(0x6000'0000);
    out.u16(20);
    out.u8(shape.protocol);
    out.u8(64);
    for (const std::uint8_t last : {shape.host_octet, std::uint8_t{99}}) {
      out.u16(0xfd00);
      for (int i = 0; i < 13; ++i)
        out.u8(0);
      out.u8(last);
    }
  } else {
    out.u32(0x4500'0028);
    out.u32(0);
    out.u8(64);
    out.u8(shape.protocol);
    out.u16(0);
    out.u32(0x0a09'0000U | shape.host_octet);
    out.u32(0x0a09'0063);
  }
  out.u16(shape.source_port);
  out.u16(shape.destination_port);
  return octets;
}

}  // namespace

TEST_CASE("a capture without a filter keeps every frame", "[dpdk][capture]") {
  CHECK(matches({}, frame_of({})));
  CHECK(matches({}, ByteSpan{}));
}

TEST_CASE("a capture filter chooses by port and by host", "[dpdk][capture]") {
  const bool v6 = GENERATE(false, true);
  const bool vlan = GENERATE(false, true);
  const auto frame = frame_of({.v6 = v6, .vlan = vlan});
  CHECK(matches({.tcp_port = 80}, frame));
  CHECK(matches({.tcp_port = 1234}, frame));
  CHECK_FALSE(matches({.tcp_port = 81}, frame));
  CHECK(matches({.host = IpAddress::parse(v6 ? "fd00::1" : "10.9.0.1")}, frame));
  CHECK(matches({.host = IpAddress::parse(v6 ? "fd00::63" : "10.9.0.99"), .tcp_port = 80}, frame));
  CHECK_FALSE(matches({.host = IpAddress::parse(v6 ? "fd00::2" : "10.9.0.2")}, frame));
  CHECK_FALSE(matches({.tcp_port = 80}, frame_of({.v6 = v6, .vlan = vlan, .protocol = 17})));
}

TEST_CASE("a capture filter refuses truncated frames and never reads past them",
          "[dpdk][capture]") {
  const auto whole = frame_of({.v6 = GENERATE(false, true)});
  for (std::size_t length = 0; length < 34; ++length) {
    const std::vector<std::byte> cut(whole.begin(), whole.begin() + static_cast<long>(length));
    CHECK_FALSE(matches({.tcp_port = 80}, cut));
  }
}

TEST_CASE("a byte ring gives records back whole and in order", "[dpdk][byte_ring]") {
  ByteRing ring(256);
  CHECK(ring.front().empty());
  std::uint8_t next_in = 0;
  std::uint8_t next_out = 0;
  // Lengths that do not divide the size, so that every place of the wrap occurs.
  for (int round = 0; round < 500; ++round) {
    const std::size_t length = 1 + static_cast<std::size_t>(round * 7 % 90);
    MutableByteSpan room = ring.reserve(length);
    if (!room.empty()) {
      REQUIRE(room.size() == length);
      std::ranges::fill(room, std::byte{next_in++});
      ring.commit();
      if (round % 3 == 0) continue;
    }
    const ByteSpan record = ring.front();
    REQUIRE_FALSE(record.empty());
    CHECK(record.front() == std::byte{next_out});
    CHECK(record.back() == std::byte{next_out});
    ++next_out;
    ring.pop();
  }
}

TEST_CASE("a byte ring that is full refuses and loses nothing", "[dpdk][byte_ring]") {
  ByteRing ring(128);
  CHECK(ring.reserve(100).empty());  // More than half.
  CHECK(ring.reserve(0).empty());
  int stored = 0;
  while (!ring.reserve(24).empty()) {
    ring.commit();
    ++stored;
  }
  CHECK(stored == 4);
  ring.pop();
  CHECK_FALSE(ring.reserve(24).empty());
}

TEST_CASE("a byte ring carries records between two threads", "[dpdk][byte_ring][threads]") {
  ByteRing ring(1024);
  constexpr std::uint32_t kRecords = 20'000;
  std::thread writer([&ring] {
    for (std::uint32_t i = 0; i < kRecords;) {
      const MutableByteSpan room = ring.reserve(4 + i % 50);
      if (room.empty()) {
        std::this_thread::yield();
        continue;
      }
      std::memcpy(room.data(), &i, sizeof i);
      ring.commit();
      ++i;
    }
  });
  std::uint32_t wrong = 0;
  for (std::uint32_t i = 0; i < kRecords;) {
    const ByteSpan record = ring.front();
    if (record.empty()) {
      std::this_thread::yield();
      continue;
    }
    std::uint32_t value = 0;
    std::memcpy(&value, record.data(), sizeof value);
    if (value != i || record.size() != 4 + i % 50) ++wrong;
    ring.pop();
    ++i;
  }
  writer.join();
  CHECK(wrong == 0);
}

TEST_CASE("pcapng blocks have their length at both ends and are padded to four", "[dpdk][pcapng]") {
  std::vector<std::byte> out;
  PcapngBlocks blocks(out);
  blocks.section_header("Hawser");
  blocks.interface_description("p0", "net_null0", 65'535);
  const std::vector<std::byte> frame(61, std::byte{7});
  blocks.enhanced_packet({.interface = 0,
                          .time_ns = 1'700'000'000'123'456'789,
                          .direction = Direction::Outbound,
                          .length = 61,
                          .kept = frame});
  blocks.interface_statistics({.interface = 0, .received = 1, .dropped = 0});
  std::size_t count = 0;
  for (std::size_t at = 0; at < out.size(); ++count) {
    std::uint32_t length = 0;
    std::uint32_t again = 0;
    REQUIRE(out.size() - at >= 12);
    std::memcpy(&length, out.data() + at + 4, sizeof length);
    REQUIRE(length % 4 == 0);
    REQUIRE(length <= out.size() - at);
    std::memcpy(&again, out.data() + at + length - 4, sizeof again);
    CHECK(length == again);
    at += length;
  }
  CHECK(count == 4);
}

}  // namespace dataplane::dpdk
