#include "test/sim/frame.hpp"

#include <cstring>

#include <fmt/format.h>

namespace sim {

using dataplane::load_be;
using dataplane::store_be;

Frame FramePool::make(std::size_t size) {
  ASSERT(size <= capacity_);
  if (free_.empty()) {
    auto slot = std::make_unique<Frame::Slot>();
    slot->octets = std::make_unique<std::byte[]>(capacity_);
    slot->capacity = static_cast<std::uint32_t>(capacity_);
    slot->pool = this;
    free_.push_back(slot.get());
    slots_.push_back(std::move(slot));
  }
  Frame::Slot* slot = free_.back();
  free_.pop_back();
  slot->size = static_cast<std::uint32_t>(size);
  slot->origin = Origin::Host;
  slot->damaged = false;
  return Frame(slot);
}

Frame FramePool::copy(ByteSpan octets) {
  Frame frame = make(octets.size());
  std::memcpy(frame.data().data(), octets.data(), octets.size());
  return frame;
}

Frame FramePool::copy(const Frame& other) {
  Frame frame = copy(other.data());
  frame.slot_->origin = other.slot_->origin;
  frame.slot_->damaged = other.slot_->damaged;
  return frame;
}

std::pair<std::uint16_t, std::size_t> ether_type(ByteSpan frame) {
  if (frame.size() < 14) return {0, frame.size()};
  std::size_t at = 12;
  auto type = load_be<std::uint16_t>(&frame[at]);
  if (type == kEtherVlan && frame.size() >= 18) {
    at += 4;
    type = load_be<std::uint16_t>(&frame[at]);
  }
  return {type, at + 2};
}

namespace {

std::optional<Layout> find_ipv4(ByteSpan frame, std::size_t ip) {
  if (frame.size() < ip + 20) return {};
  const auto first = static_cast<unsigned>(frame[ip]);
  const std::size_t header = (first & 0xf) * 4UL;
  const std::size_t total = load_be<std::uint16_t>(&frame[ip + 2]);
  if (first >> 4 != 4 || header < 20 || total < header || frame.size() < ip + total) return {};
  Layout out;
  out.ip = ip;
  out.protocol = static_cast<std::uint8_t>(frame[ip + 9]);
  out.transport = out.payload = ip + header;
  out.end = ip + total;
  return out;
}

std::optional<Layout> find_ipv6(ByteSpan frame, std::size_t ip) {
  if (frame.size() < ip + 40 || static_cast<unsigned>(frame[ip]) >> 4 != 6) return {};
  Layout out;
  out.v6 = true;
  out.ip = ip;
  out.protocol = static_cast<std::uint8_t>(frame[ip + 6]);
  out.transport = out.payload = ip + 40;
  out.end = out.transport + load_be<std::uint16_t>(&frame[ip + 4]);
  if (frame.size() < out.end) return {};
  return out;
}

}  // namespace

std::optional<Layout> find_ip(ByteSpan frame) {
  const auto [type, at] = ether_type(frame);
  if (type == kEtherIpv4) return find_ipv4(frame, at);
  if (type == kEtherIpv6) return find_ipv6(frame, at);
  return {};
}

std::optional<Layout> find_tcp(ByteSpan frame) {
  std::optional<Layout> out = find_ip(frame);
  if (!out || out->protocol != kProtocolTcp || out->end < out->transport + 20) return {};
  const std::size_t header = (static_cast<std::size_t>(frame[out->transport + 12]) >> 4) * 4;
  if (header < 20 || out->transport + header > out->end) return {};
  out->payload = out->transport + header;
  return out;
}

bool is_neighbor_traffic(ByteSpan frame) {
  if (ether_type(frame).first == kEtherArp) return true;
  const std::optional<Layout> ip = find_ip(frame);
  if (!ip || ip->protocol != kProtocolIcmpV6 || ip->end <= ip->transport) return false;
  const auto type = static_cast<unsigned>(frame[ip->transport]);
  return type >= 133 && type <= 137;  // RFC 4861 §4
}

namespace {

void decode_options(ByteSpan options, Segment& out) {
  std::size_t at = 0;
  while (at < options.size()) {
    const auto kind = static_cast<unsigned>(options[at]);
    if (kind == 0) return;
    if (kind == 1) {
      ++at;
      continue;
    }
    const std::size_t length =
        at + 1 < options.size() ? static_cast<std::size_t>(options[at + 1]) : 0;
    if (length < 2 || at + length > options.size()) {
      out.options_ok = false;
      return;
    }
    const std::byte* value = &options[at + 2 - (length == 2 ? 1 : 0)];
    if (kind == 2 && length == 4) out.mss = load_be<std::uint16_t>(value);
    if (kind == 3 && length == 3) out.window_scale = static_cast<std::uint8_t>(*value);
    if (kind == 4 && length == 2) out.sack_permitted = true;
    if (kind == 30) out.mptcp = true;
    if (kind == 8 && length == 10)
      out.timestamps = Timestamps{load_be<std::uint32_t>(value), load_be<std::uint32_t>(value + 4)};
    if (kind == 5 && length >= 10 && (length - 2) % 8 == 0) {
      out.sack_count = (length - 2) / 8;
      for (std::size_t i = 0; i < out.sack_count; ++i)
        out.sacks[i] = {load_be<std::uint32_t>(value + i * 8),
                        load_be<std::uint32_t>(value + i * 8 + 4)};
    }
    at += length;
  }
}

}  // namespace

std::uint8_t ecn_of(ByteSpan frame, const Layout& layout) {
  const auto octet = static_cast<unsigned>(frame[layout.ip + 1]);
  return static_cast<std::uint8_t>((layout.v6 ? octet >> 4 : octet) & 3);
}

void set_ecn(MutableByteSpan frame, const Layout& layout, std::uint8_t ecn) {
  std::byte* const ip = &frame[layout.ip];
  const unsigned shift = layout.v6 ? 4 : 0;
  const auto before = load_be<std::uint16_t>(ip);
  ip[1] = (ip[1] & static_cast<std::byte>(~(3U << shift))) | static_cast<std::byte>(ecn << shift);
  if (layout.v6) return;
  const auto after = load_be<std::uint16_t>(ip);
  std::uint32_t sum = static_cast<std::uint16_t>(~load_be<std::uint16_t>(ip + 10));
  sum += static_cast<std::uint16_t>(~before);
  sum += after;
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  store_be(ip + 10, static_cast<std::uint16_t>(~sum));
}

Segment decode(ByteSpan frame, const Layout& layout) {
  Segment out;
  out.ecn = ecn_of(frame, layout);
  const std::byte* ip = &frame[layout.ip];
  if (layout.v6) {
    out.source = IpAddress::from_network_v6(ip + 8);
    out.destination = IpAddress::from_network_v6(ip + 24);
  } else {
    out.source = IpAddress::from_network_v4(ip + 12);
    out.destination = IpAddress::from_network_v4(ip + 16);
  }
  const std::byte* tcp = &frame[layout.transport];
  out.source_port = load_be<std::uint16_t>(tcp);
  out.destination_port = load_be<std::uint16_t>(tcp + 2);
  out.seq = load_be<std::uint32_t>(tcp + 4);
  out.ack = load_be<std::uint32_t>(tcp + 8);
  out.reserved = static_cast<std::uint8_t>(tcp[12]) & 0xf;
  out.flags = static_cast<std::uint8_t>(tcp[13]);
  out.window = load_be<std::uint16_t>(tcp + 14);
  out.urgent = load_be<std::uint16_t>(tcp + 18);
  out.options_length = layout.payload - layout.transport - 20;
  decode_options(frame.subspan(layout.transport + 20, out.options_length), out);
  out.payload = frame.subspan(layout.payload, layout.end - layout.payload);
  return out;
}

std::uint64_t checksum_add(std::uint64_t sum, ByteSpan octets) {
  // Native words: the sum is the same in either byte order but for a swap at the end (RFC 1071 §2).
  const std::byte* at = octets.data();
  std::size_t left = octets.size();
  std::uint64_t word = 0;
  for (; left >= 8; left -= 8, at += 8) {
    std::memcpy(&word, at, 8);
    sum += word;
    sum += sum < word ? 1 : 0;
  }
  if (left == 0) return sum;
  word = 0;
  std::memcpy(&word, at, left);
  sum += word;
  sum += sum < word ? 1 : 0;
  return sum;
}

std::uint16_t checksum_finish(std::uint64_t sum) {
  while (sum >> 16 != 0)
    sum = (sum & 0xffff) + (sum >> 16);
  return __builtin_bswap16(static_cast<std::uint16_t>(~sum));
}

namespace {

/// Octet of the checksum within its transport header, if this protocol has one here.
std::optional<std::size_t> checksum_offset(const Layout& layout) {
  if (layout.protocol == kProtocolTcp) return 16;
  if (layout.protocol == kProtocolIcmpV6 || layout.protocol == kProtocolIcmp) return 2;
  return {};
}

std::uint64_t transport_sum(ByteSpan frame, const Layout& layout) {
  const std::size_t length = layout.end - layout.transport;
  std::uint64_t sum = 0;
  if (layout.protocol != kProtocolIcmp) {
    sum = layout.v6 ? checksum_add(0, frame.subspan(layout.ip + 8, 32))
                    : checksum_add(0, frame.subspan(layout.ip + 12, 8));
    sum += __builtin_bswap16(static_cast<std::uint16_t>(length));
    sum += __builtin_bswap16(static_cast<std::uint16_t>(layout.protocol));
  }
  // The header is even in length, so the parts may be summed apart.
  return checksum_add(sum, frame.subspan(layout.transport, length));
}

}  // namespace

bool checksums_match(ByteSpan frame, const Layout& layout) {
  if (!layout.v6) {
    const ByteSpan header = frame.subspan(layout.ip, layout.transport - layout.ip);
    if (checksum_finish(checksum_add(0, header)) != 0) return false;
  }
  return !checksum_offset(layout) || checksum_finish(transport_sum(frame, layout)) == 0;
}

void fix_checksums(MutableByteSpan frame, const Layout& layout) {
  if (!layout.v6) {
    std::byte* at = &frame[layout.ip + 10];
    store_be<std::uint16_t>(at, 0);
    const ByteSpan header = frame.subspan(layout.ip, layout.transport - layout.ip);
    store_be<std::uint16_t>(at, checksum_finish(checksum_add(0, header)));
  }
  if (const std::optional<std::size_t> offset = checksum_offset(layout)) {
    std::byte* at = &frame[layout.transport + *offset];
    store_be<std::uint16_t>(at, 0);
    store_be<std::uint16_t>(at, checksum_finish(transport_sum(frame, layout)));
  }
}

void fix_lengths(MutableByteSpan frame, Layout& layout, std::size_t end) {
  layout.end = end;
  if (layout.v6) {
    store_be(&frame[layout.ip + 4], static_cast<std::uint16_t>(end - layout.transport));
  } else {
    store_be(&frame[layout.ip + 2], static_cast<std::uint16_t>(end - layout.ip));
  }
  fix_checksums(frame, layout);
}

namespace {

std::string describe_tcp(ByteSpan frame, const Layout& layout) {
  const Segment s = decode(frame, layout);
  std::string flags;
  constexpr std::string_view kLetters = "FSRPAUEW";
  for (unsigned bit = 0; bit < 8; ++bit)
    if (s.has(static_cast<std::uint8_t>(1U << bit))) flags += kLetters[bit];
  std::string out = fmt::format("{} > {} [{}] seq={} ack={} win={} len={}",
                                dataplane::Endpoint{s.source, s.source_port}.to_string(),
                                dataplane::Endpoint{s.destination, s.destination_port}.to_string(),
                                flags, s.seq, s.ack, s.window, s.payload.size());
  if (s.ecn != kNotEct) out += s.ecn == kCe ? " CE" : " ECT";
  if (s.mss) out += fmt::format(" mss {}", *s.mss);
  if (s.window_scale) out += fmt::format(" wscale {}", *s.window_scale);
  if (s.sack_permitted) out += " sackOK";
  if (s.timestamps) out += fmt::format(" TS {} {}", s.timestamps->value, s.timestamps->echo);
  for (std::size_t i = 0; i < s.sack_count; ++i)
    out += fmt::format(" sack {}..{}", s.sacks[i].first, s.sacks[i].second);
  if (!s.options_ok) out += " bad options";
  if (!checksums_match(frame, layout)) out += " BAD CHECKSUM";
  return out;
}

}  // namespace

std::string describe(ByteSpan frame) {
  if (const std::optional<Layout> tcp = find_tcp(frame)) return describe_tcp(frame, *tcp);
  const auto [type, at] = ether_type(frame);
  if (type == kEtherArp && frame.size() >= at + 28) {
    return fmt::format("ARP {} {} tells {}",
                       load_be<std::uint16_t>(&frame[at + 6]) == 1 ? "who has" : "reply",
                       IpAddress::from_network_v4(&frame[at + 24]).to_string(),
                       IpAddress::from_network_v4(&frame[at + 14]).to_string());
  }
  if (const std::optional<Layout> ip = find_ip(frame)) {
    const auto kind = ip->end > ip->transport ? static_cast<unsigned>(frame[ip->transport]) : 0U;
    return fmt::format("IPv{} protocol {} type {} length {}", ip->v6 ? 6 : 4, ip->protocol, kind,
                       ip->end - ip->transport);
  }
  return fmt::format("EtherType {:#06x}, {} octets", type, frame.size());
}

Frame craft(FramePool& pool, const Craft& segment) {
  const bool v6 = segment.source.is_v6();
  Layout layout;
  layout.v6 = v6;
  layout.protocol = kProtocolTcp;
  layout.ip = 14;
  layout.transport = layout.ip + (v6 ? 40U : 20U);
  layout.payload = layout.transport + 20 + segment.options.size();
  layout.end = layout.payload + segment.payload.size();
  Frame frame = pool.make(layout.end);
  const MutableByteSpan out = frame.data();
  dataplane::Writer write(out);
  write.bytes(std::as_bytes(std::span(segment.destination_mac.octets)));
  write.bytes(std::as_bytes(std::span(segment.source_mac.octets)));
  if (v6) {
    write.u16(kEtherIpv6);
    write.u32(0x6000'0000);
    write.u16(0);
    write.u8(kProtocolTcp);
    write.u8(64);
  } else {
    write.u16(kEtherIpv4);
    write.u32(0x4500'0000);
    write.u32(0x0000'4000);  // Do not fragment.
    write.u8(64);
    write.u8(kProtocolTcp);
    write.u16(0);
  }
  write.bytes(segment.source.network_bytes());
  write.bytes(segment.destination.network_bytes());
  write.u16(segment.source_port);
  write.u16(segment.destination_port);
  write.u32(segment.seq);
  write.u32(segment.ack);
  write.u8(static_cast<std::uint8_t>((5 + segment.options.size() / 4) << 4));
  write.u8(segment.flags);
  write.u16(segment.window);
  write.u32(0);
  write.bytes(segment.options);
  write.bytes(segment.payload);
  fix_lengths(out, layout, layout.end);
  return frame;
}

}  // namespace sim
