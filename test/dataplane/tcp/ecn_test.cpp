#include "dataplane/tcp/ecn.hpp"

#include <catch2/catch.hpp>

#include "dataplane/tcp/listener.hpp"
#include "test/dataplane/tcp/scripted_peer.hpp"

namespace dataplane::tcp::test {
namespace {

using wire::Ecn;
using wire::TcpFlags;
using wire::TxSegment;

constexpr TcpFlags kBoth = TcpFlags::Ece | TcpFlags::Cwr;
constexpr std::uint32_t kMss = 1'460;

struct EcnBench : Bench {
  explicit EcnBench(EcnMode mode) {
    config.ecn = mode;
    config.timestamps = false;
  }
};

/// A peer that has agreed to ECN, and a connection that asked for it.
struct Agreed : ScriptedPeer {
  explicit Agreed(Bench& bench_used, bool sack = false)
      : ScriptedPeer(bench_used, syn_with({.sack = sack}), TcpFlags::Ece) {}

  /// Sends what the window allows of so much, and returns how many segments it was.
  std::size_t send(std::size_t octets) {
    connection->write(pattern(octets));
    return all_sent().size();
  }
  /// All until the segment number `count` of the stream is acknowledged.
  void ack(std::uint32_t count, TcpFlags flags = TcpFlags::None) {
    next.ack = SeqNum(101) + count * kMss;
    next.flags = TcpFlags::Ack | flags;
    now += 10ms;
    receive();
  }
  std::uint64_t cwnd() const { return connection->info().cwnd; }
  std::uint64_t reductions() const { return bench.stats.ecn_reductions; }
};

TEST_CASE("a SYN asks for ECN where that is wanted, and what follows depends on the answer",
          "[tcp][ecn][rfc3168-6.1.1]") {
  const auto mode = GENERATE(EcnMode::Off, EcnMode::Answer, EcnMode::On);
  const auto answer = GENERATE(TcpFlags::None, TcpFlags::Ece, TcpFlags::Cwr, kBoth);
  EcnBench bench(mode);
  {
    Connection asking(bench.environment(), {bench.config, SeqNum(1), 0, 1'460}, Instant(1s));
    TxSegment syn;
    REQUIRE(asking.poll_transmit(Instant(1s), syn));
    CHECK(syn.header.flags == (mode == EcnMode::On ? TcpFlags::Syn | kBoth : TcpFlags::Syn));
    CHECK(syn.ecn == Ecn::NotEct);
  }
  ScriptedPeer peer(bench, syn_with({}), answer);
  const bool agreed = mode == EcnMode::On && answer == TcpFlags::Ece;
  CHECK(bench.stats.ecn_negotiated == (agreed ? 1U : 0U));
  peer.connection->write(pattern(100));
  const auto data = peer.sent();
  REQUIRE(data);
  CHECK(data->ecn == (agreed ? Ecn::Ect0 : Ecn::NotEct));
  peer.ecn = Ecn::Ce;
  peer.receive(pattern(100));
  const auto ack = peer.sent();
  CHECK((ack && has(ack->header.flags, TcpFlags::Ece)) == agreed);
}

TEST_CASE("a SYN-ACK agrees to ECN only where the SYN asked", "[tcp][ecn][rfc3168-6.1.1]") {
  const auto mode = GENERATE(EcnMode::Off, EcnMode::Answer, EcnMode::On);
  const auto asks = GENERATE(TcpFlags::None, TcpFlags::Ece, TcpFlags::Cwr, kBoth);
  EcnBench bench(mode);
  wire::TcpHeader syn;
  syn.seq = SeqNum(7);
  syn.flags = TcpFlags::Syn | asks;
  syn.window = 60'000;
  const PeerSyn peer = PeerSyn::from(syn);
  const bool agreed = mode != EcnMode::Off && asks == kBoth;
  const TxSegment answer = syn_ack(peer, {SeqNum(100), 1'460, 0}, bench.config);
  CHECK(has(answer.header.flags, TcpFlags::Ece) == agreed);
  CHECK_FALSE(has(answer.header.flags, TcpFlags::Cwr));
  CHECK(answer.ecn == Ecn::NotEct);
  Connection connection(bench.environment(), {bench.config, SeqNum(100), 0, 1'460}, peer,
                        Instant(1s), std::nullopt);
  wire::TcpHeader ack;
  ack.seq = SeqNum(8);
  ack.ack = SeqNum(101);
  ack.flags = TcpFlags::Ack;
  ack.window = 60'000;
  connection.on_segment(Instant(1s), bench.received(ack));
  connection.write(pattern(100));
  TxSegment data;
  REQUIRE(connection.poll_transmit(Instant(1s), data));
  CHECK(data.ecn == (agreed ? Ecn::Ect0 : Ecn::NotEct));
}

TEST_CASE("a SYN that got no answer goes again without asking for ECN",
          "[tcp][ecn][rfc3168-6.1.1]") {
  EcnBench bench(EcnMode::On);
  EnginePair pair(bench);
  std::vector<TcpFlags> syns;
  pair.drop = [&](int direction, const TxSegment& segment) {
    if (direction != 0 || !has(segment.header.flags, TcpFlags::Syn)) return false;
    syns.push_back(segment.header.flags);
    return has(segment.header.flags, TcpFlags::Ece);  // An old firewall.
  };
  pair.run(3s);
  CHECK(pair.a->state() == State::Established);
  CHECK(syns == std::vector{TcpFlags::Syn | kBoth, TcpFlags::Syn});
  CHECK(bench.stats.ecn_negotiated == 0);
}

TEST_CASE("who sent a SYN without ECN, too, sends nothing ECN-capable but tells of marks",
          "[tcp][ecn][rfc3168-6.1.1]") {
  EcnBench bench(EcnMode::On);
  EnginePair pair(bench);
  // The first SYN arrives, but its answer does not before the next one has gone.
  pair.late = [&](int direction, const TxSegment&) -> Duration {
    return direction == 1 && pair.segments < 4 ? 1'500ms : 0ms;
  };
  std::uint64_t capable = 0;
  pair.drop = [&](int direction, const TxSegment& segment) {
    if (direction == 0 && segment.ecn != Ecn::NotEct) ++capable;
    return false;
  };
  pair.run(4s);
  REQUIRE(pair.a->state() == State::Established);
  const auto sent = pattern(50'000);
  CHECK(pair.transfer(*pair.a, *pair.b, sent, 5s) == sent);
  CHECK(capable == 0);
  CHECK(bench.stats.ecn_negotiated == 2);
}

TEST_CASE("new data is ECN-capable, and nothing else is", "[tcp][ecn][rfc3168-6.1.5]") {
  EcnBench bench(EcnMode::On);
  bench.config.sack = GENERATE(true, false);
  EnginePair pair(bench);
  pair.most = GENERATE(1U, 16U);
  SeqNum next(1'001);
  std::uint64_t fresh = 0, again = 0, bare = 0;
  pair.drop = [&](int direction, const TxSegment& segment) {
    if (direction == 1 || segment.payload_length == 0) {
      CHECK(segment.ecn == Ecn::NotEct);
      ++bare;
      return false;
    }
    const bool is_new = segment.header.seq >= next;
    CHECK(segment.ecn == (is_new ? Ecn::Ect0 : Ecn::NotEct));
    ++(is_new ? fresh : again);
    next = max(next, segment.header.seq + segment.payload_length);
    return is_new && fresh % 50 == 30;
  };
  pair.establish();
  const auto sent = pattern(300'000);
  CHECK(pair.transfer(*pair.a, *pair.b, sent, 30s) == sent);
  CHECK(fresh >= 200);
  CHECK(again >= 4);
  CHECK(bare >= 20);
}

TEST_CASE("a probe of a closed window is not ECN-capable", "[tcp][ecn][rfc3168-6.1.6]") {
  EcnBench bench(EcnMode::On);
  Agreed peer(bench);
  peer.next.window = 0;
  peer.receive();
  peer.all_sent();
  peer.connection->write(pattern(100));
  CHECK_FALSE(peer.sent());
  peer.pass(1s);
  const auto probe = peer.sent();
  REQUIRE(probe);
  CHECK(probe->payload_length == 1);
  CHECK(probe->ecn == Ecn::NotEct);
}

TEST_CASE("from a mark on all ACKs say so until CWR comes", "[tcp][ecn][rfc3168-6.1.3]") {
  EcnBench bench(EcnMode::On);
  Agreed peer(bench);
  const auto receive = [&](Ecn ecn, TcpFlags flags = TcpFlags::None) {
    peer.ecn = ecn;
    peer.next.flags = TcpFlags::Ack | flags;
    peer.receive(pattern(kMss));
    peer.next.seq += kMss;
    peer.pass(1s);
    const auto ack = peer.sent();
    return ack && has(ack->header.flags, TcpFlags::Ece);
  };
  CHECK_FALSE(receive(Ecn::Ect0));
  CHECK(receive(Ecn::Ce));
  CHECK(receive(Ecn::Ect0));
  CHECK(receive(Ecn::NotEct));
  // Data that goes the other way says it as well.
  peer.connection->write(pattern(10));
  const auto data = peer.sent();
  REQUIRE(data);
  CHECK(has(data->header.flags, TcpFlags::Ece));
  CHECK_FALSE(receive(Ecn::Ect0, TcpFlags::Cwr));
  CHECK_FALSE(receive(Ecn::Ect0));
  // The answer to one mark may be marked itself.
  CHECK(receive(Ecn::Ce, TcpFlags::Cwr));
  CHECK(bench.stats.marks_received == 2);
}

TEST_CASE("a mark is told at once", "[tcp][ecn][rfc3168-6.1.3]") {
  EcnBench bench(EcnMode::On);
  Agreed peer(bench);
  for (int i = 0; i < 40; ++i) {  // Beyond the quick ACKs of the beginning.
    peer.receive(pattern(100));
    peer.next.seq += 100U;
    peer.pass(1s);
    peer.all_sent();
  }
  peer.receive(pattern(100));
  peer.next.seq += 100U;
  CHECK_FALSE(peer.sent());
  peer.ecn = Ecn::Ce;
  peer.receive(pattern(100));
  const auto ack = peer.sent();
  REQUIRE(ack);
  CHECK(has(ack->header.flags, TcpFlags::Ece));
}

TEST_CASE("a window is reduced once for all marks of a flight, and the next new segment says so",
          "[tcp][ecn][rfc3168-6.1.2]") {
  EcnBench bench(EcnMode::On);
  Agreed peer(bench);
  REQUIRE(peer.send(200'000) == 10);
  const std::uint64_t before = peer.cwnd();
  peer.ack(2, TcpFlags::Ece);
  const std::uint64_t reduced = peer.cwnd();
  CHECK(reduced < before);
  CHECK(peer.reductions() == 1);
  CHECK_FALSE(peer.sent());  // More is in flight than the window allows now.
  peer.ack(6, TcpFlags::Ece);
  const auto first = peer.sent();
  REQUIRE(first);
  CHECK(has(first->header.flags, TcpFlags::Cwr));
  CHECK(first->ecn == Ecn::Ect0);
  for (const TxSegment& later : peer.all_sent())
    CHECK_FALSE(has(later.header.flags, TcpFlags::Cwr));
  // The peer has not seen the CWR before what lies behind the flight.
  peer.ack(10, TcpFlags::Ece);
  CHECK(peer.cwnd() == reduced);
  CHECK(peer.reductions() == 1);
  peer.all_sent();
  peer.ack(11, TcpFlags::Ece);
  CHECK(peer.cwnd() < reduced);
  CHECK(peer.reductions() == 2);
}

TEST_CASE("after the flight of a mark the window grows again", "[tcp][ecn][rfc3168-6.1.2]") {
  EcnBench bench(EcnMode::On);
  Agreed peer(bench);
  std::uint32_t sent = static_cast<std::uint32_t>(peer.send(260'000));
  peer.ack(2, TcpFlags::Ece);
  const std::uint64_t reduced = peer.cwnd();
  for (int i = 0; i < 4; ++i) {
    sent += static_cast<std::uint32_t>(peer.all_sent().size());
    peer.ack(sent);
  }
  CHECK(peer.cwnd() > reduced);
  CHECK(peer.reductions() == 1);
}

TEST_CASE("CWR stands on one segment although many leave in one value",
          "[tcp][ecn][rfc3168-6.1.2]") {
  EcnBench bench(EcnMode::On);
  EnginePair pair(bench);
  pair.most = 44;
  std::uint64_t marks = 0, answers = 0, seen = 0;
  pair.mark = [&](int direction, const TxSegment&) {
    if (direction != 0 || ++seen % 150 != 0) return false;
    ++marks;
    return true;
  };
  pair.drop = [&](int direction, const TxSegment& segment) {
    if (direction == 0 && has(segment.header.flags, TcpFlags::Cwr)) ++answers;
    return false;
  };
  pair.establish();
  answers = 0;  // The SYN has the bit, too.
  const auto sent = pattern(1'500'000);
  CHECK(pair.transfer(*pair.a, *pair.b, sent, 30s) == sent);
  CHECK(pair.values_of_several > 0);
  CHECK(marks >= 5);
  CHECK(answers == bench.stats.ecn_reductions);
  CHECK(answers <= marks);
  CHECK(answers + 2 >= marks);
  CHECK(bench.stats.segments_retransmitted == 0);
}

TEST_CASE("marks and losses of one flight are answered once", "[tcp][ecn][rfc3168-6.1.2]") {
  EcnBench bench(EcnMode::On);
  Agreed peer(bench, true);
  REQUIRE(peer.send(200'000) == 10);
  const auto lose_second = [&](TcpFlags flags) {
    for (std::uint32_t i = 5; i < 9; ++i) {
      peer.next.options = {};
      peer.next.options.add_sack({SeqNum(101) + 4 * kMss, SeqNum(101) + i * kMss});
      peer.ack(3, flags);
    }
    peer.next.options = {};
    // A first hole is given time: it may be late only.
    peer.pass(100ms);
  };
  SECTION("the mark first") {
    peer.ack(3, TcpFlags::Ece);
    const std::uint64_t reduced = peer.cwnd();
    lose_second(TcpFlags::Ece);
    CHECK(bench.stats.fast_recoveries == 1);
    CHECK(peer.cwnd() == reduced);
    CHECK(peer.reductions() == 1);
  }
  SECTION("the loss first") {
    peer.ack(3);
    lose_second(TcpFlags::None);
    CHECK(bench.stats.fast_recoveries == 1);
    const std::uint64_t reduced = peer.cwnd();
    peer.ack(9, TcpFlags::Ece);
    CHECK(peer.cwnd() <= reduced);
    CHECK(peer.reductions() == 0);
    // RFC 3168 §6.1.2: any reduction is told.
    const auto segments = peer.all_sent();
    const auto told = std::count_if(segments.begin(), segments.end(), [](const TxSegment& s) {
      return has(s.header.flags, TcpFlags::Cwr);
    });
    CHECK(told == 1);
  }
}

TEST_CASE("a peer that has not agreed cannot reduce the window", "[tcp][ecn][rfc3168-6.1.1]") {
  EcnBench bench(EcnMode::Answer);
  ScriptedPeer peer(bench);
  peer.connection->write(pattern(200'000));
  peer.all_sent();
  const auto before = peer.connection->info().cwnd;
  peer.next.ack = SeqNum(101) + 2 * kMss;
  peer.next.flags = TcpFlags::Ack | TcpFlags::Ece;
  peer.receive();
  CHECK(peer.connection->info().cwnd >= before);
  CHECK(bench.stats.ecn_reductions == 0);
}

TEST_CASE("what BBR sends is not ECN-capable, as it would not answer", "[tcp][ecn]") {
  EcnBench bench(EcnMode::On);
  bench.config.congestion_control = cc::Kind::Bbr;
  Agreed peer(bench);
  peer.connection->write(pattern(100));
  const auto data = peer.sent();
  REQUIRE(data);
  CHECK(data->ecn == Ecn::NotEct);
}

TEST_CASE("a link that marks instead of dropping leaves nothing to repair", "[tcp][ecn]") {
  EcnBench bench(EcnMode::On);
  bench.config.congestion_control =
      GENERATE(cc::Kind::Cubic, cc::Kind::NewReno, cc::Kind::Lia, cc::Kind::Olia);
  EnginePair pair(bench);
  std::uint64_t seen = 0;
  pair.mark = [&](int, const TxSegment&) { return ++seen % 60 == 0; };
  pair.establish();
  const auto sent = pattern(400'000);
  CHECK(pair.transfer(*pair.a, *pair.b, sent, 60s) == sent);
  CHECK(pair.transfer(*pair.b, *pair.a, sent, 60s) == sent);
  CHECK(bench.stats.segments_retransmitted == 0);
  CHECK(bench.stats.ecn_reductions >= 4);
}

struct DctcpBench : EcnBench {
  DctcpBench() : EcnBench(EcnMode::Off) { config.congestion_control = cc::Kind::Dctcp; }
};

/// What a connection with DCTCP says to a burst of full segments, each with a mark or without: how
/// many of them each ACK is for, and whether it has ECE.
std::vector<std::pair<std::uint32_t, bool>> acks_of(Agreed& peer, const std::vector<bool>& marks) {
  const SeqNum begin = peer.next.seq;
  for (const bool marked : marks) {
    peer.ecn = marked ? Ecn::Ce : Ecn::Ect0;
    peer.receive(pattern(kMss));
    peer.next.seq += kMss;
  }
  std::vector<std::pair<std::uint32_t, bool>> out;
  for (const TxSegment& ack : peer.all_sent())
    out.emplace_back((ack.header.ack - begin) / kMss, has(ack.header.flags, TcpFlags::Ece));
  return out;
}

TEST_CASE("DCTCP asks for ECN by itself", "[tcp][ecn][dctcp][rfc8257-3]") {
  DctcpBench bench;
  Connection asking(bench.environment(), {bench.config, SeqNum(1), 0, 1'460}, Instant(1s));
  TxSegment syn;
  REQUIRE(asking.poll_transmit(Instant(1s), syn));
  CHECK(syn.header.flags == (TcpFlags::Syn | kBoth));
  Agreed peer(bench);
  peer.connection->write(pattern(100));
  const auto data = peer.sent();
  REQUIRE(data);
  CHECK(data->ecn == Ecn::Ect0);
}

TEST_CASE("with DCTCP an ACK says whether what it acknowledges was marked",
          "[tcp][ecn][dctcp][rfc8257-3.2]") {
  DctcpBench bench;
  Agreed peer(bench);
  using Acks = std::vector<std::pair<std::uint32_t, bool>>;
  CHECK(acks_of(peer, {false, false}) == Acks{{2, false}});
  CHECK(acks_of(peer, {false, false, true, true, false}) ==
        Acks{{2, false}, {4, true}, {5, false}});
  CHECK(acks_of(peer, {true}) == Acks{{1, true}});
  CHECK(acks_of(peer, {false}) == Acks{{1, false}});
  // CWR means nothing here.
  CHECK(acks_of(peer, {true, true}) == Acks{{2, true}});
  peer.next.flags = TcpFlags::Ack | TcpFlags::Cwr;
  CHECK(acks_of(peer, {true}) == Acks{{1, true}});
}

TEST_CASE("what came before a mark is acknowledged although its ACK was put off",
          "[tcp][ecn][dctcp][rfc8257-3.2]") {
  DctcpBench bench;
  Agreed peer(bench);
  for (int i = 0; i < 40; ++i) {  // Beyond the quick ACKs of the beginning.
    acks_of(peer, {false});
    peer.pass(1s);
    peer.all_sent();
  }
  REQUIRE(acks_of(peer, {false}).empty());
  const auto acks = acks_of(peer, {true});
  REQUIRE(acks.size() == 2);
  CHECK(acks[0] == std::pair(0U, false));  // The one before this burst.
  CHECK(acks[1] == std::pair(1U, true));
}

TEST_CASE("marks that come and go too often for an ACK each are told by the last one",
          "[tcp][ecn][dctcp][rfc8257-3.2]") {
  DctcpBench bench;
  Agreed peer(bench);
  std::vector<bool> marks;
  for (int i = 0; i < 40; ++i)
    marks.push_back(i % 2 == 0);
  const auto acks = acks_of(peer, marks);
  CHECK(acks.size() < 8);
  CHECK(acks.back() == std::pair(40U, false));
}

TEST_CASE("DCTCP without ECN goes by losses", "[tcp][ecn][dctcp][rfc8257-3.5]") {
  DctcpBench bench;
  EnginePair pair(bench);
  pair.drop = [](int, const TxSegment& segment) {
    return has(segment.header.flags, TcpFlags::Syn) && has(segment.header.flags, TcpFlags::Ece);
  };
  pair.run(3s);
  REQUIRE(pair.a->state() == State::Established);
  std::uint64_t count = 0;
  pair.drop = [&](int, const TxSegment& segment) {
    CHECK(segment.ecn == Ecn::NotEct);
    return segment.payload_length != 0 && ++count % 60 == 0;
  };
  const auto sent = pattern(300'000);
  CHECK(pair.transfer(*pair.a, *pair.b, sent, 30s) == sent);
  CHECK(bench.stats.fast_recoveries > 0);
}

}  // namespace
}  // namespace dataplane::tcp::test
