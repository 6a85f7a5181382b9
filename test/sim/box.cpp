#include "test/sim/box.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "test/sim/box_parts.hpp"
#include "test/sim/mptcp_box.hpp"
#include "test/sim/rng.hpp"

namespace sim {

using box_parts::blank;
using box_parts::field;
using box_parts::flags_of;
using box_parts::for_each_option;
using box_parts::kAckAt;
using box_parts::kFlagsAt;
using box_parts::kSeqAt;
using box_parts::set_field;
using dataplane::load_be;
using dataplane::store_be;

void Box::on_frame(Instant now, Side from, Frame frame) {
  const std::optional<Layout> ip = find_ip(frame.data());
  if (!ip || ip->protocol != kProtocolTcp) return on_other(now, from, std::move(frame));
  const std::optional<Layout> tcp = find_tcp(frame.data());
  if (!tcp || !checksums_match(frame.data(), *tcp)) return;
  on_segment(now, from, std::move(frame), *tcp);
}

namespace {

class OptionDropper final : public Box {
 public:
  OptionDropper(const BoxSpec& spec, FramePool& frames) : Box(frames), spec_(spec) {}

 private:
  void on_segment(Instant now, Side from, Frame frame, Layout layout) override {
    const std::uint8_t flags = flags_of(frame, layout);
    for_each_option(frame, layout, [&](unsigned kind, MutableByteSpan option) {
      if (is_unwanted(kind, flags)) blank(option);
    });
    fix_checksums(frame.data(), layout);
    forward(now, from, std::move(frame));
  }
  bool is_unwanted(unsigned kind, std::uint8_t flags) const {
    switch (spec_.kind) {
      case BoxKind::DropSynOption:
        return (flags & kSyn) != 0 && kind == spec_.parameter;
      case BoxKind::DropSackPermitted:
        return (flags & (kSyn | kAck)) == (kSyn | kAck) && kind == 4;
      default:
        return kind > 5 && kind != 8;
    }
  }
  BoxSpec spec_;
};

class Splitter final : public Box {
 public:
  Splitter(const BoxSpec& spec, FramePool& frames)
      : Box(frames), kind_(spec.kind), limit_(spec.parameter) {}

 private:
  void on_segment(Instant now, Side from, Frame frame, Layout layout) override {
    std::size_t at = 0;
    const std::size_t total = layout.end - layout.payload;
    for (; total - at > limit_; at += limit_) {
      const bool bare =
          kind_ == BoxKind::SplitKeepLast || (kind_ == BoxKind::SplitKeepFirst && at > 0);
      forward(now, from, piece(frame, layout, at, limit_, kFin | kPsh, bare));
    }
    if (at > 0) frame = piece(frame, layout, at, total - at, 0, kind_ == BoxKind::SplitKeepFirst);
    forward(now, from, std::move(frame));
  }
  Frame piece(const Frame& whole, Layout layout, std::size_t at, std::size_t length,
              std::uint8_t without, bool bare) {
    Frame out = frames().copy(whole);
    if (bare) box_parts::blank_mptcp(out, layout);
    const MutableByteSpan octets = out.data();
    std::memmove(&octets[layout.payload], &octets[layout.payload + at], length);
    set_field(out, layout, kSeqAt, field(whole, layout, kSeqAt) + static_cast<std::uint32_t>(at));
    octets[layout.transport + kFlagsAt] &= static_cast<std::byte>(~unsigned{without} & 0xff);
    out.resize(layout.payload + length);
    fix_lengths(out.data(), layout, layout.payload + length);
    return out;
  }
  BoxKind kind_;
  std::size_t limit_;
};

/// Holds one segment per direction for a moment, in case that the next one continues it.
class Merger final : public Box {
 public:
  Merger(const BoxSpec& spec, FramePool& frames)
      : Box(frames), limit_(spec.parameter), keeps_first_(spec.kind == BoxKind::MergeKeepFirst) {}

  Instant next_event() const override { return std::min(held_[0].until, held_[1].until); }
  void run(Instant now) override {
    for (const Side side : {Side::Left, Side::Right})
      if (held(side).until <= now) flush(now, side);
  }

 private:
  static constexpr Duration kPatience = 200us;
  struct Held {
    Frame frame;
    Layout layout;
    Instant until = kNever;
  };
  Held& held(Side side) { return held_[static_cast<std::size_t>(side)]; }

