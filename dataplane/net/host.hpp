#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dataplane/base/address.hpp"
#include "dataplane/base/packet.hpp"
#include "dataplane/base/result.hpp"
#include "dataplane/base/time.hpp"
#include "dataplane/wire/segment.hpp"

namespace dataplane::net {

/// What the device does for us; asked at start by dataplane/dpdk, all false in the simulator.
struct Offloads {
  bool tx_ipv4_checksum = false;
  bool tx_tcp_checksum = false;
  bool tx_vlan = false;
  bool rx_vlan_strip = false;
  bool tso = false;
};

/// One port of the node, as the operator configured it.
struct InterfaceConfig {
  std::string id;
  MacAddress mac;
  std::vector<Prefix> addresses;
  std::optional<IpAddress> gateway_v4;
  std::optional<IpAddress> gateway_v6;
  std::uint16_t mtu = 1500;          ///< Octets of an IP packet.
  std::optional<std::uint16_t> vlan; ///< 802.1Q tag of all our frames on this port.
  bool backup = false;               ///< For MPTCP later.
  Offloads offloads;
};

/// Frames that wait for a device, oldest first. What the device does not take stays at the head.
class FrameQueue {
 public:
  /// `capacity` is a power of two.
  explicit FrameQueue(std::size_t capacity);
  ~FrameQueue();
  FrameQueue(FrameQueue&&) noexcept = default;
  FrameQueue& operator=(FrameQueue&&) = delete;

  bool push(Packet frame);  ///< false, and the packet freed, when full.
  std::size_t size() const { return tail_ - head_; }
  std::size_t room() const { return ring_.size() - size(); }
  bool empty() const { return head_ == tail_; }
  /// The oldest frames that lie in one piece of the ring, at least one unless empty; for tx_burst.
  std::span<rte_mbuf*> front();
  /// The device owns the `count` oldest frames now.
  void release_front(std::size_t count) { head_ += count; }
  Packet pop();

 private:
  std::vector<rte_mbuf*> ring_;
  std::size_t head_ = 0;
  std::size_t tail_ = 0;
};

/// How a segment to an address travels.
struct Route {
  PortIndex port{};
  IpAddress next_hop;
  std::uint16_t mtu = 0;
};

/// What the network said about a flow or an address; for the connections above.
struct PathEvent {
  enum class Kind : std::uint8_t {
    PacketTooBig,     ///< ICMP type 3 code 4, or ICMPv6 type 2: `mtu` octets pass (RFC 1191, RFC 8201).
    Unreachable,      ///< ICMP type 3 or ICMPv6 type 1, other codes (RFC 5461: a soft error).
    PortUnreachable,  ///< ICMP type 3 codes 2, 3; ICMPv6 type 1 code 4, code 1.
    NeighborFailed,   ///< `tuple.remote.address` is a next hop that answered no solicitation; others are unset.
  };
  Kind kind{};
  FourTuple tuple;   ///< Of the segment of ours that the message quotes.
  SeqNum quoted_seq; ///< Its sequence number, to be checked against the window (RFC 5927 §4.1).
  std::uint16_t mtu = 0;
  PortIndex port{};
};

/// What a burst of frames turned into. Reused from burst to burst.
struct IngressBatch {
  std::vector<wire::ReceivedSegment> segments;
  std::vector<PathEvent> events;
  /// ARP, NDP frames that every core must see (several cores only).
  void clear() {
    segments.clear();
    events.clear();
  }
};

struct HostConfig {
  std::vector<InterfaceConfig> ports;
  std::size_t tx_queue_frames = 1024;      ///< Per port, a power of two.
  std::size_t neighbor_queue_frames = 16;  ///< Frames kept per unresolved next hop.
  std::uint64_t seed = 0;
};

struct HostStats;

/// What a host does below TCP, for all ports of one core: Ethernet, VLAN, ARP, IPv4, IPv6, ICMP, NDP; neighbours and next
/// hops; building frames. Sans-IO. The source address decides the port.
class Host {
 public:
  Host(HostConfig config, PacketPool& pool);
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  /// Announces every address (gratuitous ARP, unsolicited NA). Once, after the links are up.
  void announce(Instant now);
  /// Parses a burst. ARP, NDP and ICMP end here and may queue answers; TCP segments and path events are appended to
  /// `out`. The packets are taken; what is refused is freed and counted.
  void on_frames(Instant now, PortIndex port, std::span<Packet> frames, IngressBatch& out);
  /// Neighbour retries, refreshes, failures (as events appended to `out`). Too early does nothing.
  void on_deadline(Instant now, IngressBatch& out);
  Instant next_deadline() const;

  /// The way from one of our addresses; NoRoute if `local` is not ours or `remote` is of the other family.
  Result<Route> route(const IpAddress& local, const IpAddress& remote) const;
  /// The first of our addresses that can reach `remote`, preferring one in its subnet.
  std::optional<IpAddress> source_for(const IpAddress& remote) const;
  bool is_local(const IpAddress& address) const;

  /// Builds the frame of a segment and queues it on its port; on an unresolved next hop it waits in a bounded queue (the oldest
  /// is dropped and counted). NoBuffers, QueueFull, NoRoute: nothing was sent; TCP will do it again.
  Result<void> send(Instant now, const FourTuple& tuple, const wire::TxSegment& segment);
  /// Frames that send() can still queue on a port: the output loop asks before it cuts a segment.
  std::size_t tx_room(PortIndex port) const;
  FrameQueue& tx_queue(PortIndex port);

  std::size_t port_count() const;
  const InterfaceConfig& config(PortIndex port) const;
  const HostStats& stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dataplane::net
