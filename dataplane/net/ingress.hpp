#pragma once

#include <cstdint>
#include <span>

#include "dataplane/base/packet.hpp"
#include "dataplane/base/result.hpp"
#include "dataplane/base/time.hpp"
#include "dataplane/net/egress.hpp"
#include "dataplane/net/ingress_batch.hpp"
#include "dataplane/net/rate_limit.hpp"
#include "dataplane/wire/ethernet.hpp"
#include "dataplane/wire/ipv4.hpp"

namespace dataplane::net {

/// Reads frames: TCP segments and events go up; ARP, Neighbor Discovery and echo end here.
class Ingress {
 public:
  /// Who received the frames: this core from its device, or another core that shares them. Shared
  /// frames teach, but are not answered and not shared again.
  enum class Origin : bool { Device, OtherCore };

  Ingress(HostState& host, Egress& egress)
      : host_(host), egress_(egress), echo_limit_(host.config.echo_per_second) {}

  void on_frames(Instant now, Interface& port, std::span<Packet> frames, Origin origin,
                 IngressBatch& out);

 private:
  /// One frame under way through the layers.
  struct Frame {
    Instant now;
    Interface& port;
    Packet& packet;
    Origin origin = Origin::Device;
    IngressBatch& out;
    bool is_group = false;   ///< Sent to a group or to everybody on the link.
    bool is_shared = false;  ///< Every core is to see it.
    MacAddress source_mac{};
  };
  /// What is above IP, without regard to its version.
  struct Ip {
    IpAddress source;
    IpAddress destination;
    wire::IpProtocol protocol{};
    std::uint8_t traffic_class = 0;
    std::uint8_t hop_limit = 0;
    const std::byte* header = nullptr;  ///< Where it starts.
    ByteSpan payload;
  };

  /// Of a parsed header of either version, and the packet that it is the header of.
  template <class Parsed>
  static Ip ip_of(const Parsed& parsed, ByteSpan octets);

  Result<void> on_frame(Frame& frame);
  Result<wire::EthernetHeader> check_link(Frame& frame) const;
  Result<void> on_ipv4(Frame& frame, ByteSpan octets);
  Result<void> on_ipv6(Frame& frame, ByteSpan octets);
  Result<void> check_addresses(const Frame& frame, const Ip& ip) const;
  Result<void> on_tcp(Frame& frame, const Ip& ip);
  /// The way of nearly all segments of a bulk transfer: if the headers of a frame are those of the
  /// last segment of the batch but for its place, so is all that was found out about them, and its
  /// payload goes there.
  bool join_last(Frame& frame);
  /// Whether the checksum of a TCP segment is right, as the device says or as computed here.
  bool is_intact(const Packet& packet, const IpAddress& source, const IpAddress& destination,
                 ByteSpan tcp);

  // In ingress_control.cpp: what is not TCP.
  Result<void> on_arp(Frame& frame, ByteSpan octets);
  Result<void> on_icmp(Frame& frame, const Ip& ip);
  Result<void> on_ndp(Frame& frame, const Ip& ip);
  Result<void> on_solicitation(Frame& frame, const Ip& ip,
                               const wire::NeighborSolicitation& message);
  Result<void> on_advertisement(Frame& frame, const wire::NeighborAdvertisement& message);
  void on_conflict(Frame& frame, const IpAddress& address);
  Result<void> on_echo(Frame& frame, const Ip& ip, const wire::IcmpEcho& echo);
  Result<void> on_icmp_error(Frame& frame, PathEvent event, bool v4, ByteSpan quoted);

  HostState& host_;
  Egress& egress_;
  RateLimit echo_limit_;
};

}  // namespace dataplane::net
