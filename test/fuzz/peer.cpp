#include "test/fuzz/peer.hpp"

#include "dataplane/wire/checksum.hpp"
#include "dataplane/wire/ethernet.hpp"
#include "dataplane/wire/icmp.hpp"
#include "dataplane/wire/ipv4.hpp"
#include "dataplane/wire/ipv6.hpp"
#include "dataplane/wire/ndp.hpp"

namespace fuzz {
namespace {

using wire::TcpFlags;

constexpr std::uint8_t kPeerScale = 7;
constexpr std::uint16_t kFirstPassivePort = 1'000;
constexpr std::uint16_t kFirstActivePort = 2'000;

IpAddress address(std::size_t flow, std::uint8_t host) {
  if (flow % kFamilies == 0) return IpAddress::v4(kCoreV4 - 1 + host);
  IpAddress::Octets octets{};
  octets[0] = 0xfd;
  octets[15] = host;
  return IpAddress::v6(octets);
}

/// An IP header and `payload` behind it, in a frame to the core.
std::vector<std::byte> framed(std::size_t flow, wire::IpProtocol protocol, ByteSpan payload) {
  const bool v4 = flow % kFamilies == 0;
  const std::size_t ip_length = v4 ? wire::kIpv4HeaderLength : wire::kIpv6HeaderLength;
  std::vector<std::byte> frame(wire::kEthernetHeaderLength + ip_length + payload.size());
  const MutableByteSpan out(frame);
  wire::emit_ethernet({kCoreMac, kPeerMac, v4 ? wire::EtherType::Ipv4 : wire::EtherType::Ipv6, {}},
                      out);
  const MutableByteSpan ip = out.subspan(wire::kEthernetHeaderLength);
  const auto length = static_cast<std::uint16_t>(payload.size());
  if (v4) {
    wire::Ipv4Header header;
    header.source = address(flow, 2);
    header.destination = address(flow, 1);
    header.protocol = protocol;
    header.payload_length = length;
    wire::emit_ipv4(header, ip);
  } else {
    wire::Ipv6Header header;
    header.source = address(flow, 2);
    header.destination = address(flow, 1);
    header.protocol = protocol;
    header.hop_limit = wire::kNdpHopLimit;
    header.payload_length = length;
    wire::emit_ipv6(header, ip);
  }
  std::copy(payload.begin(), payload.end(), ip.begin() + static_cast<std::ptrdiff_t>(ip_length));
  return frame;
}

}  // namespace

FourTuple tuple_of(std::size_t flow) {
  FourTuple tuple;
  tuple.local.address = address(flow, 1);
  tuple.remote.address = address(flow, 2);
  const bool passive = flow < kPassiveFlows;
  const auto number = static_cast<std::uint16_t>(flow);
  tuple.local.port = passive ? kListening : static_cast<std::uint16_t>(kFirstActivePort + number);
  tuple.remote.port = static_cast<std::uint16_t>(passive ? kFirstPassivePort + number : kListening);
  return tuple;
}

std::optional<std::size_t> flow_of(const FourTuple& tuple) {
  for (std::size_t flow = 0; flow < kFlows; ++flow)
    if (tuple_of(flow) == tuple) return flow;
  return std::nullopt;
}

void PeerFlow::on_segment(const wire::TcpHeader& header, ByteSpan payload) {
  if (has(header.flags, TcpFlags::Rst)) {
    heard_ = acked_ = false;
    nxt_ = iss_;
    return;
  }
  const bool syn = has(header.flags, TcpFlags::Syn);
  if (syn) on_syn(header);
  if (header.options.timestamps) core_timestamp_ = header.options.timestamps->value;
  check_text(header.seq, payload);
  if (!syn && has(header.flags, TcpFlags::Ack)) check_edge(header);
  const std::uint32_t length = static_cast<std::uint32_t>(payload.size()) + (syn ? 1U : 0U) +
                               (has(header.flags, TcpFlags::Fin) ? 1U : 0U);
  core_nxt_ = max(core_nxt_, header.seq + length);
  if (has(header.flags, TcpFlags::Ack)) {
    core_ack_ = header.ack;
    acked_ = true;
  }
  core_window_ = header.window;
}

void PeerFlow::on_syn(const wire::TcpHeader& header) {
  heard_ = true;
  acked_ = false;
  if (core_iss_[0] != header.seq) {
    std::copy_backward(core_iss_.begin(), core_iss_.end() - 1, core_iss_.end());
    core_iss_[0] = header.seq;
  }
  core_nxt_ = header.seq;
  edge_.reset();
  const std::uint8_t scale = header.options.window_scale.value_or(0);
  if (syn_seen_ && scale != core_scale_) scale_is_certain_ = false;
  syn_seen_ = true;
  core_scale_ = scale;
}

void PeerFlow::check_text(SeqNum seq, ByteSpan payload) const {
  if (payload.empty()) return;
  bool fits = false;
  for (const auto& iss : core_iss_) {
    if (!iss) continue;
    const std::uint32_t place = seq - *iss - 1U;
    bool same = true;
    for (std::uint32_t i = 0; i < payload.size() && same; ++i)
      same = payload[i] == octet_at(place + i);
    fits = fits || same;
  }
  require(fits);
}

void PeerFlow::check_edge(const wire::TcpHeader& header) {
  // Without the option on both sides, what the core means by its window is its own guess at ours.
  if (!scale_is_certain_) return;
  const SeqNum edge = header.ack + (std::uint32_t{header.window} << core_scale_);
  // A window is rounded down to what its scale can say (RFC 7323 §2.4).
  if (edge_) require(edge + (1U << core_scale_) > *edge_);
  edge_ = edge_ ? max(*edge_, edge) : edge;
}

wire::TcpHeader PeerFlow::honest_header(bool fin) const {
  wire::TcpHeader header;
  header.window = 0xffff;
  if (acked_) {
    header.seq = core_ack_;
    header.ack = core_nxt_;
    header.flags = fin ? TcpFlags::Ack | TcpFlags::Fin : TcpFlags::Ack;
    return header;
  }
  header.seq = iss_;
  header.ack = core_nxt_;
  header.flags = heard_ ? TcpFlags::Syn | TcpFlags::Ack : TcpFlags::Syn;
  header.options.mss = 1'460;
  header.options.window_scale = kPeerScale;
  header.options.sack_permitted = true;
  return header;
}

wire::TcpHeader PeerFlow::choose_header(Input& input) const {
  wire::TcpHeader header;
  const std::uint8_t shape = input.u8();
  header.flags = static_cast<TcpFlags>(input.u8());
  const auto near = [&](SeqNum at) { return at + static_cast<std::uint32_t>(input.distance()); };
  header.seq = (shape & 1) != 0 ? near(core_ack_) : nxt_;
  if ((shape & 2) != 0) header.seq = near(core_ack_ + (core_window_ << core_scale_));
  if (has(header.flags, TcpFlags::Syn) && (shape & 4) == 0) header.seq = iss_;
  header.ack = (shape & 8) != 0 ? near(core_nxt_) : core_nxt_;
  header.window = input.u16();
  if ((shape & 16) != 0) choose_options(input, header);
  if (has(header.flags, TcpFlags::Syn) && !header.options.window_scale && (shape & 32) == 0)
    header.options.window_scale = kPeerScale;
  return header;
}

void PeerFlow::choose_options(Input& input, wire::TcpHeader& header) const {
  wire::TcpOptions& options = header.options;
  const std::uint8_t which = input.u8();
  if ((which & 1) != 0)
    options.timestamps = {static_cast<std::uint32_t>(input.distance()),
                          core_timestamp_ + static_cast<std::uint32_t>(input.distance())};
  if ((which & 2) != 0) options.mss = input.u16();
  if ((which & 4) != 0) options.window_scale = input.u8();
  options.sack_permitted = (which & 8) != 0;
  // At most so many that 40 octets hold them with everything else; two of each are padding.
  const std::size_t used = (options.timestamps ? 12U : 0U) + (options.mss ? 4U : 0U) +
                           (options.sack_permitted ? 4U : 0U) + 4U;
  for (std::size_t count = which >> 6; count > 0; --count) {
    if (used + 4 + 8 * (options.sack_count + 1U) > wire::kMaxTcpOptions) break;
    const SeqNum begin = core_nxt_ - static_cast<std::uint32_t>(input.u16());
    options.add_sack({begin, begin + static_cast<std::uint32_t>(input.distance())});
  }
}

void PeerFlow::note_sent(const wire::TcpHeader& header, std::uint32_t payload_length) {
  if (has(header.flags, TcpFlags::Syn) && !header.options.window_scale) scale_is_certain_ = false;
  if (header.seq != nxt_ && header.seq != iss_) return;
  const std::uint32_t length = payload_length + (has(header.flags, TcpFlags::Syn) ? 1U : 0U) +
                               (has(header.flags, TcpFlags::Fin) ? 1U : 0U);
  nxt_ = max(nxt_, header.seq + length);
}

std::vector<std::byte> frame_of(std::size_t flow, wire::TcpHeader header, ByteSpan payload) {
  const FourTuple tuple = tuple_of(flow);
  header.source_port = tuple.remote.port;
  header.destination_port = tuple.local.port;
  std::vector<std::byte> segment(wire::kTcpHeaderLength + wire::kMaxTcpOptions);
  segment.resize(wire::emit_tcp(header, segment));
  segment.insert(segment.end(), payload.begin(), payload.end());
  wire::Checksum sum;
  sum.add_pseudo_header(tuple.remote.address, tuple.local.address, 6,
                        static_cast<std::uint32_t>(segment.size()));
  sum.add(segment);
  store_be(segment.data() + 16, sum.finish());
  return framed(flow, wire::IpProtocol::Tcp, segment);
}

std::vector<std::byte> ndp_frame(ByteSpan message) {
  return framed(1, wire::IpProtocol::Icmpv6, message);
}

std::vector<std::byte> icmp_frame(std::size_t flow, SeqNum seq, std::uint8_t code,
                                  std::uint16_t mtu) {
  const FourTuple tuple = tuple_of(flow);
  const bool v4 = flow % kFamilies == 0;
  std::vector<std::byte> quoted(v4 ? wire::kIpv4HeaderLength : wire::kIpv6HeaderLength);
  if (v4) {
    wire::Ipv4Header header;
    header.source = tuple.local.address;
    header.destination = tuple.remote.address;
    header.protocol = wire::IpProtocol::Tcp;
    header.payload_length = 1'480;
    wire::emit_ipv4(header, quoted);
  } else {
    wire::Ipv6Header header;
    header.source = tuple.local.address;
    header.destination = tuple.remote.address;
    header.protocol = wire::IpProtocol::Tcp;
    header.payload_length = 1'460;
    wire::emit_ipv6(header, quoted);
  }
  std::array<std::byte, 8> front{};
  store_be(front.data(), tuple.local.port);
  store_be(front.data() + 2, tuple.remote.port);
  store_be(front.data() + 4, seq.raw());
  quoted.insert(quoted.end(), front.begin(), front.end());

  wire::IcmpMessage message = wire::IcmpUnreachable{code, quoted};
  if (mtu != 0) message = wire::IcmpPacketTooBig{mtu, quoted};
  std::vector<std::byte> icmp(wire::emitted_length(message));
  if (v4) {
    wire::emit_icmpv4(message, icmp);
  } else {
    wire::emit_icmpv6(message, {tuple.remote.address, tuple.local.address}, icmp);
  }
  return framed(flow, v4 ? wire::IpProtocol::Icmp : wire::IpProtocol::Icmpv6, icmp);
}

}  // namespace fuzz