  void on_segment(Instant now, Side from, Frame frame, Layout layout) override {
    Held& before = held(from);
    if (before.frame && merge(before, frame, layout)) return;
    flush(now, from);
    const bool plain = (flags_of(frame, layout) & ~unsigned{kPsh}) == kAck;
    if (!plain || layout.end == layout.payload) return forward(now, from, std::move(frame));
    before.frame = std::move(frame);
    before.layout = layout;
    before.until = now + kPatience;
  }
  void on_other(Instant now, Side from, Frame frame) override {
    flush(now, from);
    forward(now, from, std::move(frame));
  }
  void flush(Instant now, Side side) {
    Held& it = held(side);
    it.until = kNever;
    if (it.frame) forward(now, side, std::move(it.frame));
    it.frame = Frame();
  }
  bool merge(Held& first, const Frame& frame, const Layout& layout) const {
    const std::size_t have = first.layout.end - first.layout.payload,
                      more = layout.end - layout.payload;
    const bool plain = (flags_of(frame, layout) & ~unsigned{kPsh}) == kAck;
    if (!plain || more == 0 || have + more > limit_ || layout.payload != first.layout.payload)
      return false;
    if (first.frame.origin() != frame.origin() || !first.frame.genuine()) return false;
    if (first.layout.end + more > first.frame.capacity()) return false;
    if (ecn_of(first.frame.data(), first.layout) != ecn_of(frame.data(), layout)) return false;
    const std::size_t addresses = layout.ip + (layout.v6 ? 8U : 12U);
    const std::size_t ports_end = layout.transport + 4;
    if (std::memcmp(&first.frame.data()[addresses], &frame.data()[addresses],
                    ports_end - addresses) != 0)
      return false;
    const auto next = field(first.frame, first.layout, kSeqAt) + static_cast<std::uint32_t>(have);
    if (field(frame, layout, kSeqAt) != next) return false;
    // The later header has the later acknowledgment, window and options; the sequence number is the
    // earlier one's, and so are the options for one who does not look at them.
    const std::uint32_t seq = field(first.frame, first.layout, kSeqAt);
    const std::size_t end = first.layout.end;
    first.frame.resize(end + more);
    std::memcpy(&first.frame.data()[layout.transport], &frame.data()[layout.transport],
                keeps_first_ ? kHeader : layout.payload - layout.transport);
    set_field(first.frame, layout, kSeqAt, seq);
    std::memcpy(&first.frame.data()[end], &frame.data()[layout.payload], more);
    fix_lengths(first.frame.data(), first.layout, end + more);
    return true;
  }

  static constexpr std::size_t kHeader = 20;
  std::size_t limit_;
  bool keeps_first_;
  std::array<Held, 2> held_;
};

class SequenceRewriter final : public Box {
 public:
  SequenceRewriter(bool sacks_too, FramePool& frames, Rng rng)
      : Box(frames), sacks_too_(sacks_too), shift_{far(rng), far(rng)} {}

 private:
  /// Far enough from 0 that a forgotten SACK block lies outside of every window.
  static std::uint32_t far(Rng& rng) {
    return static_cast<std::uint32_t>(rng.between(1U << 30, 3U << 30));
  }

  void on_segment(Instant now, Side from, Frame frame, Layout layout) override {
    const std::uint32_t own = shift_[static_cast<std::size_t>(from)];
    const std::uint32_t other = shift_[static_cast<std::size_t>(opposite(from))];
    set_field(frame, layout, kSeqAt, field(frame, layout, kSeqAt) + own);
    if ((flags_of(frame, layout) & kAck) != 0)
      set_field(frame, layout, kAckAt, field(frame, layout, kAckAt) - other);
    if (sacks_too_) {
      for_each_option(frame, layout, [&](unsigned kind, MutableByteSpan option) {
        if (kind != 5) return;
        for (std::size_t at = 2; at + 4 <= option.size(); at += 4)
          store_be(&option[at], load_be<std::uint32_t>(&option[at]) - other);
      });
    }
    fix_checksums(frame.data(), layout);
    forward(now, from, std::move(frame));
  }

  bool sacks_too_;
  std::array<std::uint32_t, 2> shift_;
};

constexpr std::uint8_t kNatOctet = 0x40;
constexpr std::uint16_t kNatPort = 0x1555;

class Nat final : public Box {
 public:
  using Box::Box;

 private:
  /// The third octet of IPv4 and the twelfth of IPv6 tell clients from their translation; the low
  /// 24 bits of an IPv6 address stay, and with them its solicited-node group.
  static void toggle(Frame& frame, std::size_t address, bool v6) {
    frame.data()[address + (v6 ? 11U : 2U)] ^= std::byte{kNatOctet};
  }
  static void toggle_port(Frame& frame, std::size_t at) {
    const auto port = load_be<std::uint16_t>(&frame.data()[at]);
    store_be(&frame.data()[at], static_cast<std::uint16_t>(port ^ kNatPort));
  }
  static void toggle_ip(Frame& frame, Side from, const Layout& layout) {
    const std::size_t source = layout.ip + (layout.v6 ? 8U : 12U);
    const std::size_t client = source + (from == Side::Left ? 0 : (layout.v6 ? 16U : 4U));
    const std::byte first = frame.data()[client];
    if (first != std::byte{0} && first != std::byte{0xff}) toggle(frame, client, layout.v6);
  }

