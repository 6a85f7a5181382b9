#include <algorithm>
#include <array>

#include "dataplane/net/ingress.hpp"
#include "dataplane/wire/ipv6.hpp"

namespace dataplane::net {
namespace {

/// No link need carry more than this, so a claim below it is a lie (RFC 791 §3.2, RFC 8200 §5).
constexpr std::uint32_t kLeastMtuV4 = 68;
constexpr std::uint32_t kLeastMtuV6 = 1280;

/// An address of ours is defended at most so often (RFC 5227 §1.1, DEFEND_INTERVAL).
constexpr Duration kDefendInterval = 10s;

/// What to try when a router of old does not say what passes: the next common MTU below the
/// packet's length (RFC 1191 §7.1).
std::uint16_t plateau_below(std::uint16_t packet_length) {
  constexpr std::array<std::uint16_t, 10> kPlateaus{32'000, 17'914, 8'166, 4'352, 2'002,
                                                    1'492,  1'006,  508,   296,   68};
  for (const std::uint16_t plateau : kPlateaus)
    if (plateau < packet_length) return plateau;
  return kLeastMtuV4;
}

}  // namespace

// ARP: RFC 826, "Packet Reception", with the rules of RFC 5227 for conflicts and probes.
Result<void> Ingress::on_arp(Frame& frame, ByteSpan octets) {
  const auto arp = wire::parse_arp(octets);
  if (!arp) return Refused(arp.error());
  ++host_.stats.arp_received;
  frame.is_shared = true;
  if (arp->sender_mac.is_multicast() || arp->sender_mac.is_zero())
    return Refused(Error::BadAddress);
  Interface& port = frame.port;
  const bool is_request = arp->operation == wire::ArpOperation::Request;
  if (port.owns(arp->sender_ip)) {
    on_conflict(frame, arp->sender_ip);
    return {};
  }
  const bool for_us = port.owns(arp->target_ip);
  // A probe before an address is used has no sender address to learn (RFC 5227 §1.1).
  if (!arp->sender_ip.is_unspecified()) {
    if (arp->sender_ip.is_multicast() || port.is_broadcast(arp->sender_ip))
      return Refused(Error::BadAddress);
    const Neighbor sender{port.index(), arp->sender_ip};
    if (!is_request && for_us && host_.neighbors.is_asking(sender)) {
      host_.neighbors.confirm(frame.now, sender, arp->sender_mac, host_.actions);
    } else {
      const bool add = for_us && is_request && port.is_on_link(arp->sender_ip);
      host_.neighbors.learn(sender, arp->sender_mac,
                            add ? NeighborCache::Unknown::Add : NeighborCache::Unknown::Ignore,
                            host_.actions);
    }
  }
  if (!for_us) return Refused(Error::NotForUs);
  if (is_request && frame.origin == Origin::Device) {
    ++host_.stats.advertisements_sent;
    egress_.send_arp(port,
                     {wire::ArpOperation::Reply, port.config().mac, arp->target_ip, arp->sender_mac,
                      arp->sender_ip},
                     arp->sender_mac);
  }
  return {};
}

void Ingress::on_conflict(Frame& frame, const IpAddress& address) {
  ++host_.stats.address_conflicts;
  if (frame.origin == Origin::OtherCore) return;
  // RFC 5227 §2.4(b): defend it, but do not quarrel.
  Interface& port = frame.port;
  if (port.last_defence != Instant::min() && frame.now - port.last_defence < kDefendInterval)
    return;
  port.last_defence = frame.now;
  egress_.announce(port, address);
}

Result<void> Ingress::on_icmp(Frame& frame, const Ip& ip) {
  const bool v4 = ip.protocol == wire::IpProtocol::Icmp;
  const auto message = v4 ? wire::parse_icmpv4(ip.payload)
                          : wire::parse_icmpv6(ip.payload, {ip.source, ip.destination});
  if (!message) return Refused(message.error());
  if (const auto* other = std::get_if<wire::IcmpOther>(&*message)) {
    if (!v4 && wire::is_ndp(other->type)) return on_ndp(frame, ip);
    return Refused(Error::UnknownProtocol);
  }
  if (const auto checked = check_addresses(frame, ip); !checked) return checked;
  if (const auto* echo = std::get_if<wire::IcmpEcho>(&*message)) return on_echo(frame, ip, *echo);

  PathEvent event;
  event.kind = PathEvent::Kind::Unreachable;
  if (const auto* unreachable = std::get_if<wire::IcmpUnreachable>(&*message)) {
    const bool is_port = v4 ? wire::is_port_unreachable_v4(unreachable->code)
                            : wire::is_port_unreachable_v6(unreachable->code);
    if (is_port) event.kind = PathEvent::Kind::PortUnreachable;
    return on_icmp_error(frame, event, v4, unreachable->quoted);
  }
  if (const auto* problem = std::get_if<wire::IcmpProblem>(&*message))
    return on_icmp_error(frame, event, v4, problem->quoted);

  const auto& too_big = std::get<wire::IcmpPacketTooBig>(*message);
  event.kind = PathEvent::Kind::PacketTooBig;
  event.mtu = static_cast<std::uint16_t>(std::min<std::uint32_t>(too_big.mtu, 0xffff));
  const bool is_silent = v4 && event.mtu == 0;
  if (!is_silent && event.mtu < (v4 ? kLeastMtuV4 : kLeastMtuV6)) return Refused(Error::BadHeader);
  return on_icmp_error(frame, event, v4, too_big.quoted);
}

Result<void> Ingress::on_icmp_error(Frame& frame, PathEvent event, bool v4, ByteSpan quoted) {
  ++host_.stats.icmp_errors_received;
  const auto segment = v4 ? wire::parse_quoted_v4(quoted) : wire::parse_quoted_v6(quoted);
  if (!segment) return Refused(segment.error());
  const auto port = host_.routes.port_of(segment->tuple.local.address);
  if (!port) return Refused(Error::NotForUs);
  // Whose flow it is only the cores know, each its own.
  frame.is_shared = true;
  event.tuple = segment->tuple;
  event.quoted_seq = segment->seq;
  event.port = *port;
  if (event.kind == PathEvent::Kind::PacketTooBig && event.mtu == 0)
    event.mtu = plateau_below(segment->packet_length);
  frame.out.events.push_back(event);
  return {};
}

Result<void> Ingress::on_echo(Frame& frame, const Ip& ip, const wire::IcmpEcho& echo) {
  if (echo.is_reply) {
    ++host_.stats.echo_replies_received;
    return {};
  }
  if (!echo_limit_.allow(frame.now)) {
    ++host_.stats.echo_requests_limited;
    return {};
  }
  wire::IcmpEcho reply = echo;
  reply.is_reply = true;
  const auto sent = egress_.send_icmp(frame.now, {ip.destination, ip.source}, reply);
  if (sent) ++host_.stats.echo_requests_answered;
  return sent;
}

Result<void> Ingress::on_ndp(Frame& frame, const Ip& ip) {
  if (ip.hop_limit != wire::kNdpHopLimit) return Refused(Error::BadHeader);  // RFC 4861 §7.1.
  const auto message = wire::parse_ndp(ip.payload);
  if (!message) return Refused(message.error());
  ++host_.stats.ndp_received;
  if (std::holds_alternative<wire::RouterMessage>(*message)) {
    ++host_.stats.router_messages_ignored;
    return {};
  }
  if (!frame.port.owns(ip.destination) && !frame.port.has_joined(ip.destination))
    return Refused(Error::NotForUs);
  if (ip.source.is_multicast() || ip.source.is_loopback()) return Refused(Error::BadAddress);
  frame.is_shared = true;
  if (const auto* solicitation = std::get_if<wire::NeighborSolicitation>(&*message))
    return on_solicitation(frame, ip, *solicitation);
  return on_advertisement(frame, std::get<wire::NeighborAdvertisement>(*message));
}

// RFC 4861 §7.2.3 and §7.2.4.
Result<void> Ingress::on_solicitation(Frame& frame, const Ip& ip,
                                      const wire::NeighborSolicitation& message) {
  Interface& port = frame.port;
  if (!port.owns(message.target)) return Refused(Error::NotForUs);
  if (port.owns(ip.source)) return Refused(Error::BadAddress);
  const bool is_probe = ip.source.is_unspecified();
  if (is_probe) {
    // Another host wants to use our address (RFC 4862 §5.4.3): it is told so, with all others.
    if (message.source_mac || !frame.is_group) return Refused(Error::BadHeader);
    ++host_.stats.address_conflicts;
    if (frame.origin == Origin::Device) egress_.announce(port, message.target);
    return {};
  }
  if (message.source_mac) {
    if (message.source_mac->is_multicast()) return Refused(Error::BadAddress);
    if (port.is_on_link(ip.source))
      host_.neighbors.learn({port.index(), ip.source}, *message.source_mac,
                            NeighborCache::Unknown::Add, host_.actions);
  }
  if (frame.origin == Origin::OtherCore) return {};
  ++host_.stats.advertisements_sent;
  const wire::NeighborAdvertisement answer{message.target, port.config().mac, false, true, true};
  egress_.send_ndp(port, {message.target, ip.source}, answer,
                   message.source_mac.value_or(frame.source_mac));
  return {};
}

// RFC 4861 §7.2.5.
Result<void> Ingress::on_advertisement(Frame& frame, const wire::NeighborAdvertisement& message) {
  Interface& port = frame.port;
  if (message.solicited && frame.is_group) return Refused(Error::BadHeader);
  if (message.target_mac && message.target_mac->is_multicast()) return Refused(Error::BadAddress);
  if (port.owns(message.target)) {
    on_conflict(frame, message.target);
    return {};
  }
  const Neighbor neighbor{port.index(), message.target};
  const MacAddress* known = host_.neighbors.find(neighbor);
  if (known == nullptr && !message.target_mac) return {};
  const MacAddress mac = message.target_mac ? *message.target_mac : *known;
  if (known != nullptr && *known != mac && !message.override_entry) {
    host_.neighbors.doubt(neighbor);
  } else if (message.solicited) {
    host_.neighbors.confirm(frame.now, neighbor, mac, host_.actions);
  } else {
    host_.neighbors.learn(neighbor, mac, NeighborCache::Unknown::Ignore, host_.actions);
  }
  return {};
}

}  // namespace dataplane::net
