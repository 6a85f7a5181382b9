#include "test/sim/box.hpp"

#include <array>

#include <catch2/catch.hpp>

#include "test/sim/frames_testing.hpp"

namespace sim {
namespace {

using testing::Inbox;
using testing::segment;

struct Bench {
  explicit Bench(BoxSpec spec) : box(make_box(spec, frames, 9)) {
    box->connect(Side::Left, left);
    box->connect(Side::Right, right);
  }
  void from_left(const Craft& s) { box->entry(Side::Left).take(kStart, craft(frames, s)); }
  void from_right(const Craft& s) { box->entry(Side::Right).take(kStart, craft(frames, s)); }
  FramePool frames{2000};
  Inbox left;
  Inbox right;
  std::unique_ptr<Box> box;
};

constexpr std::array<std::byte, 1000> kZeros{};

/// SYN options: MSS, SACK permitted, an unknown kind, window scale.
std::array<std::byte, 16> syn_options() {
  std::array<std::byte, 16> out{};
  dataplane::Writer write(out);
  write.u32(0x0204'05b4);
  write.u16(0x0402);
  write.u32(0x1e04'abcd);
  write.u8(1);
  write.u8(3);
  write.u16(0x0307);
  return out;
}

TEST_CASE("an unknown option is blanked, the others stay", "[sim][box]") {
  Bench bench({BoxKind::StripUnknownOptions, 0});
  const auto options = syn_options();
  Craft s = segment();
  s.flags = kSyn;
  s.options = options;
  bench.from_left(s);
  REQUIRE(bench.right.all_match());
  const Segment seen = bench.right.at(0);
  REQUIRE(seen.mss == 1460);
  REQUIRE(seen.window_scale == 7);
  REQUIRE(seen.sack_permitted);
  const ByteSpan raw = bench.right.frames[0].data();
  REQUIRE(std::find(raw.begin() + 54, raw.end(), std::byte{0x1e}) == raw.end());
}

TEST_CASE("ECN is cleared where a box was told to, and nowhere else", "[sim][box]") {
  Bench bench({BoxKind::Bleach, kBleachIp | kBleachSynAck});
  Craft s = segment();
  const auto send = [&](unsigned flags) {
    s.flags = static_cast<std::uint8_t>(flags);
    Frame frame = craft(bench.frames, s);
    set_ecn(frame.data(), *find_tcp(frame.data()), kCe);
    bench.box->entry(Side::Left).take(kStart, std::move(frame));
  };
  send(kSyn | kEce | kCwr);
  send(kSyn | kAck | kEce);
  send(kAck | kEce);
  REQUIRE(bench.right.frames.size() == 3);
  CHECK(bench.right.at(0).flags == (kSyn | kEce | kCwr));
  CHECK(bench.right.at(1).flags == (kSyn | kAck));
  CHECK(bench.right.at(2).flags == (kAck | kEce));
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(bench.right.at(i).ecn == kNotEct);
  CHECK(bench.right.all_match());
}

TEST_CASE("one option of SYNs is dropped", "[sim][box]") {
  Bench bench({BoxKind::DropSynOption, 3});
  const auto options = syn_options();
  Craft s = segment();
  s.flags = kSyn;
  s.options = options;
  bench.from_left(s);
  REQUIRE_FALSE(bench.right.at(0).window_scale);
  REQUIRE(bench.right.at(0).mss == 1460);
  REQUIRE(bench.right.all_match());
}

TEST_CASE("a split segment covers the same octets, and FIN goes with the last", "[sim][box]") {
  Bench bench({BoxKind::Split, 300});
  Craft s = segment();
  s.seq = 100;
  s.flags = kAck | kFin | kPsh;
  s.payload = kZeros;
  bench.from_left(s);
  REQUIRE(bench.right.frames.size() == 4);
  REQUIRE(bench.right.all_match());
  std::uint32_t next = 100;
  for (std::size_t i = 0; i < 4; ++i) {
    REQUIRE(bench.right.at(i).seq == next);
    REQUIRE(bench.right.at(i).has(kFin) == (i == 3));
    next += static_cast<std::uint32_t>(bench.right.at(i).payload.size());
  }
  REQUIRE(next == 1100);
}

TEST_CASE("adjacent segments are merged, and a pause lets the held one go", "[sim][box]") {
  Bench bench({BoxKind::Merge, 1400});
  Craft s = segment();
  s.payload = std::span(kZeros).first(500);
  s.seq = 100;
  bench.from_left(s);
  s.seq = 600;
  s.ack = 77;
  bench.from_left(s);
  REQUIRE(bench.right.frames.empty());
  bench.box->run(bench.box->next_event());
  REQUIRE(bench.right.frames.size() == 1);
  REQUIRE(bench.right.all_match());
  REQUIRE(bench.right.at(0).seq == 100);
  REQUIRE(bench.right.at(0).ack == 77);
  REQUIRE(bench.right.at(0).payload.size() == 1000);
  REQUIRE(bench.box->next_event() == kNever);
}

TEST_CASE("rewritten sequence numbers come back as they were", "[sim][box]") {
  Bench bench({BoxKind::RewriteSequence, 0});
  Craft s = segment();
  s.flags = kSyn;
  s.seq = 1000;
  bench.from_left(s);
  const std::uint32_t outside = bench.right.at(0).seq;
  REQUIRE(outside != 1000);
  std::array<std::byte, 12> sack{};
  dataplane::Writer write(sack);
  write.u32(0x0101'050a);
  write.u32(outside + 50);
  write.u32(outside + 60);
  Craft reply = segment(false);
  reply.ack = outside + 1;
  reply.options = sack;
  bench.from_right(reply);
  REQUIRE(bench.left.at(0).ack == 1001);
  REQUIRE(bench.left.at(0).sacks[0] == std::pair<std::uint32_t, std::uint32_t>(1050, 1060));
  REQUIRE(bench.left.all_match());
}

TEST_CASE("a translated connection comes back to its client", "[sim][box]") {
  Bench bench({BoxKind::Nat, 0});
  const Craft s = segment();
  bench.from_left(s);
  const Segment outside = bench.right.at(0);
  REQUIRE(outside.source == nat_address(s.source));
  REQUIRE(outside.source != s.source);
  REQUIRE(outside.source_port != s.source_port);
  Craft reply = segment(false);
  reply.destination = outside.source;
  reply.destination_port = outside.source_port;
  bench.from_right(reply);
  REQUIRE(bench.left.at(0).destination == s.source);
  REQUIRE(bench.left.at(0).destination_port == s.source_port);
  REQUIRE((bench.left.all_match() && bench.right.all_match()));
}

TEST_CASE("a packet that is too big for the path is answered by ICMP", "[sim][box]") {
  Bench bench({BoxKind::Narrow, 600});
  Craft s = segment();
  s.payload = kZeros;
  bench.from_left(s);
  REQUIRE(bench.right.frames.empty());
  REQUIRE(bench.left.frames.size() == 1);
  const ByteSpan raw = bench.left.frames[0].data();
  const auto ip = find_ip(raw);
  REQUIRE(ip);
  REQUIRE(ip->protocol == kProtocolIcmp);
  REQUIRE(checksums_match(raw, *ip));
  REQUIRE(dataplane::load_be<std::uint16_t>(&raw[ip->transport]) == 0x0304);
  REQUIRE(dataplane::load_be<std::uint16_t>(&raw[ip->transport + 6]) == 600);
}

TEST_CASE("a black hole takes what is too big and says nothing", "[sim][box]") {
  Bench bench({BoxKind::BlackHole, 600});
  Craft s = segment();
  bench.from_left(s);
  s.payload = kZeros;
  bench.from_left(s);
  REQUIRE(bench.right.frames.size() == 1);
  REQUIRE(bench.left.frames.empty());
}

TEST_CASE("a damaged segment does not pass a box", "[sim][box]") {
  Bench bench({BoxKind::RewriteSequence, 0});
  Frame frame = craft(bench.frames, segment());
  frame.data()[40] ^= std::byte{1};
  bench.box->entry(Side::Left).take(kStart, std::move(frame));
  REQUIRE(bench.right.frames.empty());
}

}  // namespace
}  // namespace sim
