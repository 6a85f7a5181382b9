#pragma once

#include <string>
#include <vector>

#include "dataplane/base/heap_packet_pool.hpp"
#include "dataplane/net/host.hpp"
#include "dataplane/net/interface.hpp"
#include "dataplane/wire/arp.hpp"
#include "dataplane/wire/ethernet.hpp"
#include "test/dataplane/wire/octets.hpp"

namespace dataplane::net {

using wire::Octets;
using wire::octets_of;
using wire::some_octets;

inline IpAddress ip(const char* text) { return *IpAddress::parse(text); }
inline Instant at(Duration since_start) { return Instant{} + since_start; }

constexpr MacAddress kMacA{{0x02, 0, 0, 0, 0, 0x0a}};
constexpr MacAddress kMacB{{0x02, 0, 0, 0, 0, 0x0b}};
constexpr MacAddress kMacC{{0x02, 0, 0, 0, 0, 0x0c}};
constexpr PortIndex kPort{0};

/// One port with 10.9.0.`last`/24 and fd00::`last`/64.
inline HostConfig host_config(const MacAddress& mac, unsigned last) {
  InterfaceConfig port;
  port.id = "p0";
  port.mac = mac;
  const std::string n = std::to_string(last);
  port.addresses = {*Prefix::parse("10.9.0." + n + "/24"), *Prefix::parse("fd00::" + n + "/64")};
  HostConfig config;
  config.ports = {port};
  config.tx_queue_frames = 64;
  config.max_neighbors = 8;
  return config;
}

/// A host with what its last burst turned into.
struct Node {
  Node(const HostConfig& config, PacketPool& packets) : pool(packets), host(config, packets) {}

  PacketPool& pool;
  Host host;
  IngressBatch batch;

  void receive(Instant now, ByteSpan frame, std::uint64_t ol_flags = 0) {
    Packet packet = pool.alloc();
    std::copy(frame.begin(), frame.end(), packet.append(static_cast<std::uint32_t>(frame.size())));
    packet.mbuf()->ol_flags = ol_flags;
    receive(now, std::move(packet));
  }
  void receive(Instant now, Packet packet) {
    batch.clear();
    host.on_frames(now, kPort, {&packet, 1}, batch);
  }
  std::uint64_t refused(Error error) const { return host.stats().of(error); }
  std::uint64_t refused() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t count : host.stats().refused)
      sum += count;
    return sum;
  }
  /// The octets of the frames that wait for the device, which are taken.
  std::vector<Octets> take_sent() {
    std::vector<Octets> frames;
    while (Packet packet = host.tx_queue(kPort).pop())
      frames.emplace_back(packet.data().begin(), packet.data().end());
    return frames;
  }
};

/// A and B on one link.
struct TwoHosts {
  explicit TwoHosts(const HostConfig& a_config = host_config(kMacA, 1),
                    const HostConfig& b_config = host_config(kMacB, 2))
      : a(a_config, pool), b(b_config, pool) {}

  HeapPacketPool pool{128};
  Node a;
  Node b;

  /// Moves one host's frames to the other's batch; returns how many there were.
  static std::size_t carry(Instant now, Node& from, Node& to) {
    std::vector<Packet> frames;
    while (Packet packet = from.host.tx_queue(kPort).pop())
      frames.push_back(std::move(packet));
    to.batch.clear();
    to.host.on_frames(now, kPort, frames, to.batch);
    return frames.size();
  }
  /// Lets A learn B's link address and B A's.
  void acquaint(Instant now, const FourTuple& tuple) {
    wire::TxSegment hello;
    hello.header.flags = wire::TcpFlags::Syn;
    (void)a.host.send(now, tuple, hello);
    while (carry(now, a, b) + carry(now, b, a) != 0) {
    }
    a.batch.clear();
    b.batch.clear();
  }
};

inline FourTuple tuple_v4() { return {{ip("10.9.0.1"), 40'000}, {ip("10.9.0.2"), 8080}}; }
inline FourTuple tuple_v6() { return {{ip("fd00::1"), 40'000}, {ip("fd00::2"), 8080}}; }

/// A segment whose payload lies in pieces of these lengths.
struct SegmentOf {
  explicit SegmentOf(std::initializer_list<std::size_t> lengths) {
    std::size_t total = 0;
    for (const std::size_t length : lengths)
      total += length;
    payload = some_octets(total, 5);
    std::size_t at = 0;
    for (const std::size_t length : lengths) {
      segment.pieces[segment.piece_count++] = ByteSpan(payload).subspan(at, length);
      at += length;
    }
    segment.payload_length = static_cast<std::uint32_t>(total);
    segment.header.seq = SeqNum(0xffff'ff00);
    segment.header.ack = SeqNum(77);
    segment.header.flags = wire::TcpFlags::Ack | wire::TcpFlags::Psh;
    segment.header.window = 4321;
    segment.header.options.timestamps = wire::Timestamps{11, 22};
  }
  Octets payload;
  wire::TxSegment segment;
};

}  // namespace dataplane::net
