#include "dataplane/tcp/mtu_search.hpp"

#include <catch2/catch.hpp>

#include "test/dataplane/tcp/engine_pair.hpp"

namespace dataplane::tcp::test {
namespace {

/// A path that carries segments of at most `most` octets of payload from a to b, and says nothing.
struct BlackHole {
  explicit BlackHole(std::uint32_t most_octets) : most(most_octets), pair(bench, 10ms) {
    pair.establish();
    pair.drop = [this](int direction, const wire::TxSegment& segment) {
      longest = std::max(longest, segment.payload_length);
      return direction == 0 && segment.payload_length > most;
    };
  }
  bool transfer(std::size_t octets, Duration patience) {
    const auto sent = pattern(octets);
    return pair.transfer(*pair.a, *pair.b, sent, patience) == sent;
  }
  Bench bench;
  std::uint32_t most;
  std::uint32_t longest = 0;
  EnginePair pair;
};

}  // namespace

TEST_CASE("segments that vanish for their size get smaller, and data sent before is cut anew",
          "[tcp][mtu][rfc4821-7.7]") {
  const std::uint32_t most = GENERATE(1'400U, 1'100U, 1'000U, 600U, 300U);
  BlackHole path(most);
  const std::uint32_t whole = path.pair.a->mss();
  CHECK(path.transfer(400'000, 8s));
  CHECK(path.bench.stats.black_holes == 1);
  CHECK(path.pair.a->mss() <= most);
  CHECK(path.pair.a->mss() < whole);
  CHECK(path.pair.a->info().cwnd > 2 * path.pair.a->mss());
}

TEST_CASE("without probing nothing gets through a black hole", "[tcp][mtu]") {
  Bench bench;
  bench.config.mtu_probing = false;
  EnginePair pair(bench, 10ms);
  pair.establish();
  pair.drop = [](int, const wire::TxSegment& segment) { return segment.payload_length > 1'000; };
  const auto sent = pattern(20'000);
  CHECK(pair.transfer(*pair.a, *pair.b, sent, 10s).empty());
}

TEST_CASE("the largest size that passes is found by probes, none of which slows the sender",
          "[tcp][mtu][rfc4821-7.6]") {
  BlackHole path(1'300);
  const std::uint32_t whole = path.pair.a->mss();
  REQUIRE(path.transfer(100'000, 5s));
  const std::uint64_t recoveries = path.bench.stats.fast_recoveries;
  const std::uint64_t timeouts = path.bench.stats.timeouts;
  const std::uint64_t cwnd = path.pair.a->info().cwnd;
  for (int i = 0; i < 12; ++i) {
    path.pair.run(1s);
    REQUIRE(path.transfer(100'000, 2s));
  }
  CHECK(path.pair.a->mss() > 1'300 - 32);
  CHECK(path.pair.a->mss() <= 1'300);
  CHECK(path.bench.stats.size_probes >= 4);
  CHECK(path.bench.stats.size_probes <= 8);
  CHECK(path.bench.stats.fast_recoveries == recoveries);
  CHECK(path.bench.stats.timeouts == timeouts);
  CHECK(path.pair.a->info().cwnd >= cwnd);
  // Ten minutes later the path may be another.
  path.most = 65'535;
  path.pair.run(601s);
  REQUIRE(path.transfer(100'000, 2s));
  CHECK(path.pair.a->mss() == whole);
}

TEST_CASE("a cut is no black hole: the size stays", "[tcp][mtu]") {
  Bench bench;
  EnginePair pair(bench, 10ms);
  pair.establish();
  const std::uint32_t whole = pair.a->mss();
  const Instant back = pair.now + GENERATE(Duration(700ms), Duration(3s), Duration(20s));
  pair.drop = [&](int, const wire::TxSegment&) { return pair.now < back; };
  const auto sent = pattern(400'000);
  CHECK(pair.transfer(*pair.a, *pair.b, sent, 30s) == sent);
  CHECK(pair.a->mss() == whole);
  CHECK(bench.stats.black_holes == 0);
}

TEST_CASE("a probe that is lost among others says nothing about its size", "[tcp][mtu]") {
  MtuSearch search;
  CHECK_FALSE(search.on_timeout(1'448, true));
  CHECK(search.piece() == 1'024);
  CHECK(search.on_ack(Instant(1s), 1'024, true, 1'448) == 0);
  REQUIRE(search.on_timeout(1'448, false));
  search.on_lowered(Instant(2s), 1'448);
  CHECK(search.probe_size(Instant(2s), 1'024, 1'448) == 0);
  CHECK(search.probe_size(Instant(3s), 1'024, 1'448) == 1'448);
  search.on_probe_sent(SeqNum(5), 1'448);
  CHECK_FALSE(search.is_probe(SeqNum(5), 2'000));
  CHECK(search.is_probe(SeqNum(5), 1'448));
  search.forget_probe(Instant(4s));
  CHECK_FALSE(search.is_probe(SeqNum(5), 1'448));
  CHECK(search.probe_size(Instant(5s), 1'024, 1'448) == 1'448);
  search.on_probe_sent(SeqNum(9), 1'448);
  search.on_probe_lost(Instant(6s), 1'024);
  CHECK(search.probe_size(Instant(7s), 1'024, 1'448) == 1'236);
}

TEST_CASE("a whole segment that arrives shows that a piece was no proof", "[tcp][mtu]") {
  MtuSearch search;
  CHECK_FALSE(search.on_timeout(1'448, true));
  search.on_ack(Instant(1s), 1'024, true, 1'448);
  CHECK(search.passed() == 1'024);
  search.on_ack(Instant(2s), 1'448, true, 1'448);
  CHECK_FALSE(search.on_timeout(1'448, false));
}

}  // namespace dataplane::tcp::test
