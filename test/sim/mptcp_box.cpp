#include "test/sim/mptcp_box.hpp"

#include <cstring>

#include "test/sim/box_parts.hpp"

namespace sim {
namespace {

using box_parts::blank_mptcp;
using box_parts::flags_of;

class MptcpStripper final : public Box {
 public:
  MptcpStripper(const BoxSpec& spec, FramePool& frames) : Box(frames), spec_(spec) {}

 private:
  void on_segment(Instant now, Side from, Frame frame, Layout layout) override {
    if (is_unwanted(flags_of(frame, layout), layout)) {
      blank_mptcp(frame, layout);
      fix_checksums(frame.data(), layout);
    }
    forward(now, from, std::move(frame));
  }
  bool is_unwanted(std::uint8_t flags, const Layout& layout) {
    if (spec_.kind == BoxKind::StripMptcpLater) {
      if (layout.end > layout.payload) ++with_payload_;
      return with_payload_ > spec_.parameter;
    }
    const bool syn = (flags & kSyn) != 0;
    const std::uint32_t stage = !syn ? kStripLater : (flags & kAck) != 0 ? kStripSynAck : kStripSyn;
    return (spec_.parameter & stage) != 0;
  }

  BoxSpec spec_;
  std::uint32_t with_payload_ = 0;
};

class JoinRefuser final : public Box {
 public:
  JoinRefuser(bool resets, FramePool& frames) : Box(frames), resets_(resets) {}

 private:
  void on_segment(Instant now, Side from, Frame frame, Layout layout) override {
    bool join = false;
    box_parts::for_each_option(frame, layout, [&](unsigned kind, MutableByteSpan option) {
      join = join || (kind == box_parts::kMptcp && option.size() > 2 &&
                      static_cast<unsigned>(option[2]) >> 4 == 1);
    });
    const bool syn = (flags_of(frame, layout) & (kSyn | kAck)) == kSyn;
    if (!syn || !join) return forward(now, from, std::move(frame));
    if (resets_) forward(now, opposite(from), reset_for(frame, layout));
  }
  /// As if the host that the SYN was for had refused it (RFC 9293 §3.10.7.1).
  Frame reset_for(const Frame& syn, const Layout& layout) {
    const Segment seen = decode(syn.data(), layout);
    Craft out;
    std::memcpy(out.source_mac.octets.data(), syn.data().data(), 6);
    std::memcpy(out.destination_mac.octets.data(), syn.data().data() + 6, 6);
    out.source = seen.destination;
    out.destination = seen.source;
    out.source_port = seen.destination_port;
    out.destination_port = seen.source_port;
    out.ack = seen.seq + seen.length();
    out.flags = kRst | kAck;
    return craft(frames(), out);
  }

  bool resets_;
};

class PayloadAlterer final : public Box {
 public:
  PayloadAlterer(std::uint32_t each, FramePool& frames) : Box(frames), each_(each) {}

 private:
  void on_segment(Instant now, Side from, Frame frame, Layout layout) override {
    const std::size_t octets = layout.end - layout.payload;
    if (octets != 0 && ++seen_ % each_ == 0) {
      frame.data()[layout.payload + octets / 2] ^= std::byte{0x20};
      fix_checksums(frame.data(), layout);
    }
    forward(now, from, std::move(frame));
  }

  std::uint32_t each_;
  std::uint32_t seen_ = 0;
};

}  // namespace

std::unique_ptr<Box> make_mptcp_box(const BoxSpec& spec, FramePool& frames) {
  if (spec.kind == BoxKind::RefuseJoins)
    return std::make_unique<JoinRefuser>(spec.parameter != 0, frames);
  if (spec.kind == BoxKind::AlterPayload)
    return std::make_unique<PayloadAlterer>(spec.parameter, frames);
  return std::make_unique<MptcpStripper>(spec, frames);
}

}  // namespace sim
