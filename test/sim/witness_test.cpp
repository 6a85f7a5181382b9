#include "test/sim/witness.hpp"

#include <array>

#include <catch2/catch.hpp>

#include "test/sim/frames_testing.hpp"

namespace sim {
namespace {

constexpr std::uint32_t kIss = 0xffff'ff00, kIrs = 5000;
constexpr std::uint64_t kKey = 42;

/// A client that has done its handshake: MSS 1,000 and a window of 5,000 from the peer, 3,000
/// announced.
struct Bench {
  explicit Bench(bool ecn = false) {
    Segment syn = blank(static_cast<std::uint8_t>(ecn ? kSyn | kEce | kCwr : kSyn));
    syn.seq = kIss;
    syn.ack = 0;
    syn.mss = 1460;
    REQUIRE_FALSE(witness.on_sent(kStart, syn));
    Segment reply = blank(static_cast<std::uint8_t>(ecn ? kSyn | kAck | kEce : kSyn | kAck));
    reply.seq = kIrs;
    reply.ack = kIss + 1;
    reply.mss = 1000;
    reply.window = 5000;
    witness.on_delivered(kStart, reply);
    REQUIRE_FALSE(witness.on_sent(kStart, blank(kAck)));
  }
  /// The next acknowledgment without payload.
  static Segment blank(std::uint8_t flags) {
    Segment out;
    out.flags = flags;
    out.seq = kIss + 1;
    out.ack = kIrs + 1;
    out.window = 3000;
    return out;
  }
  Segment text(std::uint64_t position, std::size_t length) {
    Segment out = blank(kAck);
    out.seq = kIss + 1 + static_cast<std::uint32_t>(position);
    out.payload = content.at(kKey, position, length);
    return out;
  }
  Segment arriving(std::uint64_t position, std::size_t length) {
    Segment out;
    out.flags = kAck;
    out.seq = kIrs + 1 + static_cast<std::uint32_t>(position);
    out.ack = kIss + 1;
    out.window = 5000;
    out.payload = content.at(kKey + 1, position, length);
    return out;
  }
  bool accepts(const Segment& s) { return !witness.on_sent(kStart, s); }

  Content content{1};
  Witness witness{content, kKey, 0};
};

TEST_CASE("payload up to the right edge is accepted, one octet more is not", "[sim][oracle]") {
  Bench bench;
  for (unsigned i = 0; i < 5; ++i)
    REQUIRE(bench.accepts(bench.text(i * 1000, 1000)));
  REQUIRE_FALSE(bench.accepts(bench.text(5000, 2)));
  REQUIRE(bench.accepts(bench.text(5000, 1)));  // A window probe.
}

TEST_CASE("payload that is not what was written is noticed, also when it is sent again",
          "[sim][oracle]") {
  Bench bench;
  REQUIRE(bench.accepts(bench.text(0, 1000)));
  REQUIRE(bench.accepts(bench.text(0, 1000)));
  REQUIRE(bench.witness.resent_octets() == 1000);
  Segment wrong = bench.text(0, 500);
  wrong.payload = bench.content.at(kKey, 1, 500);
  REQUIRE_FALSE(bench.accepts(wrong));
}

TEST_CASE("payload and options together do not exceed the MSS", "[sim][oracle][rfc6691-2]") {
  Bench bench;
  Segment s = bench.text(0, 1000);
  s.options_length = 4;
  REQUIRE_FALSE(bench.accepts(s));
}

TEST_CASE("a gap in what is sent is noticed", "[sim][oracle]") {
  Bench bench;
  REQUIRE_FALSE(bench.accepts(bench.text(1, 10)));
}

TEST_CASE("what never arrived is not acknowledged", "[sim][oracle]") {
  Bench bench;
  bench.witness.on_delivered(kStart, bench.arriving(0, 100));
  bench.witness.on_delivered(kStart, bench.arriving(200, 100));
  Segment ack = Bench::blank(kAck);
  ack.ack = kIrs + 1 + 100;
  REQUIRE(bench.accepts(ack));
  ack.ack += 1;
  REQUIRE_FALSE(bench.accepts(ack));
}

TEST_CASE("an acknowledgment number and a right edge that go back are noticed", "[sim][oracle]") {
  Bench bench;
  bench.witness.on_delivered(kStart, bench.arriving(0, 100));
  Segment ack = Bench::blank(kAck);
  ack.ack += 100;
  ack.window = 2900;
  REQUIRE(bench.accepts(ack));
  ack.window = 2899;
  REQUIRE_FALSE(bench.accepts(ack));
  ack.window = 3000;
  ack.ack -= 1;
  REQUIRE_FALSE(bench.accepts(ack));
}

TEST_CASE("new octets alone are ECN-capable, and only by agreement", "[sim][oracle][rfc3168-6.1]") {
  const auto capable = [](Segment s) {
    s.ecn = kEct0;
    return s;
  };
  Bench without;
  REQUIRE_FALSE(without.accepts(capable(without.text(0, 1000))));
  Bench bench(true);
  REQUIRE(bench.accepts(capable(bench.text(0, 1000))));
  REQUIRE_FALSE(bench.accepts(capable(bench.text(0, 1000))));
  REQUIRE_FALSE(bench.accepts(capable(Bench::blank(kAck))));
  REQUIRE(bench.accepts(bench.text(0, 1000)));
  for (unsigned i = 1; i < 5; ++i)
    REQUIRE(bench.accepts(capable(bench.text(i * 1000, 1000))));
  REQUIRE_FALSE(bench.accepts(capable(bench.text(5000, 1))));
}

TEST_CASE("ECE says that a mark arrived", "[sim][oracle][rfc3168-6.1.3]") {
  Bench bench(true);
  REQUIRE_FALSE(bench.accepts(Bench::blank(kAck | kEce)));
  Segment marked = bench.arriving(0, 100);
  marked.ecn = kCe;
  bench.witness.on_delivered(kStart, marked);
  REQUIRE(bench.accepts(Bench::blank(kAck | kEce)));
}

TEST_CASE("nothing follows a FIN", "[sim][oracle]") {
  Bench bench;
  Segment fin = bench.text(0, 10);
  fin.flags |= kFin;
  REQUIRE(bench.accepts(fin));
  REQUIRE(bench.accepts(bench.text(0, 10)));
  REQUIRE_FALSE(bench.accepts(bench.text(10, 1)));
}

TEST_CASE("octets that arrived in order are acknowledged within half a second", "[sim][oracle]") {
  Bench bench;
  bench.witness.on_delivered(kStart, bench.arriving(0, 100));
  REQUIRE_FALSE(bench.witness.check_delayed_ack(kStart + 500ms));
  REQUIRE(bench.witness.check_delayed_ack(kStart + 501ms));
}

TEST_CASE("octets that arrive in any order are known", "[sim][oracle]") {
  Arrived arrived;
  arrived.add(10, 20);
  arrived.add(30, 40);
  REQUIRE(arrived.contiguous() == 0);
  REQUIRE(arrived.contains(30, 40));
  REQUIRE_FALSE(arrived.contains(15, 35));
  arrived.add(0, 10);
  REQUIRE(arrived.contiguous() == 20);
  arrived.add(18, 31);
  REQUIRE(arrived.contiguous() == 40);
  arrived.add(50, 60);
  arrived.add(45, 50);
  arrived.add(40, 45);
  REQUIRE(arrived.contiguous() == 60);
}

}  // namespace
}  // namespace sim
