#include "test/sim/mptcp_box.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <catch2/catch.hpp>

#include "test/sim/frames_testing.hpp"

namespace sim {
namespace {

using testing::Inbox;
using testing::segment;

/// Timestamps, and an MPTCP option whose third octet is `subtype_octet`.
std::array<std::byte, 16> options_with(unsigned subtype_octet) {
  std::array<std::byte, 16> out{};
  dataplane::Writer write(out);
  write.u32(0x0101'080a);
  write.u32(7);
  write.u32(8);
  write.u16(0x1e04);
  write.u8(static_cast<std::uint8_t>(subtype_octet));
  write.u8(0x55);
  return out;
}

constexpr std::array<std::byte, 1000> kZeros{};

struct Bench {
  explicit Bench(BoxSpec spec) : box(make_box(spec, frames, 9)) {
    box->connect(Side::Left, left);
    box->connect(Side::Right, right);
  }
  void pass(std::uint8_t flags, std::size_t payload = 0, unsigned subtype_octet = 0x20) {
    const auto options = options_with(subtype_octet);
    Craft s = segment();
    s.flags = flags;
    s.seq = next;
    s.options = options;
    s.payload = std::span(kZeros).first(payload);
    next += static_cast<std::uint32_t>(payload);
    box->entry(Side::Left).take(kStart, craft(frames, s));
  }
  /// Whether each segment that came out on the right has its MPTCP option.
  std::vector<bool> kept() const {
    std::vector<bool> out;
    for (const Frame& frame : right.frames)
      out.push_back(frame.data()[14 + 20 + 20 + 12] == std::byte{30});
    return out;
  }

  FramePool frames{2000};
  Inbox left;
  Inbox right;
  std::unique_ptr<Box> box;
  std::uint32_t next = 100;
};

TEST_CASE("MPTCP is taken from the segments of some stages", "[sim][box]") {
  const auto stages = GENERATE(0U, 1U, 2U, 4U, 5U, 7U);
  Bench bench({BoxKind::StripMptcp, stages});
  bench.pass(kSyn);
  bench.pass(kSyn | kAck);
  bench.pass(kAck);
  bench.pass(kAck | kPsh, 100);
  const bool later = (stages & kStripLater) == 0;
  CHECK(bench.kept() ==
        std::vector<bool>{(stages & kStripSyn) == 0, (stages & kStripSynAck) == 0, later, later});
  CHECK(bench.right.all_match());
  CHECK(bench.right.at(3).timestamps->value == 7);
}

TEST_CASE("MPTCP is taken away in the middle of a connection", "[sim][box]") {
  Bench bench({BoxKind::StripMptcpLater, 2});
  bench.pass(kSyn);
  for (int i = 0; i < 3; ++i)
    bench.pass(kAck, 100);
  bench.pass(kAck);
  CHECK(bench.kept() == std::vector<bool>{true, true, true, false, false});
}

TEST_CASE("of a split segment one piece keeps the mapping", "[sim][box]") {
  const auto kind = GENERATE(BoxKind::Split, BoxKind::SplitKeepFirst, BoxKind::SplitKeepLast);
  Bench bench({kind, 400});
  bench.pass(kAck, 1000);
  const bool all = kind == BoxKind::Split;
  CHECK(bench.kept() == std::vector<bool>{all || kind == BoxKind::SplitKeepFirst, all,
                                          all || kind == BoxKind::SplitKeepLast});
  CHECK(bench.right.all_match());
  bench.pass(kAck, 400);
  CHECK(bench.kept().back());
}

TEST_CASE("of merged segments one has its mapping kept", "[sim][box]") {
  const auto kind = GENERATE(BoxKind::Merge, BoxKind::MergeKeepFirst);
  Bench bench({kind, 1400});
  bench.pass(kAck, 500, 0x21);
  bench.pass(kAck, 500, 0x22);
  bench.box->run(bench.box->next_event());
  REQUIRE(bench.right.frames.size() == 1);
  CHECK(bench.right.all_match());
  CHECK(bench.right.at(0).seq == 100);
  CHECK(bench.right.at(0).payload.size() == 1000);
  const std::byte kept = bench.right.frames[0].data()[14 + 20 + 20 + 12 + 2];
  CHECK(kept == (kind == BoxKind::Merge ? std::byte{0x22} : std::byte{0x21}));
}

TEST_CASE("a join is dropped or reset, and nothing else is", "[sim][box]") {
  const auto resets = GENERATE(0U, 1U);
  Bench bench({BoxKind::RefuseJoins, resets});
  bench.pass(kSyn, 0, 0x01);
  bench.pass(kAck, 0, 0x10);
  CHECK(bench.right.frames.size() == 2);
  bench.pass(kSyn, 0, 0x10);
  CHECK(bench.right.frames.size() == 2);
  REQUIRE(bench.left.frames.size() == resets);
  if (resets == 0) return;
  CHECK(bench.left.all_match());
  const Segment reset = bench.left.at(0);
  CHECK(reset.flags == (kRst | kAck));
  CHECK(reset.ack == 101);
  CHECK(reset.destination_port == 4000);
}

TEST_CASE("an octet of payload is changed, and the checksums say nothing", "[sim][box]") {
  Bench bench({BoxKind::AlterPayload, 2});
  for (int i = 0; i < 4; ++i)
    bench.pass(kAck, 100);
  bench.pass(kAck);
  CHECK(bench.right.all_match());
  std::vector<std::ptrdiff_t> changed;
  for (std::size_t i = 0; i < 5; ++i) {
    const ByteSpan payload = bench.right.at(i).payload;
    changed.push_back(std::count(payload.begin(), payload.end(), std::byte{0x20}));
  }
  CHECK(changed == std::vector<std::ptrdiff_t>{0, 1, 0, 1, 0});
}

}  // namespace
}  // namespace sim
