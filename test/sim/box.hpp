#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "test/sim/world.hpp"

namespace sim {

/// The two ends of a path: clients stand on the left, the server on the right.
enum class Side : std::uint8_t { Left, Right };
constexpr Side opposite(Side side) { return side == Side::Left ? Side::Right : Side::Left; }

/// Something in the middle of the path that does not leave segments alone. It forwards at once
/// unless it says otherwise.
class Box : public Actor {
 public:
  explicit Box(FramePool& frames)
      : frames_(frames), left_(*this, Side::Left), right_(*this, Side::Right) {}

  /// Where frames from one side come in.
  FrameSink& entry(Side from) { return from == Side::Left ? left_ : right_; }
  /// Where frames for one side go on to.
  void connect(Side to, FrameSink& sink) { (to == Side::Left ? to_left_ : to_right_) = &sink; }

  Instant next_event() const override { return kNever; }
  void run(Instant) override {}

 protected:
  /// A whole TCP segment with right checksums.
  virtual void on_segment(Instant now, Side from, Frame frame, Layout layout) = 0;
  /// Anything else that is not TCP.
  virtual void on_other(Instant now, Side from, Frame frame) {
    forward(now, from, std::move(frame));
  }
  void forward(Instant now, Side from, Frame frame) {
    (from == Side::Left ? to_right_ : to_left_)->take(now, std::move(frame));
  }
  FramePool& frames() { return frames_; }

 private:
  class Port final : public FrameSink {
   public:
    Port(Box& box, Side side) : box_(box), side_(side) {}
    void take(Instant now, Frame frame) override { box_.on_frame(now, side_, std::move(frame)); }

   private:
    Box& box_;
    Side side_;
  };
  /// Damaged segments end here: to rewrite one would give it a checksum that is right.
  void on_frame(Instant now, Side from, Frame frame);

  FramePool& frames_;
  Port left_;
  Port right_;
  FrameSink* to_left_ = nullptr;
  FrameSink* to_right_ = nullptr;
};

enum class BoxKind : std::uint8_t {
  StripUnknownOptions,  ///< Every option but those of RFC 9293, RFC 7323 and RFC 2018.
  DropSynOption,        ///< One kind (`parameter`), from every SYN.
  DropSackPermitted,    ///< From the SYN-ACK only: one side believes in SACK, the other does not.
  Split,                ///< Payload of more than `parameter` octets goes in several segments.
  Merge,                ///< Adjacent segments become one of at most `parameter` octets of payload.
  RewriteSequence,      ///< Constant offsets, also in SACK blocks.
  RewriteSequenceOnly,  ///< The same, but SACK blocks are forgotten, as some firewalls do.
  Nat,                  ///< The clients' addresses and ports are others on the right.
  Bleach,               ///< ECN is taken away from what `parameter` names: a sum of BleachFrom.
  Narrow,               ///< Packets of more than `parameter` octets are answered by ICMP.
  BlackHole,            ///< The same, but nobody says anything.

  // What only MPTCP would notice (RFC 8684 §6).
  StripMptcp,       ///< Kind 30, from the segments that `parameter` names: a sum of StripFrom.
  StripMptcpLater,  ///< Kind 30, from every segment behind the first `parameter` with payload.
  SplitKeepFirst,   ///< As Split, but only the first piece keeps kind 30.
  SplitKeepLast,    ///< As Split, but only the last piece keeps kind 30.
  MergeKeepFirst,   ///< As Merge, but with the options of the earlier segment.
  RefuseJoins,      ///< A SYN with MP_JOIN is dropped, or reset where `parameter` is not 0.

  // What TCP alone cannot bear.
  AlterPayload,  ///< One octet of each `parameter`-th segment with payload, checksums made right.
};

/// For BoxKind::StripMptcp.
enum StripFrom : std::uint32_t { kStripSyn = 1, kStripSynAck = 2, kStripLater = 4 };

/// For BoxKind::Bleach: the field in IP; ECE and CWR in SYNs, in SYN-ACKs and behind them.
enum BleachFrom : std::uint32_t {
  kBleachIp = 1,
  kBleachSyn = 2,
  kBleachSynAck = 4,
  kBleachLater = 8
};

std::string_view name_of(BoxKind kind);

struct BoxSpec {
  BoxKind kind{};
  std::uint32_t parameter = 0;
};

std::unique_ptr<Box> make_box(const BoxSpec& spec, FramePool& frames, std::uint64_t seed);

/// How the server sees a client's address behind BoxKind::Nat.
IpAddress nat_address(const IpAddress& client);

}  // namespace sim
