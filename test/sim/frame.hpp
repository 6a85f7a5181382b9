#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/base/address.hpp"
#include "dataplane/base/byte_io.hpp"

namespace sim {

using dataplane::ByteSpan;
using dataplane::IpAddress;
using dataplane::MacAddress;
using dataplane::MutableByteSpan;

class FramePool;

/// Who made a frame. A host's frames are genuine until a link damages them.
enum class Origin : std::uint8_t { Host, Attacker };

/// The sole owner of one frame on its way between two hosts.
class Frame {
 public:
  Frame() = default;
  Frame(Frame&& other) noexcept : slot_(std::exchange(other.slot_, nullptr)) {}
  Frame& operator=(Frame&& other) noexcept {
    std::swap(slot_, other.slot_);
    return *this;
  }
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;
  inline ~Frame();

  explicit operator bool() const { return slot_ != nullptr; }
  ByteSpan data() const { return {slot_->octets.get(), slot_->size}; }
  MutableByteSpan data() { return {slot_->octets.get(), slot_->size}; }
  std::size_t size() const { return slot_->size; }
  void resize(std::size_t size) {
    ASSERT(size <= slot_->capacity);
    slot_->size = static_cast<std::uint32_t>(size);
  }
  std::size_t capacity() const { return slot_->capacity; }

  /// Whether the receiver may believe it: made by a host and not damaged in a way that a checksum
  /// catches.
  bool genuine() const { return slot_->origin == Origin::Host && !slot_->damaged; }
  Origin origin() const { return slot_->origin; }
  void set_origin(Origin origin) { slot_->origin = origin; }
  void set_damaged() { slot_->damaged = true; }

 private:
  friend class FramePool;
  struct Slot {
    std::unique_ptr<std::byte[]> octets;
    std::uint32_t size = 0;
    std::uint32_t capacity = 0;
    Origin origin = Origin::Host;
    bool damaged = false;
    FramePool* pool = nullptr;
  };
  explicit Frame(Slot* slot) : slot_(slot) {}
  Slot* slot_ = nullptr;
};

/// Memory of frames, reused last in first out; grows to what is in flight at once.
class FramePool {
 public:
  /// No frame is longer than `capacity` octets.
  explicit FramePool(std::size_t capacity) : capacity_(capacity) {}
  FramePool(const FramePool&) = delete;
  FramePool& operator=(const FramePool&) = delete;

  Frame make(std::size_t size);
  Frame copy(ByteSpan octets);
  Frame copy(const Frame& other);
  std::size_t in_use() const { return slots_.size() - free_.size(); }

 private:
  friend class Frame;
  std::size_t capacity_;
  std::vector<std::unique_ptr<Frame::Slot>> slots_;
  std::vector<Frame::Slot*> free_;
};

inline Frame::~Frame() {
  if (slot_ != nullptr) slot_->pool->free_.push_back(slot_);
}

/// Where the parts of a frame lie. All offsets are from the front of the frame.
struct Layout {
  bool v6 = false;
  std::uint8_t protocol = 0;
  std::size_t ip = 0;
  std::size_t transport =
      0;                    ///< Behind all IPv4 options; IPv6 extension headers are not made here.
  std::size_t payload = 0;  ///< TCP only: behind the options.
  std::size_t end = 0;      ///< Where the IP packet ends; link padding may follow.
};

inline constexpr std::uint8_t kFin = 0x01, kSyn = 0x02, kRst = 0x04, kPsh = 0x08, kAck = 0x10,
                              kUrg = 0x20, kEce = 0x40, kCwr = 0x80;
/// The ECN field of the IP header (RFC 3168 §5).
inline constexpr std::uint8_t kNotEct = 0, kEct1 = 1, kEct0 = 2, kCe = 3;
inline constexpr std::uint8_t kProtocolIcmp = 1, kProtocolTcp = 6, kProtocolIcmpV6 = 58;
inline constexpr std::uint16_t kEtherIpv4 = 0x0800, kEtherArp = 0x0806, kEtherVlan = 0x8100,
                               kEtherIpv6 = 0x86dd;

/// EtherType behind a VLAN tag, if any, and the octets before the network header.
std::pair<std::uint16_t, std::size_t> ether_type(ByteSpan frame);
/// The parts of an IP packet; nothing if a length contradicts the octets.
std::optional<Layout> find_ip(ByteSpan frame);
/// The same for TCP only.
std::optional<Layout> find_tcp(ByteSpan frame);
std::uint8_t ecn_of(ByteSpan frame, const Layout& layout);
/// A checksum that is right stays right, and one that is wrong stays wrong (RFC 1624 §3).
void set_ecn(MutableByteSpan frame, const Layout& layout, std::uint8_t ecn);
/// ARP, or Neighbor Discovery: what a link must carry before any segment.
bool is_neighbor_traffic(ByteSpan frame);

struct Timestamps {
  std::uint32_t value = 0;
  std::uint32_t echo = 0;
};

/// A segment as it is seen on the wire, decoded by code that shares nothing with the stack under
/// test.
struct Segment {
  IpAddress source;
  IpAddress destination;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint32_t seq = 0;
  std::uint32_t ack = 0;
  std::uint8_t flags = 0;
  std::uint8_t ecn = kNotEct;
  std::uint8_t reserved = 0;  ///< The four bits behind the data offset.
  std::uint16_t window = 0;
  std::uint16_t urgent = 0;

  bool options_ok = true;
  std::size_t options_length = 0;
  std::optional<std::uint16_t> mss;
  std::optional<std::uint8_t> window_scale;
  bool sack_permitted = false;
  bool mptcp = false;  ///< Kind 30 is among them.
  std::optional<Timestamps> timestamps;
  std::array<std::pair<std::uint32_t, std::uint32_t>, 4> sacks{};
  std::size_t sack_count = 0;

  ByteSpan payload;

  bool has(std::uint8_t flag) const { return (flags & flag) != 0; }
  /// SEG.LEN (RFC 9293 §3.4).
  std::uint32_t length() const {
    return static_cast<std::uint32_t>(payload.size()) + (has(kSyn) ? 1U : 0U) +
           (has(kFin) ? 1U : 0U);
  }
};
Segment decode(ByteSpan frame, const Layout& layout);

/// The one's complement sum of RFC 1071, not yet folded and not inverted.
std::uint64_t checksum_add(std::uint64_t sum, ByteSpan octets);
std::uint16_t checksum_finish(std::uint64_t sum);
/// Whether the IPv4 header's checksum and that of TCP or ICMPv6 match.
bool checksums_match(ByteSpan frame, const Layout& layout);
/// Writes both checksums anew.
void fix_checksums(MutableByteSpan frame, const Layout& layout);
/// After the frame's end moved: writes the IP length fields, then the checksums.
void fix_lengths(MutableByteSpan frame, Layout& layout, std::size_t end);

/// One line, such as "10.0.0.1:80 > 10.0.0.2:4000 [SA] seq=1 ack=2 win=3 len=4 <mss 1460>".
std::string describe(ByteSpan frame);

/// What a crafted segment starts from; the options are raw and padded by the caller.
struct Craft {
  MacAddress source_mac;
  MacAddress destination_mac;
  IpAddress source;
  IpAddress destination;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint32_t seq = 0;
  std::uint32_t ack = 0;
  std::uint8_t flags = 0;
  std::uint16_t window = 0;
  ByteSpan options;
  ByteSpan payload;
};
Frame craft(FramePool& pool, const Craft& segment);

}  // namespace sim
