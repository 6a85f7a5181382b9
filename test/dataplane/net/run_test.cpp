#include <catch2/catch.hpp>

#include "test/dataplane/net/two_hosts.hpp"

namespace dataplane::net {
namespace {

using wire::TcpFlags;

/// Four segments of 300 octets in one, whose pieces end within them.
struct Four : SegmentOf {
  Four() : SegmentOf({1, 450, 299, 450}) { segment.segment_size = 300; }
};

/// The frames of `four` when each is sent by itself.
std::vector<Octets> one_by_one(Node& node, const FourTuple& tuple, const SegmentOf& four) {
  const TcpFlags last = four.segment.header.flags;
  for (std::uint32_t i = 0; i < 4; ++i) {
    SegmentOf one({});
    one.segment = four.segment;
    one.segment.segment_size = 0;
    one.segment.header.seq += i * 300;
    one.segment.header.flags = i == 3 ? last : TcpFlags::Ack;
    one.segment.pieces[0] = ByteSpan(four.payload).subspan(i * 300, 300);
    one.segment.piece_count = 1;
    one.segment.payload_length = 300;
    REQUIRE(node.host.send(at(0s), tuple, one.segment));
  }
  return node.take_sent();
}

TEST_CASE("segments that are cut on their way out are those sent one by one", "[net][egress]") {
  const FourTuple tuple = GENERATE(tuple_v4(), tuple_v6());
  HostConfig config = host_config(kMacA, 1);
  config.ports[0].offloads.tx_tcp_checksum = GENERATE(false, true);
  config.ports[0].vlan = GENERATE(as<std::optional<std::uint16_t>>(), std::nullopt, 7);
  HostConfig other = host_config(kMacB, 2);
  other.ports[0].vlan = config.ports[0].vlan;
  TwoHosts link(config, other);
  link.acquaint(at(0s), tuple);
  Four four;
  four.segment.header.flags |= GENERATE(TcpFlags::None, TcpFlags::Fin);
  const std::vector<Octets> expected = one_by_one(link.a, tuple, four);
  REQUIRE(link.a.host.send(at(0s), tuple, four.segment));
  CHECK(link.a.take_sent() == expected);
}

TEST_CASE("segments that are cut need room for all, and count as many", "[net][egress]") {
  HostConfig config = host_config(kMacA, 1);
  config.tx_queue_frames = 4;
  TwoHosts link(config);
  link.acquaint(at(0s), tuple_v4());
  const std::uint64_t before = link.a.host.stats().tcp_segments_sent;
  Four four;
  CHECK(link.a.host.send(at(0s), tuple_v4(), four.segment));
  CHECK(link.a.host.stats().tcp_segments_sent == before + 4);
  CHECK(link.a.take_sent().size() == 4);
  CHECK(link.a.host.send(at(0s), tuple_v4(), SegmentOf({1}).segment));
  CHECK(link.a.host.send(at(0s), tuple_v4(), four.segment).error() == Error::QueueFull);
  CHECK(link.a.take_sent().size() == 1);
}

TEST_CASE("frames that are cut begin on 16 octets, where a device's copy is fast",
          "[net][egress]") {
  const FourTuple tuple = GENERATE(tuple_v4(), tuple_v6());
  TwoHosts link(host_config(kMacA, 1));
  link.acquaint(at(0s), tuple);
  REQUIRE(link.a.host.send(at(0s), tuple, Four().segment));
  FrameQueue& queue = link.a.host.tx_queue(kPort);
  CHECK(queue.size() == 4);
  while (const Packet frame = queue.pop())
    CHECK(frame.headroom() % 16 == 0);
}

constexpr std::uint64_t kVerified = RTE_MBUF_F_RX_L4_CKSUM_GOOD | RTE_MBUF_F_RX_IP_CKSUM_GOOD;

/// What B makes of frames that reach it in one burst.
IngressBatch& receive(TwoHosts& link, const std::vector<Octets>& frames,
                      std::uint64_t flags = kVerified) {
  std::vector<Packet> packets;
  for (const Octets& frame : frames) {
    packets.push_back(link.pool.alloc());
    std::copy(frame.begin(), frame.end(),
              packets.back().append(static_cast<std::uint32_t>(frame.size())));
    packets.back().mbuf()->ol_flags = flags;
  }
  link.b.batch.clear();
  link.b.host.on_frames(at(0s), kPort, packets, link.b.batch);
  return link.b.batch;
}

TEST_CASE("segments that differ only in their place become one", "[net][ingress]") {
  const FourTuple tuple = GENERATE(tuple_v4(), tuple_v6());
  TwoHosts link;
  link.acquaint(at(0s), tuple);
  Four four;
  REQUIRE(link.a.host.send(at(0s), tuple, four.segment));
  const std::uint64_t before = link.b.host.stats().tcp_segments_received;
  IngressBatch& batch = receive(link, link.a.take_sent());
  REQUIRE(batch.segments.size() == 1);
  const wire::ReceivedSegment& first = batch.segments[0];
  CHECK(first.segment.header.seq == four.segment.header.seq);
  CHECK(first.continued == 3);
  Octets payload(first.segment.payload.data().begin(), first.segment.payload.data().end());
  for (const Packet& packet : batch.continued_of(first))
    payload.insert(payload.end(), packet.data().begin(), packet.data().end());
  CHECK(payload == four.payload);
  CHECK(link.b.host.stats().tcp_segments_received == before + 4);
}

/// The frames of a run of four.
std::vector<Octets> run_of_four(TwoHosts& link, const FourTuple& tuple = tuple_v4()) {
  link.acquaint(at(0s), tuple);
  Four four;
  REQUIRE(link.a.host.send(at(0s), tuple, four.segment));
  return link.a.take_sent();
}

// The octets of a frame of IPv4, by what they are.
constexpr std::size_t kSourceMac = 10;
constexpr std::size_t kEcn = 15;
constexpr std::size_t kIdentification = 19;
constexpr std::size_t kHopLimit = 22;
constexpr std::size_t kIpChecksum = 25;
constexpr std::size_t kSourceAddress = 29;
constexpr std::size_t kTcp = 34;
// Of IPv6.
constexpr std::byte kCeV6{0x30};
constexpr std::size_t kFlowLabelV6 = 17;
constexpr std::size_t kHopLimitV6 = 21;
constexpr std::size_t kSourceAddressV6 = 37;

TEST_CASE("a segment that differs in more than its place stands alone", "[net][ingress]") {
  const auto [tuple, changed] = GENERATE(table<FourTuple, std::size_t>({
      {tuple_v4(), kSourceMac},
      {tuple_v4(), kEcn},
      {tuple_v4(), kHopLimit},
      {tuple_v4(), kSourceAddress},
      {tuple_v4(), kTcp + 0},
      {tuple_v4(), kTcp + 3},
      {tuple_v4(), kTcp + 7},
      {tuple_v4(), kTcp + 11},
      {tuple_v4(), kTcp + 15},
      {tuple_v4(), kTcp + 20 + 7},
      {tuple_v4(), kTcp + 20 + 11},
      {tuple_v6(), kEcn},
      {tuple_v6(), kFlowLabelV6},
      {tuple_v6(), kHopLimitV6},
      {tuple_v6(), kSourceAddressV6},
  }));
  CAPTURE(changed);
  TwoHosts link;
  std::vector<Octets> frames = run_of_four(link, tuple);
  // The ECN field of IPv6 is the high half of its octet.
  frames[2][changed] ^= changed == kEcn && !tuple.local.address.is_v4() ? kCeV6 : std::byte{1};
  IngressBatch& batch = receive(link, frames);
  REQUIRE(batch.segments.size() == 3);
  CHECK(batch.segments[0].continued == 1);
  CHECK(batch.segments[1].continued == 0);
  CHECK(batch.segments[2].continued == 0);
}

TEST_CASE("the identification of an IPv4 packet counts for nothing", "[net][ingress]") {
  TwoHosts link;
  std::vector<Octets> frames = run_of_four(link);
  frames[2][kIdentification] ^= std::byte{1};
  REQUIRE(receive(link, frames).segments.size() == 1);
  CHECK(link.b.batch.segments[0].continued == 3);
}

TEST_CASE("a damaged segment in a run is refused, whoever looks at the checksum",
          "[net][ingress]") {
  const std::size_t damaged = GENERATE(as<std::size_t>(), kIpChecksum, kTcp + 16, kTcp + 300);
  TwoHosts link;
  std::vector<Octets> frames = run_of_four(link);
  REQUIRE(receive(link, frames, 0).segments.size() == 1);
  frames[2][damaged] ^= std::byte{1};
  IngressBatch& batch = receive(link, frames, 0);
  REQUIRE(batch.segments.size() == 2);
  CHECK(batch.segments[0].continued == 1);
  CHECK(batch.segments[1].continued == 0);
  CHECK(link.b.refused(Error::BadChecksum) == 1);
}

TEST_CASE("what the link adds to the last frame of a run is no payload", "[net][ingress]") {
  const FourTuple tuple = GENERATE(tuple_v4(), tuple_v6());
  TwoHosts link;
  std::vector<Octets> frames = run_of_four(link, tuple);
  frames[3].resize(frames[3].size() + 9);
  IngressBatch& batch = receive(link, frames);
  REQUIRE(batch.segments.size() == 1);
  CHECK(batch.continued_of(batch.segments[0]).back().size() == 300);
}

TEST_CASE("a frame of another VLAN does not continue a run", "[net][ingress]") {
  TwoHosts link;
  const std::vector<Octets> frames = run_of_four(link);
  REQUIRE(receive(link, {frames[0]}).segments.size() == 1);
  Packet second = link.pool.alloc();
  std::copy(frames[1].begin(), frames[1].end(),
            second.append(static_cast<std::uint32_t>(frames[1].size())));
  second.mbuf()->ol_flags = kVerified | RTE_MBUF_F_RX_VLAN_STRIPPED;
  second.mbuf()->vlan_tci = 7;
  link.b.host.on_frames(at(0s), kPort, {&second, 1}, link.b.batch);
  CHECK(link.b.batch.segments.size() == 1);
  CHECK(link.b.batch.segments[0].continued == 0);
  CHECK(link.b.refused(Error::UnknownVlan) == 1);
}

TEST_CASE("a frame that ends within its headers does not continue a run", "[net][ingress]") {
  const FourTuple tuple = GENERATE(tuple_v4(), tuple_v6());
  TwoHosts link;
  const std::vector<Octets> frames = run_of_four(link, tuple);
  for (std::size_t length = 0; length < frames[1].size(); ++length) {
    Octets cut = frames[1];
    cut.resize(length);
    IngressBatch& batch = receive(link, {frames[0], cut});
    CHECK(batch.segments.size() == 1);
    CHECK(batch.segments[0].continued == 0);
  }
}

TEST_CASE("flags other than PSH, a gap and a short segment end a run", "[net][ingress]") {
  TwoHosts link;
  link.acquaint(at(0s), tuple_v4());
  const auto batch_without = [&](std::size_t missing, TcpFlags flags) -> IngressBatch& {
    Four four;
    four.segment.header.flags |= flags;
    REQUIRE(link.a.host.send(at(0s), tuple_v4(), four.segment));
    std::vector<Octets> frames = link.a.take_sent();
    if (missing < 4) frames.erase(frames.begin() + static_cast<std::ptrdiff_t>(missing));
    return receive(link, frames);
  };
  CHECK(batch_without(4, TcpFlags::None).segments.size() == 1);
  CHECK(batch_without(4, TcpFlags::Fin).segments.size() == 2);
  CHECK(batch_without(1, TcpFlags::None).segments.size() == 2);
  CHECK(batch_without(3, TcpFlags::None).segments.size() == 1);

  // Behind one that is shorter nothing follows, as places are counted in whole ones.
  SegmentOf short_one({100});
  short_one.segment.header.flags = TcpFlags::Ack;
  std::vector<Octets> frames;
  for (const std::uint32_t seq : {0U, 100U}) {
    short_one.segment.header.seq = SeqNum(seq);
    short_one.segment.pieces[0] = ByteSpan(short_one.payload).first(seq == 0 ? 100 : 50);
    short_one.segment.payload_length = seq == 0 ? 100 : 50;
    REQUIRE(link.a.host.send(at(0s), tuple_v4(), short_one.segment));
  }
  short_one.segment.header.seq = SeqNum(150);
  REQUIRE(link.a.host.send(at(0s), tuple_v4(), short_one.segment));
  IngressBatch& batch = receive(link, link.a.take_sent());
  REQUIRE(batch.segments.size() == 2);
  CHECK(batch.segments[0].continued == 1);
  CHECK(batch.continued_of(batch.segments[0])[0].size() == 50);
}

}  // namespace
}  // namespace dataplane::net
