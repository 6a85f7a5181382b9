#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "dataplane/base/address.hpp"
#include "dataplane/base/packet.hpp"
#include "dataplane/base/result.hpp"
#include "dataplane/base/time.hpp"
#include "dataplane/net/config.hpp"
#include "dataplane/net/frame_queue.hpp"
#include "dataplane/net/host_stats.hpp"
#include "dataplane/net/ingress_batch.hpp"
#include "dataplane/net/route.hpp"
#include "dataplane/wire/segment.hpp"

namespace dataplane::net {

/// What a host does below TCP, for all ports of one core: Ethernet, VLAN, ARP, IPv4, IPv6, ICMP,
/// NDP; neighbours and next hops; building frames. Sans-IO. The source address decides the port.
class Host {
 public:
  Host(const HostConfig& config, PacketPool& pool);
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  /// Announces every address (gratuitous ARP, unsolicited NA). Once, after the links are up; by one
  /// core.
  void announce(Instant now);
  /// Parses a burst. ARP, NDP and ICMP end here and may queue answers; TCP segments and path events
  /// are appended to `out`. The packets are taken; what is refused is freed and counted.
  void on_frames(Instant now, PortIndex port, std::span<Packet> frames, IngressBatch& out);
  /// Frames that another core received and that every core must see (IngressBatch::for_all_cores):
  /// read for what they teach and as events, but not answered and not handed out again.
  void on_shared_frames(Instant now, PortIndex port, std::span<Packet> frames, IngressBatch& out);
  /// Neighbour retries, refreshes, failures (as events appended to `out`). Too early does nothing.
  void on_deadline(Instant now, IngressBatch& out);
  Instant next_deadline() const;

  /// The way from one of our addresses; NoRoute if `local` is not ours, or `remote` is of the other
  /// family, a group or a broadcast address (RFC 9293 §3.9.2.3).
  Result<Route> route(const IpAddress& local, const IpAddress& remote) const;
  /// The first of our addresses that can reach `remote`, preferring one in its subnet.
  std::optional<IpAddress> source_for(const IpAddress& remote) const;
  bool is_local(const IpAddress& address) const;

  /// Builds the frame of a segment and queues it on its port; on an unresolved next hop it waits in
  /// a bounded queue (the oldest is dropped and counted). NoBuffers, QueueFull, NoRoute, BadLength
  /// (longer than the port's MTU or than a buffer): nothing was sent; TCP will do it again.
  Result<void> send(Instant now, const FourTuple& tuple, const wire::TxSegment& segment);
  /// Frames that send() can still queue on a port: the output loop asks before it cuts a segment.
  std::size_t tx_room(PortIndex port) const;
  /// Frames that the device did not take so far.
  std::size_t tx_backlog(PortIndex port) const;
  FrameQueue& tx_queue(PortIndex port);

  std::size_t port_count() const;
  const InterfaceConfig& config(PortIndex port) const;
  const HostStats& stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dataplane::net
