// A whole core between an application and peers that say anything, at any time: segments with right
// checksums and numbers near those that matter, ICMP errors, pauses from nanoseconds to days, calls
// of the socket layer in any order.
//
// It must not crash, assert, loop or leak a packet. And whatever the peers say, the octets of a
// stream are the octets that were written, in order, and an announced window is never taken back.

#include <array>
#include <cstring>
#include <vector>

#include "dataplane/wire/arp.hpp"
#include "dataplane/wire/checksum.hpp"
#include "dataplane/wire/ethernet.hpp"
#include "dataplane/wire/ipv4.hpp"
#include "dataplane/wire/ipv6.hpp"
#include "dataplane/wire/ndp.hpp"
#include "test/fuzz/peer.hpp"

namespace fuzz {
namespace {

using mptcp::SocketId;
using wire::TcpFlags;

constexpr std::uint16_t kMtu = 1'500;
constexpr std::size_t kPackets = 192;
constexpr std::uint32_t kSockets = 4;

mptcp::CoreConfig core_config(Input& input) {
  net::InterfaceConfig port;
  port.id = "p0";
  port.mac = kCoreMac;
  port.mtu = kMtu;
  port.addresses = {*Prefix::parse("10.0.0.1/24"), *Prefix::parse("fd00::1/64")};
  mptcp::CoreConfig config;
  config.ports = {port};
  config.max_connections = 5;  // Fewer than the flows.
  config.syn_table_size = 2;
  config.accept_backlog = 2;
  config.send_memory = 256 * 1024;
  config.seed = 1;
  const std::uint8_t choice = input.u8();
  tcp::Config& tcp = config.tcp;
  tcp.nagle = (choice & 1) != 0;
  tcp.timestamps = (choice & 2) != 0;
  tcp.sack = (choice & 4) != 0;
  tcp.congestion_control = (choice & 8) != 0 ? cc::Kind::NewReno : cc::Kind::Cubic;
  if ((choice & 16) != 0) tcp.keepalive_idle = 10s;
  if ((choice & 32) != 0) tcp.receive_buffer_initial = tcp.receive_buffer_max = 4'000;
  if ((choice & 64) != 0) tcp.send_buffer_initial = tcp.send_buffer_max = 3'000;
  return config;
}

/// What the application holds, and where it is in the two streams.
struct Socket {
  SocketId id{};
  bool open = false;
  std::size_t flow = 0;
  std::uint32_t written = 0;
  SeqNum read_seq;  ///< Of the next octet to be read.
};

class Run {
 public:
  Run(Input& input, PacketPool& pool)
      : input_(input), pool_(pool), core_(core_config(input), pool_) {
    for (std::size_t flow = 0; flow < kFlows; ++flow)
      peers_.at(flow) =
          PeerFlow(SeqNum(0xffff'f000U + static_cast<std::uint32_t>(flow) * 0x0123'4567U));
    for (const char* any : {"0.0.0.0:80", "[::]:80"}) {
      const auto listener = core_.listen(*Endpoint::parse(any));
      if (listener) listeners_.push_back(*listener);
    }
    require(!listeners_.empty());
    exchange();
  }

  void go() {
    while (!input_.empty()) {
      step();
      exchange();
    }
  }

 private:
  void step() {
    const std::uint8_t what = input_.u8();
    const std::size_t flow = input_.below(kFlows);
    switch (what % 16) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        segment(flow);
        break;
      case 5:
      case 6:
      case 7:
        honest_segment(flow);
        break;
      case 8:
        deliver(icmp_frame(flow, quoted_seq(), static_cast<std::uint8_t>(input_.below(16)),
                           input_.u16()));
        break;
      case 9:
      case 10:
        pause();
        break;
      case 11:
        open(flow);
        break;
      case 12:
        write(socket());
        break;
      case 13:
        read(socket());
        break;
      case 14:
        part(socket());
        break;
      default:
        garbage(flow);
    }
  }

  SeqNum quoted_seq() { return last_seq_ + static_cast<std::uint32_t>(input_.distance()); }
  Socket& socket() { return sockets_.at(input_.below(kSockets)); }

