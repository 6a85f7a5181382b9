#include "test/sim/link.hpp"

#include <catch2/catch.hpp>

#include "test/sim/frames_testing.hpp"

namespace sim {
namespace {

using testing::Inbox;
using testing::segment;

struct Bench {
  explicit Bench(LinkConfig config) : link(std::move(config), frames, Rng(7), inbox) {}
  void send(Instant at, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      Craft s = segment();
      s.seq = static_cast<std::uint32_t>(i);
      s.payload = payload;
      link.take(at, craft(frames, s));
    }
  }
  void drain() {
    while (link.next_event() != kNever)
      link.run(link.next_event());
  }
  FramePool frames{2000};
  Inbox inbox;
  std::vector<std::byte> payload = std::vector<std::byte>(946);  // A frame of 1,000 octets.
  Link link;
};

LinkConfig megabit() {
  LinkConfig out;
  out.rate_bps = 8'000'000;  // One frame of 1,000 octets each millisecond.
  out.delay = 10ms;
  return out;
}

TEST_CASE("a link serialises at its rate and delays by its length", "[sim][link]") {
  Bench bench(megabit());
  bench.send(kStart, 3);
  bench.drain();
  REQUIRE(bench.inbox.times == std::vector<Instant>{kStart + 11ms, kStart + 12ms, kStart + 13ms});
}

TEST_CASE("a full queue drops at its tail", "[sim][link]") {
  LinkConfig config = megabit();
  config.queue_frames = 5;
  Bench bench(config);
  bench.send(kStart, 8);
  REQUIRE_FALSE(bench.link.has_room(kStart));
  REQUIRE(bench.link.next_room() == kStart + 1ms);
  REQUIRE(bench.link.has_room(kStart + 1ms));
  bench.drain();
  REQUIRE(bench.inbox.frames.size() == 5);
  REQUIRE(bench.link.stats().queue_drops == 3);
}

TEST_CASE("beyond a length of its queue a link marks what may be marked", "[sim][link]") {
  LinkConfig config = megabit();
  config.mark_octets = 2'500;
  Bench bench(config);
  const bool v6 = GENERATE(false, true);
  const auto send = [&](std::uint8_t ecn) {
    Craft s = segment();
    s.payload = std::span(bench.payload).first(926);
    if (v6) {
      s.source = dataplane::IpAddress::parse("fd00::1").value();
      s.destination = dataplane::IpAddress::parse("fd00::2").value();
    }
    Frame frame = craft(bench.frames, s);
    set_ecn(frame.data(), *find_tcp(frame.data()), ecn);
    bench.link.take(kStart, std::move(frame));
  };
  for (const std::uint8_t ecn : {kEct0, kEct0, kEct0, kEct0, kNotEct, kEct1})
    send(ecn);
  bench.drain();
  // Three are in the queue before the fourth.
  const std::vector<std::uint8_t> expected{kEct0, kEct0, kEct0, kCe, kNotEct, kCe};
  REQUIRE(bench.inbox.frames.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    CHECK(bench.inbox.at(i).ecn == expected[i]);
  CHECK(bench.inbox.all_match());
  CHECK(bench.link.stats().marked == 2);
}

TEST_CASE("a mark makes no wrong checksum right", "[sim][link]") {
  FramePool frames(2000);
  Frame frame = craft(frames, segment());
  const Layout layout = *find_tcp(frame.data());
  frame.data()[layout.ip + 8] ^= std::byte{1};
  set_ecn(frame.data(), layout, kCe);
  CHECK_FALSE(checksums_match(frame.data(), layout));
}

TEST_CASE("a cut takes what is on its way and nothing later", "[sim][link]") {
  LinkConfig config = megabit();
  config.faults.cuts = {{kStart + 5ms, kStart + 12ms}};
  Bench bench(config);
  bench.send(kStart, 4);  // They arrive after 11, 12, 13 and 14 ms.
  bench.drain();
  REQUIRE(bench.inbox.times.size() == 3);
  REQUIRE(bench.inbox.times[0] == kStart + 12ms);
}

TEST_CASE("a detour makes the way longer for a while, and what follows waits for what took it",
          "[sim][link]") {
  LinkConfig config = megabit();
  config.faults.detours = {{kStart + 2ms, kStart + 3ms, 5ms}};
  Bench bench(config);
  bench.send(kStart, 3);  // They leave after 1, 2 and 3 ms.
  bench.drain();
  REQUIRE(bench.inbox.times == std::vector<Instant>{kStart + 11ms, kStart + 17ms, kStart + 17ms});
}

TEST_CASE("loss comes as often as it was asked for, and ends in time", "[sim][link]") {
  LinkConfig config = megabit();
  config.queue_frames = 100'000;
  config.queue_octets = 1'000'000'000;
  config.faults.loss = 0.2;
  config.faults.end = kStart + 1s;
  Bench bench(config);
  bench.send(kStart, 10'000);
  REQUIRE(bench.link.stats().losses > 1'850);
  REQUIRE(bench.link.stats().losses < 2'150);
  const std::uint64_t before = bench.link.stats().losses;
  bench.send(kStart + 1s, 1'000);
  REQUIRE(bench.link.stats().losses == before);
}

TEST_CASE("without reordering the frames arrive in order, whatever the jitter", "[sim][link]") {
  LinkConfig config = megabit();
  config.jitter = 5ms;
  Bench bench(config);
  bench.send(kStart, 200);
  bench.drain();
  for (std::size_t i = 0; i < 200; ++i)
    REQUIRE(bench.inbox.at(i).seq == i);
}

TEST_CASE("reordering lets some frames be overtaken", "[sim][link]") {
  LinkConfig config = megabit();
  config.faults.reorder = 0.1;
  config.faults.reorder_delay = 20ms;
  Bench bench(config);
  bench.send(kStart, 500);
  bench.drain();
  unsigned backwards = 0;
  for (std::size_t i = 1; i < 500; ++i)
    if (bench.inbox.at(i).seq < bench.inbox.at(i - 1).seq) ++backwards;
  REQUIRE(backwards > 20);
  REQUIRE(bench.inbox.frames.size() == 500);
}

TEST_CASE("every corrupted segment has a checksum that does not match, or no header",
          "[sim][link]") {
  FramePool frames(2000);
  Rng rng(3);
  std::vector<std::byte> payload(100);
  for (unsigned i = 0; i < 20'000; ++i) {
    Craft s = segment();
    s.payload = payload;
    Frame frame = craft(frames, s);
    corrupt(rng, frame.data());
    const auto layout = find_tcp(frame.data());
    REQUIRE((!layout || !checksums_match(frame.data(), *layout)));
  }
}

TEST_CASE("a defaced segment keeps its payload, numbers and checksum, or must be refused",
          "[sim][link]") {
  FramePool frames(2000);
  Rng rng(3);
  const std::vector<std::byte> payload(100, std::byte{7});
  std::array<std::byte, 4> options{std::byte{1}, std::byte{1}, std::byte{1}, std::byte{0}};
  for (unsigned i = 0; i < 2'000; ++i) {
    Craft s = segment();
    s.payload = payload;
    s.options = options;
    s.seq = 5;
    Frame frame = craft(frames, s);
    const bool refused = deface(rng, frame.data());
    const auto layout = find_tcp(frame.data());
    if (refused) continue;
    REQUIRE(layout);
    REQUIRE(checksums_match(frame.data(), *layout));
    const Segment seen = decode(frame.data(), *layout);
    REQUIRE(seen.seq == 5);
    REQUIRE(std::equal(seen.payload.begin(), seen.payload.end(), payload.begin(), payload.end()));
    REQUIRE((seen.flags & ~unsigned{kPsh | kUrg}) == kAck);
  }
}

TEST_CASE("two links with one seed do the same", "[sim][link]") {
  LinkConfig config = megabit();
  config.jitter = 3ms;
  config.faults.loss = config.faults.reorder = config.faults.duplicate = config.faults.corrupt =
      0.1;
  config.faults.reorder_delay = 9ms;
  Bench a(config), b(config);
  for (Bench* bench : {&a, &b}) {
    bench->send(kStart, 300);
    bench->drain();
  }
  REQUIRE(a.inbox.times == b.inbox.times);
}

}  // namespace
}  // namespace sim
