#include "test/emulator/emulator.hpp"

#include <catch2/catch.hpp>

#include "dataplane/base/heap_packet_pool.hpp"

namespace emulator {
namespace {

using Catch::Matchers::Contains;
using dataplane::HeapPacketPool;
using namespace std::chrono_literals;

constexpr PortIndex kLeft{0};
constexpr PortIndex kRight{1};
constexpr std::string_view kPath = R"(
[[path]]
devices = ["left", "right"]
rate = "8Mbit/s"
delay = "10ms"
)";

constexpr Instant at(Duration time) { return Instant(5s) + time; }

/// An emulator on no ports at all.
struct Bench {
  explicit Bench(const std::string& more = {})
      : emulator(*parse_plan(std::string(kPath) + more, "plan.toml"), pool) {
    emulator.start(at(0s));
  }
  /// A frame of 1,000 octets, a millisecond at the rate above.
  void send(Duration now, PortIndex port, std::byte first = std::byte{1}) {
    Packet frame = pool.alloc();
    *frame.append(1000) = first;
    emulator.on_frames(at(now), port, {&frame, 1});
  }
  /// Octet 0 of each frame that has left at a port by `now`.
  std::vector<int> left_at(Duration now, PortIndex port) {
    emulator.on_deadline(at(now));
    std::vector<int> out;
    while (const Packet frame = emulator.tx_queue(port).pop())
      out.push_back(std::to_integer<int>(frame.data()[0]));
    return out;
  }

  HeapPacketPool pool{64};
  Emulator emulator;
};

TEST_CASE("a frame leaves at the other port when rate and delay say", "[emulator]") {
  Bench bench;
  CHECK(bench.emulator.next_deadline() == dataplane::kNever);
  bench.send(0ms, kLeft, std::byte{1});
  bench.send(0ms, kLeft, std::byte{2});
  bench.send(0ms, kRight, std::byte{3});
  CHECK(bench.emulator.next_deadline() == at(11ms));
  CHECK(bench.left_at(10'999us, kRight).empty());
  CHECK(bench.left_at(11ms, kRight) == std::vector{1});
  CHECK(bench.emulator.next_deadline() == at(12ms));
  CHECK(bench.left_at(12ms, kRight) == std::vector{2});
  CHECK(bench.left_at(12ms, kLeft) == std::vector{3});
  CHECK_FALSE(bench.emulator.has_pending_transmit());
}

TEST_CASE("a cut path carries nothing, and something again", "[emulator]") {
  Bench bench("[[cut]]\nfrom = \"1s\"\nuntil = \"2s\"\n");
  bench.send(1500ms, kLeft);
  bench.send(1500ms, kRight);
  CHECK(bench.left_at(1900ms, kRight).empty());
  CHECK(bench.left_at(1900ms, kLeft).empty());
  bench.send(2001ms, kLeft);
  CHECK(bench.left_at(3s, kRight).size() == 1);
  CHECK_THAT(bench.emulator.report()[0],
             Contains(R"("way": "there", "frames": 2)") && Contains(R"("cut_losses": 1)"));
}

TEST_CASE("a change comes at its time, to the way that it names", "[emulator]") {
  Bench bench(
      "[[change]]\nat = \"1s\"\nway = \"back\"\ndelay = \"50ms\"\n"
      "[[change]]\nat = \"2s\"\nloss = \"100%\"\n");
  CHECK(bench.emulator.next_deadline() == at(1s));
  CHECK(bench.left_at(1s, kLeft).empty());
  bench.send(1s, kLeft);
  bench.send(1s, kRight);
  CHECK(bench.left_at(1011ms, kRight).size() == 1);
  CHECK(bench.left_at(1050ms, kLeft).empty());
  CHECK(bench.left_at(1051ms, kLeft).size() == 1);
  CHECK(bench.left_at(2s, kLeft).empty());
  bench.send(2s, kLeft);
  bench.send(2s, kRight);
  CHECK(bench.left_at(3s, kRight).empty());
  CHECK(bench.left_at(3s, kLeft).empty());
  CHECK(bench.emulator.next_deadline() == dataplane::kNever);
}

TEST_CASE("a queue is as long as it says, in octets", "[emulator]") {
  Bench bench("[[change]]\nat = \"0s\"\nqueue = \"3000\"\n");
  CHECK(bench.left_at(0s, kRight).empty());
  for (int i = 0; i < 10; ++i)
    bench.send(0ms, kLeft);
  CHECK(bench.left_at(1s, kRight).size() == 3);
  CHECK_THAT(bench.emulator.report()[0], Contains(R"("queue_drops": 7)"));
}

TEST_CASE("packets that ran out are counted, and come back", "[emulator]") {
  Bench bench;
  std::vector<Packet> all;
  bench.send(0ms, kLeft);
  while (Packet packet = bench.pool.alloc())
    all.push_back(std::move(packet));
  CHECK(bench.left_at(1s, kRight).empty());
  CHECK_THAT(bench.emulator.report()[0], Contains(R"("refused": 1)"));
}

TEST_CASE("what is wrong with a plan is said with its line", "[emulator]") {
  const auto [text, expected] = GENERATE(table<std::string, std::string>({
      {"", "there is no path"},
      {"[[path]]\ndevices = [\"a\"]\n", "plan.toml:1: a path has two devices"},
      {"[[path]]\ndevices = [\"a\", \"b\"]\nrate = \"fast\"\n", "plan.toml:3: \"fast\" is no rate"},
      {"[[path]]\ndevices = [\"a\", \"b\"]\nrate = \"0Mbit/s\"\n", "is no rate"},
      {"[[path]]\ndevices = [\"a\", \"b\"]\nloss = \"1\"\n", "is no share"},
      {"[[path]]\ndevices = [\"a\", \"b\"]\nloss = \"101%\"\n", "is no share"},
      {"[[path]]\ndevices = [\"a\", \"b\"]\ndelay = \"10\"\n", "is not a time"},
      {"[[path]]\ndevices = [\"a\", \"b\"]\nspeed = 1\n", "unknown key"},
      {"[path]\ndevices = [\"a\", \"b\"]\n", "no list of tables"},
      {"paths = 1\n[[path]]\ndevices = [\"a\", \"b\"]\n", "unknown key paths"},
      {"[[path]]\ndevices = [\"a\", \"b\"]\n[[cut]]\npath = 1\n", "it must lie from 0 to 0"},
      {"[[path]]\ndevices = [\"a\", \"b\"]\n[[change]]\nat = \"2s\"\n[[change]]\nat = \"1s\"\n",
       "plan.toml:5: this change is earlier"},
      {"[[path]\n", "plan.toml:1"},
      {"seed = \"x\"\n[[path]]\ndevices = [\"a\", \"b\"]\n", "seed of the plan must be an integer"},
      {"[[path]]\ndevices = [\"a\", \"b\"]\nrate = 5\n", "a string such as \"50Mbit/s\""},
  }));
  const auto plan = parse_plan(text, "plan.toml");
  REQUIRE_FALSE(plan);
  std::string said;
  for (const apps::Diagnostic& each : plan.error())
    said += to_string(each) + "\n";
  CHECK_THAT(said, Contains(expected));
}

}  // namespace
}  // namespace emulator
