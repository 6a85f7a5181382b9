#include <catch2/catch.hpp>

#include "test/dataplane/net/two_hosts.hpp"

namespace dataplane::net {
namespace {

bool equal(ByteSpan a, ByteSpan b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

FourTuple mirrored(const FourTuple& tuple) { return {tuple.remote, tuple.local}; }

/// The octets of the one frame in which A sends a segment to B, whom it knows.
Octets frame_of(TwoHosts& link, const FourTuple& tuple, const wire::TxSegment& segment) {
  link.acquaint(at(0s), tuple);
  REQUIRE(link.a.host.send(at(0s), tuple, segment));
  auto sent = link.a.take_sent();
  REQUIRE(sent.size() == 1);
  return sent[0];
}

TEST_CASE("a segment in any pieces arrives as it was sent", "[net][egress][ingress]") {
  const FourTuple tuple = GENERATE(tuple_v4(), tuple_v6());
  const auto vlan = GENERATE(as<std::optional<std::uint16_t>>(), std::nullopt, std::uint16_t{7});
  HostConfig a = host_config(kMacA, 1);
  HostConfig b = host_config(kMacB, 2);
  a.ports[0].vlan = b.ports[0].vlan = vlan;
  TwoHosts link(a, b);
  const SegmentOf made = GENERATE(SegmentOf({}), SegmentOf({1}), SegmentOf({1, 2, 3, 5}),
                                  SegmentOf({447, 1}), SegmentOf({63, 65, 129, 1000}));
  wire::TxSegment segment = made.segment;
  for (std::size_t i = 0, from = 0; i < segment.piece_count; ++i) {
    segment.pieces[i] = ByteSpan(made.payload).subspan(from, segment.pieces[i].size());
    from += segment.pieces[i].size();
  }
  segment.ecn = wire::Ecn::Ect0;

  REQUIRE(link.a.host.send(at(0s), tuple, segment));
  CHECK(TwoHosts::carry(at(0s), link.a, link.b) == 1);  // Who has B?
  CHECK(TwoHosts::carry(at(0s), link.b, link.a) == 1);
  CHECK(TwoHosts::carry(at(0s), link.a, link.b) == 1);
  REQUIRE(link.b.batch.segments.size() == 1);
  const wire::ReceivedSegment& received = link.b.batch.segments[0];
  CHECK(received.tuple == mirrored(tuple));
  CHECK(received.segment.ecn == wire::Ecn::Ect0);
  CHECK(received.segment.header.seq == segment.header.seq);
  CHECK(received.segment.header.ack == segment.header.ack);
  CHECK(received.segment.header.flags == segment.header.flags);
  CHECK(received.segment.header.window == segment.header.window);
  CHECK(received.segment.header.options.timestamps == segment.header.options.timestamps);
  CHECK(equal(received.segment.payload.data(), made.payload));
  CHECK(link.a.refused() + link.b.refused() == 0);
  CHECK(link.b.host.stats().tcp_checksums_verified == 1);
}

TEST_CASE("a peer that asked for us is known when we answer it", "[net][neighbor]") {
  const FourTuple tuple = GENERATE(tuple_v4(), tuple_v6());
  TwoHosts link;
  link.acquaint(at(0s), tuple);
  const SegmentOf made({10});
  REQUIRE(link.b.host.send(at(0s), mirrored(tuple), made.segment));
  TwoHosts::carry(at(0s), link.b, link.a);
  CHECK(link.a.batch.segments.size() == 1);
  CHECK(link.a.host.stats().solicitations_sent == 1);
}

TEST_CASE("a flipped bit in the segment is a refused checksum", "[net][ingress]") {
  const FourTuple tuple = GENERATE(tuple_v4(), tuple_v6());
  TwoHosts link;
  Octets frame = frame_of(link, tuple, SegmentOf({21}).segment);
  const std::size_t tcp = 14 + (tuple.local.address.is_v4() ? 20 : 40);
  for (std::size_t bit = tcp * 8; bit < frame.size() * 8; ++bit) {
    const auto flip = static_cast<std::byte>(1U << bit % 8);
    frame[bit / 8] ^= flip;
    link.b.receive(at(0s), frame);
    if (!link.b.batch.segments.empty()) FAIL(bit);
    frame[bit / 8] ^= flip;
  }
  CHECK(link.b.refused(Error::BadChecksum) == (frame.size() - tcp) * 8);
  // The device verified it, or it never left the machine: then it is not computed at all.
  frame.back() ^= std::byte{1};
  link.b.receive(at(0s), frame, RTE_MBUF_F_RX_L4_CKSUM_GOOD);
  CHECK(link.b.batch.segments.size() == 1);
  link.b.receive(at(0s), frame, RTE_MBUF_F_RX_L4_CKSUM_NONE);
  CHECK(link.b.batch.segments.size() == 1);
  link.b.receive(at(0s), frame, RTE_MBUF_F_RX_L4_CKSUM_BAD);
  CHECK(link.b.batch.segments.empty());
}

TEST_CASE("a frame cut short anywhere is refused", "[net][ingress]") {
  const FourTuple tuple = GENERATE(tuple_v4(), tuple_v6());
  TwoHosts link;
  const Octets frame = frame_of(link, tuple, SegmentOf({21}).segment);
  for (std::size_t length = 0; length < frame.size(); ++length) {
    link.b.receive(at(0s), ByteSpan(frame).first(length));
    if (!link.b.batch.segments.empty()) FAIL(length);
  }
  CHECK(link.b.refused(Error::Truncated) == frame.size());
}

TEST_CASE("what a link adds to a short frame is no payload", "[net][ingress]") {
  TwoHosts link;
  Octets frame = frame_of(link, tuple_v4(), SegmentOf({3}).segment);
  frame.resize(frame.size() + 11, std::byte{0xee});
  link.b.receive(at(0s), frame);
  REQUIRE(link.b.batch.segments.size() == 1);
  CHECK(link.b.batch.segments[0].segment.payload_length() == 3);
}

TEST_CASE("a segment longer than the port's MTU is not sent", "[net][egress]") {
  const bool v4 = GENERATE(true, false);
  const FourTuple tuple = v4 ? tuple_v4() : tuple_v6();
  TwoHosts link;
  link.acquaint(at(0s), tuple);
  const std::size_t most = 1500 - (v4 ? 20U : 40U) - 32;
  CHECK(link.a.host.send(at(0s), tuple, SegmentOf({most + 1}).segment).error() == Error::BadLength);
  CHECK(link.a.take_sent().empty());
  SegmentOf full({most});
  CHECK(link.a.host.send(at(0s), tuple, full.segment));
  CHECK(link.a.take_sent().at(0).size() == 1514);
}

}  // namespace
}  // namespace dataplane::net
