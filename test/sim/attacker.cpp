#include "test/sim/attacker.hpp"

#include <array>
#include <cstring>

#include "test/sim/link.hpp"

namespace sim {

using dataplane::load_be;
using dataplane::store_be;

namespace {

/// Invented addresses lie in 10.0.128.0/17 and in fd00::80:0/112 upwards, where no host of a
/// scenario lives.
constexpr std::uint32_t kInventedV4 = 0x0a00'8000;

bool is_invented(const IpAddress& address) {
  if (address.is_v4()) return address.v4_host_order() >> 15 == kInventedV4 >> 15;
  return address.octets()[0] == 0xfd && address.octets()[13] == 0x80;
}

std::array<std::byte, 12> timestamps_option(const Timestamps& timestamps) {
  std::array<std::byte, 12> out{};
  out[0] = out[1] = std::byte{1};
  out[2] = std::byte{8};
  out[3] = std::byte{10};
  store_be(&out[4], timestamps.value);
  store_be(&out[8], timestamps.echo);
  return out;
}

}  // namespace

Attacker::Attacker(const AttackPlan& plan, FramePool& frames, const Oracle& oracle, Rng rng)
    : plan_(plan),
      frames_(frames),
      oracle_(oracle),
      rng_(rng),
      next_(plan.is_on() ? plan.from : kNever) {}

void Attacker::send(Instant now, Frame frame) {
  if (!frame) return;
  frame.set_origin(Origin::Attacker);
  ++sent_;
  out_->take(now, std::move(frame));
}

void Attacker::run(Instant now) {
  const Victim& victim = victims_[rng_.below(victims_.size())];
  std::uint64_t turn = rng_.below(plan_.syn_flood + plan_.garbage + plan_.blind + plan_.scan);
  if (turn < plan_.syn_flood) {
    send(now, syn(victim));
  } else if ((turn -= plan_.syn_flood) < plan_.garbage) {
    send(now, garbage(victim));
  } else if (turn - plan_.garbage < plan_.blind) {
    send(now, blind(victim));
  } else {
    send(now, scan(victim));
  }
  next_ =
      now +
      Duration(static_cast<std::int64_t>(1e9 / plan_.frames_per_second * rng_.real(0.1, 1.9)) + 1);
  if (next_ >= plan_.until) next_ = kNever;
}

Craft Attacker::towards(const Victim& victim) const {
  Craft out;
  out.source_mac = mac();
  out.destination_mac = victim.mac;
  out.destination = victim.address;
  out.window = 0xffff;
  return out;
}

IpAddress Attacker::invented(const Victim& victim) {
  const auto which = static_cast<std::uint32_t>(rng_.below(plan_.invented_addresses));
  if (victim.address.is_v4()) return IpAddress::v4(kInventedV4 + 1 + which % 0x7ffd);
  IpAddress::Octets octets = victim.address.octets();
  octets[13] = 0x80;
  octets[14] = static_cast<std::uint8_t>(which >> 8);
  octets[15] = static_cast<std::uint8_t>(which);
  return IpAddress::v6(octets);
}

Frame Attacker::syn(const Victim& victim) {
  if (victim.open_ports.empty()) return {};
  std::array<std::byte, 20> options{};
  dataplane::Writer write(options);
  write.u32(0x0204'0000 | 1460);
  write.u32(0x0402'080a);
  write.u64(rng_.next());
  write.u32(0x0103'0307);
  Craft out = towards(victim);
  out.source = invented(victim);
  out.source_port = static_cast<std::uint16_t>(rng_.between(1, 65'535));
  out.destination_port = victim.open_ports[rng_.below(victim.open_ports.size())];
  out.seq = static_cast<std::uint32_t>(rng_.next());
  out.flags = kSyn;
  out.options = options;
  return craft(frames_, out);
}

Frame Attacker::scan(const Victim& victim) {
  constexpr std::uint8_t kProbes[] = {kSyn, kAck,        kFin,        0,   kFin | kPsh | kUrg,
                                      kRst, kSyn | kAck, kSyn | kFin, 0xff};
  Craft out = towards(victim);
  out.source = invented(victim);
  out.source_port = static_cast<std::uint16_t>(rng_.between(1, 65'535));
  out.destination_port = rng_.chance(0.3) && !victim.open_ports.empty()
                             ? victim.open_ports[0]
                             : static_cast<std::uint16_t>(rng_.between(1, 1023));
  out.seq = static_cast<std::uint32_t>(rng_.next());
  out.ack = static_cast<std::uint32_t>(rng_.next());
  out.flags = rng_.pick(kProbes);
  std::array<std::byte, 32> payload{};
  out.payload = std::span(payload).first(rng_.below(payload.size()));
  return craft(frames_, out);
}

Frame Attacker::garbage(const Victim& victim) {
  if (rng_.chance(0.5)) {  // Noise behind a plausible Ethernet header.
    constexpr std::uint16_t kTypes[] = {kEtherIpv4, kEtherIpv6, kEtherArp, kEtherVlan, 0x88cc, 46};
    Frame frame =
        frames_.make(rng_.between(rng_.chance(0.2) ? 0 : 14, rng_.chance(0.8) ? 128 : 576));
    const MutableByteSpan octets = frame.data();
    for (std::byte& octet : octets)
      octet = static_cast<std::byte>(rng_.next());
    if (octets.size() < 14) return frame;
    std::memcpy(&octets[0], victim.mac.octets.data(), 6);
    std::memcpy(&octets[6], mac().octets.data(), 6);
    const std::uint16_t type = rng_.pick(kTypes);
    store_be(&octets[12], type);
    // A forged ARP that is well formed would be believed: that is its nature.
    if (type == kEtherArp && octets.size() >= 18) octets[15] = std::byte{0xee};
    if (octets.size() > 14 && rng_.chance(0.7))
      octets[14] = type == kEtherIpv4 ? std::byte{0x45} : std::byte{0x60};
    return frame;
  }
  Frame frame = rng_.chance(0.5) ? syn(victim) : blind(victim);
  if (!frame) return frame;
  if (rng_.chance(0.5)) {
    frame.resize(rng_.below(frame.size()));
  } else {
    corrupt(rng_, frame.data());
  }
  return frame;
}

Frame Attacker::blind(const Victim& victim) {
  const End* end = oracle_.busiest(victim.host);
  if (end == nullptr || !end->is_live() || !end->witness.syn_acked() || end->witness.fin_reached())
    return {};
  const Witness& wire = end->witness;
  const FourTuple& tuple = oracle_.busiest_tuple(victim.host);
  const std::uint32_t window = wire.announced_edge() - wire.last_ack();
  if (window < 64 || window > 1U << 30) return {};

  Craft out = towards(victim);
  out.source = tuple.remote.address;
  out.source_port = tuple.remote.port;
  out.destination_port = tuple.local.port;
  // Never where the next octet is due: that guess would be right. Ahead of it by what cannot be
  // reached meanwhile.
  const std::uint32_t inside =
      wire.last_ack() + window / 2 + static_cast<std::uint32_t>(rng_.below(window / 4));
  const auto outside =
      wire.last_ack() + 0x2000'0000U + static_cast<std::uint32_t>(rng_.below(0x4000'0000));
  out.seq = rng_.chance(0.7) ? inside : outside;
  const bool acceptable_seq = out.seq == inside;
  const std::uint32_t far = 0x3000'0000U + static_cast<std::uint32_t>(rng_.below(0x1000'0000));
  out.ack = rng_.chance(0.5) ? wire.snd_max() + far : wire.snd_max() - far;
  constexpr std::uint8_t kKinds[] = {kRst, kRst | kAck, kSyn,       kSyn | kAck,
                                     kAck, kAck | kPsh, kFin | kAck};
  out.flags = rng_.pick(kKinds);
  if (!acceptable_seq && rng_.chance(0.5)) out.ack = wire.snd_max();
  std::array<std::byte, 64> payload;
  for (std::byte& octet : payload)
    octet = static_cast<std::byte>(rng_.next());
  if ((out.flags & (kRst | kSyn)) == 0 && rng_.chance(0.7)) out.payload = payload;
  std::array<std::byte, 12> option{};
  if (const auto timestamps = wire.last_timestamps_arrived(); timestamps && rng_.chance(0.7)) {
    option = timestamps_option(*timestamps);
    out.options = option;
  }
  return craft(frames_, out);
}

void Attacker::take(Instant now, Frame frame) {
  if (!plan_.answers_neighbors) return;
  const auto [type, at] = ether_type(frame.data());
  if (type == kEtherArp && frame.size() >= at + 28) return answer_arp(now, frame.data(), at);
  const std::optional<Layout> ip = find_ip(frame.data());
  if (ip && ip->protocol == kProtocolIcmpV6 && ip->end >= ip->transport + 24)
    answer_solicitation(now, frame.data(), *ip);
}

void Attacker::answer_arp(Instant now, ByteSpan request, std::size_t at) {
  const IpAddress asked = IpAddress::from_network_v4(&request[at + 24]);
  if (load_be<std::uint16_t>(&request[at + 6]) != 1 || !is_invented(asked)) return;
  Frame reply = frames_.copy(request);
  const MutableByteSpan out = reply.data();
  std::memcpy(&out[0], &request[6], 6);
  std::memcpy(&out[6], mac().octets.data(), 6);
  store_be<std::uint16_t>(&out[at + 6], 2);
  std::memcpy(&out[at + 8], mac().octets.data(), 6);
  std::memcpy(&out[at + 14], &request[at + 24], 4);
  std::memcpy(&out[at + 18], &request[at + 8], 10);
  send(now, std::move(reply));
}

void Attacker::answer_solicitation(Instant now, ByteSpan request, const Layout& layout) {
  const std::size_t icmp = layout.transport;
  const IpAddress asked = IpAddress::from_network_v6(&request[icmp + 8]);
  if (request[icmp] != std::byte{135} || !is_invented(asked)) return;
  Frame reply = frames_.make(icmp + 32);
  const MutableByteSpan out = reply.data();
  std::memcpy(out.data(), request.data(), icmp + 24);
  std::memcpy(&out[0], &request[6], 6);
  std::memcpy(&out[6], mac().octets.data(), 6);
  std::memcpy(&out[layout.ip + 8], &request[icmp + 8], 16);
  std::memcpy(&out[layout.ip + 24], &request[layout.ip + 8], 16);
  out[icmp] = std::byte{136};
  store_be<std::uint32_t>(&out[icmp + 4], 0x6000'0000);  // Solicited, override.
  out[icmp + 24] = std::byte{2};
  out[icmp + 25] = std::byte{1};
  std::memcpy(&out[icmp + 26], mac().octets.data(), 6);
  Layout to = layout;
  fix_lengths(out, to, icmp + 32);
  send(now, std::move(reply));
}

}  // namespace sim
