// A whole net::Host under any sequence of frames, sends and pauses. A packet that leaks or is freed
// twice ends the run, as does any assertion. The input is a list of records: one octet says what,
// two a length, then octets.

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "dataplane/base/heap_packet_pool.hpp"
#include "dataplane/net/host.hpp"
#include "dataplane/wire/checksum.hpp"
#include "dataplane/wire/ethernet.hpp"

namespace dataplane::net {
namespace {

constexpr MacAddress kOwnMac{{2, 0, 0, 0, 0, 1}};
constexpr PortIndex kPort{0};

HostConfig config() {
  InterfaceConfig port;
  port.mac = kOwnMac;
  port.addresses = {*Prefix::parse("10.0.0.1/24"), *Prefix::parse("fd00::1/64")};
  port.gateway_v4 = IpAddress::parse("10.0.0.254");
  HostConfig host;
  host.ports = {port};
  host.tx_queue_frames = 16;
  host.max_neighbors = 4;
  host.neighbor_queue_frames = 2;
  host.core_count = 2;
  return host;
}

/// Makes right what no fuzzer guesses: our MAC address, lengths and checksums.
void repair(MutableByteSpan frame) {
  if (frame.size() < wire::kEthernetHeaderLength) return;
  wire::store_mac(frame.data(), kOwnMac);
  const auto type = wire::EtherType{load_be<std::uint16_t>(frame.data() + 12)};
  const MutableByteSpan ip = frame.subspan(wire::kEthernetHeaderLength);
  const bool v4 = type == wire::EtherType::Ipv4;
  const std::size_t header = v4 ? 20 : 40;
  if ((!v4 && type != wire::EtherType::Ipv6) || ip.size() < header + 8) return;
  const MutableByteSpan payload = ip.subspan(header);
  ip[0] = std::byte{v4 ? std::uint8_t{0x45} : std::uint8_t{0x60}};
  if (v4) {
    store_be(ip.data() + 2, static_cast<std::uint16_t>(ip.size()));
    store_be(ip.data() + 6, std::uint16_t{0});
    store_be(ip.data() + 16, 0x0a00'0001U);
    store_be(ip.data() + 10, std::uint16_t{0});
    store_be(ip.data() + 10, wire::checksum_of(ip.first(header)));
  } else {
    store_be(ip.data() + 4, static_cast<std::uint16_t>(payload.size()));
    ip[7] = std::byte{255};
    const IpAddress own = *IpAddress::parse("fd00::1");
    std::copy_n(std::as_bytes(std::span(own.octets())).begin(), 16, ip.begin() + 24);
  }
  const auto protocol = static_cast<std::uint8_t>(ip[v4 ? 9 : 6]);
  if (protocol != 1 && protocol != 58) return;
  store_be(payload.data() + 2, std::uint16_t{0});
  wire::Checksum sum;
  if (protocol == 58)
    sum.add_pseudo_header(IpAddress::from_network_v6(ip.data() + 8),
                          IpAddress::from_network_v6(ip.data() + 24), 58,
                          static_cast<std::uint32_t>(payload.size()));
  sum.add(payload);
  store_be(payload.data() + 2, sum.finish());
}

class Run {
 public:
  void step(std::uint8_t what, ByteSpan octets) {
    switch (what & 3) {
      case 0:
      case 1:
        receive(what, octets);
        break;
      case 2:
        send(octets);
        break;
      default:
        now_ += Duration(std::chrono::milliseconds(10 * (what >> 2)));
        host_.on_deadline(now_, batch_);
    }
    if ((what & 0x80) != 0)
      while (host_.tx_queue(kPort).pop()) {
      }
  }

 private:
  void receive(std::uint8_t what, ByteSpan octets) {
    Packet packet = pool_.alloc();
    if (!packet || octets.size() > packet.tailroom()) return;
    std::copy(octets.begin(), octets.end(),
              packet.append(static_cast<std::uint32_t>(octets.size())));
    if ((what & 4) != 0) repair(packet.data());
    if ((what & 8) != 0) packet.mbuf()->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
    if ((what & 16) != 0) packet.mbuf()->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD;
    batch_.clear();
    if ((what & 1) != 0)
      host_.on_shared_frames(now_, kPort, {&packet, 1}, batch_);
    else
      host_.on_frames(now_, kPort, {&packet, 1}, batch_);
    for (const wire::ReceivedSegment& received : batch_.segments)
      if (!host_.is_local(received.tuple.local.address)) std::abort();
  }

  void send(ByteSpan octets) {
    if (octets.empty()) return;
    const auto last = static_cast<std::uint8_t>(octets[0]);
    FourTuple tuple{{*IpAddress::parse("10.0.0.1"), 1}, {IpAddress::v4(0x0a00'0000U + last), 2}};
    if (last > 127) {
      tuple.local.address = *IpAddress::parse("fd00::1");
      tuple.remote.address = IpAddress::v6({0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last});
    }
    wire::TxSegment segment;
    segment.pieces[0] = octets;
    segment.piece_count = 1;
    segment.payload_length = static_cast<std::uint32_t>(octets.size());
    (void)host_.send(now_, tuple, segment);
  }

  HeapPacketPool pool_{32, 1600};
  Host host_{config(), pool_};
  IngressBatch batch_;
  Instant now_{};
};

}  // namespace
}  // namespace dataplane::net

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace dataplane;
  net::Run run;
  Reader in(std::as_bytes(std::span(data, size)));
  while (in.remaining() >= 3) {
    const std::uint8_t what = in.u8();
    const std::size_t length = std::min<std::size_t>(in.u16() % 2048, in.remaining());
    run.step(what, in.bytes(length));
  }
  return 0;
}
