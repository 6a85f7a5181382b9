#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/base/address.hpp"
#include "dataplane/base/byte_io.hpp"
#include "dataplane/wire/checksum.hpp"
#include "dataplane/wire/tcp_header.hpp"

namespace mptcp::test {

// Subtypes of the MPTCP option (RFC 8684 §8.2).
inline constexpr unsigned kCapable = 0;
inline constexpr unsigned kJoin = 1;
inline constexpr unsigned kDss = 2;
inline constexpr unsigned kAddAddr = 3;
inline constexpr unsigned kRemoveAddr = 4;
inline constexpr unsigned kPrio = 5;
inline constexpr unsigned kFastclose = 7;

/// A frame of IPv4 on its way whose TCP segment can be looked at and changed.
class Opening {
 public:
  static constexpr std::size_t kIp = 14;
  static constexpr std::size_t kTcp = kIp + 20;

  explicit Opening(std::vector<std::byte>& frame) : frame_(frame) {}

  bool is_tcp() const { return frame_.size() >= kTcp + 20 && frame_[kIp + 9] == std::byte{6}; }
  bool has(dataplane::wire::TcpFlags flag) const {
    return is_tcp() && (frame_[kTcp + 13] & static_cast<std::byte>(flag)) != std::byte{0};
  }
  bool has_payload() const { return is_tcp() && payload() < end(); }
  std::size_t payload() const {
    return kTcp + 4 * (std::to_integer<std::size_t>(frame_[kTcp + 12]) >> 4);
  }
  std::size_t end() const { return kIp + dataplane::load_be<std::uint16_t>(&frame_[kIp + 2]); }
  /// Where the MPTCP option of a subtype stands, or 0.
  std::size_t option(unsigned subtype) const {
    if (!is_tcp()) return 0;
    for (std::size_t at = kTcp + 20; at < payload();) {
      const auto kind = std::to_integer<unsigned>(frame_[at]);
      if (kind == 0) break;
      if (kind == 30 && (std::to_integer<unsigned>(frame_[at + 2]) >> 4) == subtype) return at;
      at += kind == 1 ? 1 : length(at);
    }
    return 0;
  }
  /// Where the 8 octets of the DSN of a mapping stand (RFC 8684 §3.3), or 0; the relative sequence
  /// number follows.
  std::size_t mapped_dsn() const {
    const std::size_t dss = option(kDss);
    if (dss == 0) return 0;
    constexpr std::byte kAck{1}, kWideAck{2}, kMapping{4}, kWideDsn{8};
    const auto has = [flags = frame_[dss + 3]](std::byte flag) { return (flags & flag) == flag; };
    if (!has(kMapping | kWideDsn)) return 0;
    return dss + 4 + (has(kAck) ? (has(kWideAck) ? 8U : 4U) : 0U);
  }
  /// Of the option at a place.
  std::size_t length(std::size_t at) const { return std::to_integer<std::size_t>(frame_[at + 1]); }
  /// Writes NOPs over the option at a place, from one of its octets on.
  void blank(std::size_t at, std::size_t from = 0) {
    const auto first = frame_.begin() + static_cast<std::ptrdiff_t>(at);
    std::fill(first + static_cast<std::ptrdiff_t>(from),
              first + static_cast<std::ptrdiff_t>(length(at)), std::byte{1});
  }
  /// Makes the TCP checksum right again.
  void seal() {
    dataplane::store_be(&frame_[kTcp + 16], std::uint16_t{0});
    dataplane::wire::Checksum sum;
    sum.add_pseudo_header(address(kIp + 12), address(kIp + 16), 6,
                          static_cast<std::uint32_t>(end() - kTcp));
    sum.add(std::span(frame_).subspan(kTcp, end() - kTcp));
    dataplane::store_be(&frame_[kTcp + 16], static_cast<std::uint16_t>(~sum.folded()));
  }
  /// And that of IP.
  void seal_ip() {
    dataplane::store_be(&frame_[kIp + 10], std::uint16_t{0});
    dataplane::wire::Checksum sum;
    sum.add(std::span(frame_).subspan(kIp, kTcp - kIp));
    dataplane::store_be(&frame_[kIp + 10], static_cast<std::uint16_t>(~sum.folded()));
  }

 private:
  dataplane::IpAddress address(std::size_t at) const {
    return dataplane::IpAddress::v4(dataplane::load_be<std::uint32_t>(&frame_[at]));
  }

  std::vector<std::byte>& frame_;
};

/// A box of MultipathPair that forges one segment: the first of `direction` for which
/// change(segment, frame, path) is true; its checksum is made right again. `forged` counts it.
template <class Change>
auto forge_one(int direction, int& forged, Change change) {
  return [=, &forged](int way, std::size_t path, std::vector<std::byte>& frame) {
    Opening segment(frame);
    if (way != direction || forged != 0 || !change(segment, frame, path)) return true;
    segment.seal();
    ++forged;
    return true;
  };
}

/// Damages the payload of a segment that has one.
inline bool change_payload(Opening& segment, std::vector<std::byte>& frame, std::size_t) {
  if (!segment.has_payload()) return false;
  frame[segment.payload()] ^= std::byte{0x55};
  return true;
}

}  // namespace mptcp::test