  void on_segment(Instant now, Side from, Frame frame, Layout layout) override {
    toggle_ip(frame, from, layout);
    toggle_port(frame, layout.transport + (from == Side::Left ? 0 : 2));
    fix_checksums(frame.data(), layout);
    forward(now, from, std::move(frame));
  }
  void on_other(Instant now, Side from, Frame frame) override {
    const auto [type, at] = ether_type(frame.data());
    if (type == kEtherArp && frame.size() >= at + 28) {
      const bool announcement = std::memcmp(&frame.data()[at + 14], &frame.data()[at + 24], 4) == 0;
      if (from == Side::Left) toggle(frame, at + 14, false);
      if ((from == Side::Left) == announcement) toggle(frame, at + 24, false);
    } else if (const std::optional<Layout> ip = find_ip(frame.data())) {
      translate_icmp(frame, from, *ip);
    }
    forward(now, from, std::move(frame));
  }
  static void translate_icmp(Frame& frame, Side from, const Layout& layout) {
    toggle_ip(frame, from, layout);
    if (layout.v6 && layout.protocol == kProtocolIcmpV6 && layout.end >= layout.transport + 24) {
      const auto type = static_cast<unsigned>(frame.data()[layout.transport]);
      // Left asks about the server and tells about itself; right asks about the client and tells
      // about itself.
      if ((type == 136 && from == Side::Left) || (type == 135 && from == Side::Right))
        toggle(frame, layout.transport + 8, true);
    }
    fix_checksums(frame.data(), layout);
  }
};

/// What old firewalls and routers do to ECN: to clear what they do not know.
class Bleach final : public Box {
 public:
  Bleach(std::uint32_t from, FramePool& frames) : Box(frames), from_(from) {}

 private:
  void on_segment(Instant now, Side from, Frame frame, Layout layout) override {
    if ((from_ & kBleachIp) != 0) set_ecn(frame.data(), layout, kNotEct);
    const std::uint8_t flags = flags_of(frame, layout);
    const std::uint32_t what = (flags & kSyn) == 0   ? kBleachLater
                               : (flags & kAck) == 0 ? kBleachSyn
                                                     : kBleachSynAck;
    if ((from_ & what) != 0) {
      frame.data()[layout.transport + kFlagsAt] &= static_cast<std::byte>(~(kEce | kCwr) & 0xff);
      fix_checksums(frame.data(), layout);
    }
    forward(now, from, std::move(frame));
  }
  std::uint32_t from_;
};

/// A router with a narrow link behind it (RFC 1191, RFC 8201).
class Narrow final : public Box {
 public:
  Narrow(std::size_t mtu, bool is_silent, FramePool& frames)
      : Box(frames), mtu_(mtu), is_silent_(is_silent) {}

 private:
  void on_segment(Instant now, Side from, Frame frame, Layout layout) override {
    if (layout.end - layout.ip <= mtu_) return forward(now, from, std::move(frame));
    if (is_silent_) return;
    forward(now, opposite(from), layout.v6 ? too_big_v6(frame, layout) : too_big_v4(frame, layout));
  }
  Frame reply(const Frame& to, const Layout& layout, std::size_t header, std::size_t quote) {
    Frame out = frames().make(layout.ip + header + 8 + quote);
    const MutableByteSpan o = out.data();
    const ByteSpan in = to.data();
    std::memcpy(o.data(), in.data(), layout.ip);
    std::memcpy(&o[0], &in[6], 6);
    std::memcpy(&o[6], &in[0], 6);
    std::memset(&o[layout.ip], 0, header + 8);
    std::memcpy(&o[layout.ip + header + 8], &in[layout.ip], quote);
    return out;
  }
  Frame too_big_v4(const Frame& frame, const Layout& layout) {
    const std::size_t quote = std::min<std::size_t>(layout.end - layout.ip, 28 + 20);
    Frame out = reply(frame, layout, 20, quote);
    std::byte* ip = &out.data()[layout.ip];
    ip[0] = std::byte{0x45};
    ip[8] = std::byte{64};
    ip[9] = std::byte{kProtocolIcmp};
    std::memcpy(ip + 12, &frame.data()[layout.ip + 16], 4);
    std::memcpy(ip + 16, &frame.data()[layout.ip + 12], 4);
    ip[20] = std::byte{3};
    ip[21] = std::byte{4};
    store_be(ip + 26, static_cast<std::uint16_t>(mtu_));
    return finish(std::move(out), layout.ip, layout.ip + 20, false);
  }
  Frame too_big_v6(const Frame& frame, const Layout& layout) {
    const std::size_t quote = std::min<std::size_t>(layout.end - layout.ip, 1232);
    Frame out = reply(frame, layout, 40, quote);
    std::byte* ip = &out.data()[layout.ip];
    ip[0] = std::byte{0x60};
    ip[6] = std::byte{kProtocolIcmpV6};
    ip[7] = std::byte{64};
    std::memcpy(ip + 8, &frame.data()[layout.ip + 24], 16);
    std::memcpy(ip + 24, &frame.data()[layout.ip + 8], 16);
    ip[40] = std::byte{2};
    store_be(ip + 44, static_cast<std::uint32_t>(mtu_));
    return finish(std::move(out), layout.ip, layout.ip + 40, true);
  }
  static Frame finish(Frame out, std::size_t ip, std::size_t transport, bool v6) {
    Layout layout;
    layout.v6 = v6;
    layout.protocol = v6 ? kProtocolIcmpV6 : kProtocolIcmp;
    layout.ip = ip;
    layout.transport = layout.payload = transport;
    fix_lengths(out.data(), layout, out.size());
    return out;
  }