  void segment(std::size_t flow) {
    const wire::TcpHeader header = peers_.at(flow).choose_header(input_);
    // The stream of such a connection would start elsewhere.
    const bool syn = has(header.flags, TcpFlags::Syn);
    if (syn && header.seq + 1U != peers_.at(flow).first_octet()) odd_syn_.at(flow) = true;
    send(flow, header, input_.below(4) == 0 ? input_.below(1'440) : input_.below(16));
  }
  void honest_segment(std::size_t flow) {
    const wire::TcpHeader header = peers_.at(flow).honest_header(input_.below(16) == 0);
    const bool syn = has(header.flags, TcpFlags::Syn);
    send(flow, header, syn || input_.flag() ? 0 : input_.below(1'440));
  }
  void send(std::size_t flow, const wire::TcpHeader& header, std::uint32_t length) {
    std::vector<std::byte> payload(length);
    const SeqNum first = header.seq + (has(header.flags, TcpFlags::Syn) ? 1U : 0U);
    for (std::uint32_t i = 0; i < length; ++i)
      payload[i] = octet_at((first + i).raw());
    peers_.at(flow).note_sent(header, length);
    deliver(frame_of(flow, header, payload));
  }
  /// A good segment behind headers that are noise in places, or cut short. What is in the segment
  /// is right or not received: its checksum covers the addresses.
  void garbage(std::size_t flow) {
    std::vector<std::byte> frame = frame_of(flow, peers_.at(flow).honest_header(false), {});
    const std::size_t headers = frame.size() - wire::kTcpHeaderLength - wire::kMaxTcpOptions / 2;
    const ByteSpan noise = input_.bytes(input_.below(32));
    const std::size_t at = input_.below(static_cast<std::uint32_t>(headers));
    for (std::size_t i = 0; i < noise.size() && at + i < 34; ++i)
      frame[at + i] = noise[i];
    frame.resize(frame.size() - input_.below(8));
    deliver(frame);
  }

  void pause() {
    const std::uint32_t shape = input_.below(44);
    const Instant end = now_ + Duration(static_cast<std::int64_t>(input_.u8()) << shape);
    // Minutes pass from deadline to deadline, days at once.
    const bool in_steps = shape < 30 && input_.flag();
    if (!in_steps) now_ = end;
    for (unsigned turns = 0; core_.next_deadline() <= end; ++turns) {
      require(turns < 10'000);
      now_ = std::max(now_, core_.next_deadline());
      core_.on_deadline(now_);
      exchange();
    }
    now_ = end;
  }

  void open(std::size_t flow) {
    if (flow >= kPassiveFlows) {
      const FourTuple tuple = tuple_of(flow);
      const auto id =
          core_.connect(now_, {.remote = tuple.remote, .local = tuple.local, .tcp = {}});
      if (id) adopt(*id, flow);
      return;
    }
    for (const SocketId listener : listeners_) {
      const auto id = core_.accept(listener);
      if (!id) continue;
      const auto info = core_.info(*id);
      require(info.has_value());
      const auto accepted = flow_of(info->tuple);
      require(accepted.has_value());
      adopt(*id, *accepted);
      return;
    }
  }
  void adopt(SocketId id, std::size_t flow) {
    for (Socket& free : sockets_) {
      if (free.open) continue;
      free = {.id = id,
              .open = true,
              .flow = flow,
              .written = 0,
              .read_seq = peers_.at(flow).first_octet()};
      return;
    }
    core_.abort(now_, id);
  }

  void write(Socket& socket) {
    if (!socket.open) return;
    std::vector<std::byte> octets(input_.below(4) == 0 ? input_.below(20'000) : input_.below(200));
    for (std::uint32_t i = 0; i < octets.size(); ++i)
      octets[i] = octet_at(socket.written + i);
    const std::size_t room = core_.writable(socket.id);
    const std::size_t taken = core_.write(now_, socket.id, octets);
    require(taken <= octets.size() && taken <= room);
    socket.written += static_cast<std::uint32_t>(taken);
  }
  void read(Socket& socket) {
    if (!socket.open) return;
    const std::size_t readable = core_.readable(socket.id);
    if (input_.flag()) {
      const Packet packet = core_.read_packet(now_, socket.id);
      require(packet.size() <= readable && static_cast<bool>(packet) == (readable != 0));
      check_read(socket, packet.data());
      return;
    }
    std::vector<std::byte> octets(input_.below(4'000));
    const std::size_t count = core_.read(now_, socket.id, octets);
    require(count == std::min(octets.size(), readable));
    check_read(socket, ByteSpan(octets).first(count));
  }
  void check_read(Socket& socket, ByteSpan octets) const {
    if (odd_syn_.at(socket.flow)) return;
    for (const std::byte octet : octets) {
      require(octet == octet_at(socket.read_seq.raw()));
      socket.read_seq += 1U;
    }
  }

  void part(Socket& socket) {
    if (!socket.open) return;
    switch (input_.below(4)) {
      case 0:
        core_.abort(now_, socket.id);
        socket.open = false;
        break;
      case 1:
        core_.close(now_, socket.id);
        socket.open = false;
        break;
      default:
        core_.shutdown(now_, socket.id);
    }
  }

  void deliver(ByteSpan octets) {
    Packet frame = pool_.alloc();
    if (!frame) return;
    std::memcpy(frame.append(static_cast<std::uint32_t>(octets.size())), octets.data(),
                octets.size());
    core_.on_frames(now_, kPort, std::span(&frame, 1));
  }

  /// Lets the core say all that it has to say.
  void exchange() {
    for (unsigned turns = 0;; ++turns) {
      require(turns < 1'000);
      while (const auto event = core_.next_event())
        static_cast<void>(event);
      core_.poll_transmit(now_);
      bool any = false;
      while (Packet frame = core_.tx_queue(kPort).pop()) {
        any = true;
        on_frame(frame.data());
      }
      if (!any && !core_.has_pending_transmit()) return;
    }
  }

  void on_frame(ByteSpan frame);
  void on_ip(const wire::Icmpv6Addresses& addresses, wire::IpProtocol protocol, ByteSpan payload);
  void answer_arp(ByteSpan octets);
  void answer_solicitation(const wire::Icmpv6Addresses& addresses, ByteSpan octets);

  Input& input_;
  Instant now_{1'000s};
  PacketPool& pool_;
  mptcp::Core core_;
  std::vector<SocketId> listeners_;
  std::array<PeerFlow, kFlows> peers_;
  std::array<bool, kFlows> odd_syn_{};  ///< A SYN was sent whose stream starts elsewhere.
  std::array<Socket, kSockets> sockets_{};
  SeqNum last_seq_;
};

void Run::on_frame(ByteSpan frame) {
  const auto ethernet = wire::parse_ethernet(frame);
  require(ethernet.has_value() && frame.size() <= ethernet->length() + kMtu);
  const ByteSpan packet = frame.subspan(ethernet->length());
  if (ethernet->type == wire::EtherType::Arp) {
    answer_arp(packet);
  } else if (ethernet->type == wire::EtherType::Ipv4) {
    const auto ip = wire::parse_ipv4(packet, wire::ChecksumCheck::Verify);
    require(ip.has_value() && ip->header_length + ip->header.payload_length == packet.size());
    on_ip({ip->header.source, ip->header.destination}, ip->header.protocol,
          packet.subspan(ip->header_length));
  } else {
    const auto ip = wire::parse_ipv6(packet);
    require(ip.has_value() && ip->header_length + ip->header.payload_length == packet.size());
    on_ip({ip->header.source, ip->header.destination}, ip->header.protocol,
          packet.subspan(ip->header_length));
  }
}

void Run::on_ip(const wire::Icmpv6Addresses& addresses, wire::IpProtocol protocol,
                ByteSpan payload) {
  if (protocol == wire::IpProtocol::Icmpv6) return answer_solicitation(addresses, payload);
  if (protocol != wire::IpProtocol::Tcp) return;
  wire::Checksum sum;
  sum.add_pseudo_header(addresses.source, addresses.destination, 6,
                        static_cast<std::uint32_t>(payload.size()));
  sum.add(payload);
  require(sum.is_valid());
  const auto tcp = wire::parse_tcp(payload);
  require(tcp.has_value());
  last_seq_ = tcp->header.seq;
  const auto flow = flow_of({{addresses.source, tcp->header.source_port},
                             {addresses.destination, tcp->header.destination_port}});
  if (flow) peers_.at(*flow).on_segment(tcp->header, payload.subspan(tcp->header_length));
}

void Run::answer_arp(ByteSpan octets) {
  const auto request = wire::parse_arp(octets);
  require(request.has_value());
  if (request->operation != wire::ArpOperation::Request ||
      request->target_ip != IpAddress::v4(kPeerV4))
    return;
  std::vector<std::byte> frame(wire::kEthernetHeaderLength + wire::kArpLength);
  wire::emit_ethernet({kCoreMac, kPeerMac, wire::EtherType::Arp, {}}, frame);
  wire::emit_arp(
      {wire::ArpOperation::Reply, kPeerMac, request->target_ip, kCoreMac, request->sender_ip},
      MutableByteSpan(frame).subspan(wire::kEthernetHeaderLength));
  deliver(frame);
}

void Run::answer_solicitation(const wire::Icmpv6Addresses& addresses, ByteSpan octets) {
  const auto message = wire::parse_ndp(octets);
  if (!message) return;
  const auto* asked = std::get_if<wire::NeighborSolicitation>(&*message);
  if (asked == nullptr || asked->target != tuple_of(1).remote.address) return;
  const wire::NdpMessage answer =
      wire::NeighborAdvertisement{asked->target, kPeerMac, false, true, true};
  std::vector<std::byte> payload(wire::emitted_length(answer));
  wire::emit_ndp(answer, {asked->target, addresses.source}, payload);
  deliver(ndp_frame(payload));
}

}  // namespace
}  // namespace fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Made once: its memory costs more than most runs.
  static dataplane::HeapPacketPool pool(fuzz::kPackets);
  fuzz::Input input(data, size);
  fuzz::Run(input, pool).go();
  fuzz::require(pool.available() == pool.capacity());
  return 0;
}