  std::size_t mtu_;
  bool is_silent_;
};

}  // namespace

std::string_view name_of(BoxKind kind) {
  switch (kind) {
    case BoxKind::StripUnknownOptions:
      return "strip-unknown-options";
    case BoxKind::DropSynOption:
      return "drop-syn-option";
    case BoxKind::DropSackPermitted:
      return "drop-sack-permitted";
    case BoxKind::Split:
      return "split";
    case BoxKind::Merge:
      return "merge";
    case BoxKind::RewriteSequence:
      return "rewrite-sequence";
    case BoxKind::RewriteSequenceOnly:
      return "rewrite-sequence-only";
    case BoxKind::Nat:
      return "nat";
    case BoxKind::Bleach:
      return "bleach";
    case BoxKind::Narrow:
      return "narrow";
    case BoxKind::BlackHole:
      return "black-hole";
    case BoxKind::StripMptcp:
      return "strip-mptcp";
    case BoxKind::StripMptcpLater:
      return "strip-mptcp-later";
    case BoxKind::SplitKeepFirst:
      return "split-keep-first";
    case BoxKind::SplitKeepLast:
      return "split-keep-last";
    case BoxKind::MergeKeepFirst:
      return "merge-keep-first";
    case BoxKind::RefuseJoins:
      return "refuse-joins";
    case BoxKind::AlterPayload:
      return "alter-payload";
  }
  return "?";
}

std::unique_ptr<Box> make_box(const BoxSpec& spec, FramePool& frames, std::uint64_t seed) {
  switch (spec.kind) {
    case BoxKind::StripUnknownOptions:
    case BoxKind::DropSynOption:
    case BoxKind::DropSackPermitted:
      return std::make_unique<OptionDropper>(spec, frames);
    case BoxKind::Split:
    case BoxKind::SplitKeepFirst:
    case BoxKind::SplitKeepLast:
      return std::make_unique<Splitter>(spec, frames);
    case BoxKind::Merge:
    case BoxKind::MergeKeepFirst:
      return std::make_unique<Merger>(spec, frames);
    case BoxKind::RewriteSequence:
      return std::make_unique<SequenceRewriter>(true, frames, Rng(seed));
    case BoxKind::RewriteSequenceOnly:
      return std::make_unique<SequenceRewriter>(false, frames, Rng(seed));
    case BoxKind::Nat:
      return std::make_unique<Nat>(frames);
    case BoxKind::Bleach:
      return std::make_unique<Bleach>(spec.parameter, frames);
    case BoxKind::Narrow:
    case BoxKind::BlackHole:
      return std::make_unique<Narrow>(spec.parameter, spec.kind == BoxKind::BlackHole, frames);
    case BoxKind::StripMptcp:
    case BoxKind::StripMptcpLater:
    case BoxKind::RefuseJoins:
    case BoxKind::AlterPayload:
      return make_mptcp_box(spec, frames);
  }
  return nullptr;
}

IpAddress nat_address(const IpAddress& client) {
  IpAddress::Octets octets = client.octets();
  octets[client.is_v4() ? 14 : 11] ^= kNatOctet;
  return client.is_v4()
             ? IpAddress::v4(load_be<std::uint32_t>(std::as_bytes(std::span(octets)).data() + 12))
             : IpAddress::v6(octets);
}

}  // namespace sim
