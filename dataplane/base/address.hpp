#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "dataplane/base/byte_io.hpp"

namespace dataplane {

/// An Ethernet address.
struct MacAddress {
  std::array<std::uint8_t, 6> octets{};

  static constexpr MacAddress broadcast() { return {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}; }
  constexpr bool is_multicast() const { return (octets[0] & 1) != 0; }
  constexpr bool is_zero() const { return *this == MacAddress{}; }
  friend constexpr bool operator==(const MacAddress&, const MacAddress&) = default;
};

/// An IPv4 or IPv6 address. IPv4 is kept in the form ::ffff:a.b.c.d, so that one comparison serves
/// both.
class IpAddress {
 public:
  using Octets = std::array<std::uint8_t, 16>;

  /// The unspecified IPv6 address, `::`.
  constexpr IpAddress() = default;
  static constexpr IpAddress v4(std::uint32_t host_order) {
    IpAddress a;
    a.octets_[10] = a.octets_[11] = 0xff;
    for (unsigned i = 0; i < 4; ++i)
      a.octets_[12 + i] = static_cast<std::uint8_t>(host_order >> (24 - 8 * i));
    return a;
  }
  static constexpr IpAddress v6(const Octets& octets) {
    IpAddress a;
    a.octets_ = octets;
    return a;
  }
  /// From 4 or 16 octets in network order, as they stand in a header.
  static IpAddress from_network_v4(const std::byte* at) { return v4(load_be<std::uint32_t>(at)); }
  static IpAddress from_network_v6(const std::byte* at) {
    IpAddress a;
    std::memcpy(a.octets_.data(), at, 16);
    return a;
  }
  /// Literal addresses only, such as "10.0.0.1" or "fd00::1"; no names, no zones.
  static std::optional<IpAddress> parse(std::string_view text);

  constexpr bool is_v4() const {
    for (unsigned i = 0; i < 10; ++i)
      if (octets_[i] != 0) return false;
    return octets_[10] == 0xff && octets_[11] == 0xff;
  }
  constexpr bool is_v6() const { return !is_v4(); }
  constexpr std::uint32_t v4_host_order() const {
    return std::uint32_t{octets_[12]} << 24 | std::uint32_t{octets_[13]} << 16 |
           std::uint32_t{octets_[14]} << 8 | octets_[15];
  }
  constexpr const Octets& octets() const { return octets_; }
  /// The octets as they go into a header: 4 or 16.
  ByteSpan network_bytes() const {
    const ByteSpan all = std::as_bytes(std::span(octets_));
    return is_v4() ? all.subspan(12) : all;
  }

  /// 0.0.0.0 or `::`.
  bool is_unspecified() const;
  bool is_loopback() const;
  bool is_multicast() const;
  /// 255.255.255.255 only; a subnet's broadcast address is known to the interface.
  bool is_broadcast() const;
  /// fe80::/10.
  bool is_link_local() const;
  /// Whether both lie in one subnet of `prefix_length` bits (0..32 for IPv4, 0..128 for IPv6).
  bool same_subnet(const IpAddress& other, unsigned prefix_length) const;

  std::string to_string() const;
  friend constexpr bool operator==(const IpAddress& a, const IpAddress& b) {
    // Two words each: a call of memcmp would cost more than all the rest of a look-up.
    const auto x = std::bit_cast<Words>(a.octets_);
    const auto y = std::bit_cast<Words>(b.octets_);
    return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
  }

 private:
  using Words = std::array<std::uint64_t, 2>;
  Octets octets_{};
};

/// An address of ours with the length of its subnet prefix: "10.9.0.1/24".
struct Prefix {
  IpAddress address;
  unsigned length = 0;

  static std::optional<Prefix> parse(std::string_view text);
  bool contains(const IpAddress& other) const { return address.same_subnet(other, length); }
  std::string to_string() const;
  friend bool operator==(const Prefix&, const Prefix&) = default;
};

/// An address and a port in host order.
struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;

  /// "10.0.0.1:80" or "[fd00::1]:80".
  static std::optional<Endpoint> parse(std::string_view text);
  std::string to_string() const;
  friend constexpr bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// What names a connection: `local` is ours, whatever the direction of the segment.
struct FourTuple {
  Endpoint local;
  Endpoint remote;

  std::string to_string() const;
  friend constexpr bool operator==(const FourTuple&, const FourTuple&) = default;
};

/// Index of a port of this node, in the order of the configuration.
enum class PortIndex : std::uint16_t {};
constexpr std::size_t index_of(PortIndex port) { return static_cast<std::size_t>(port); }

}  // namespace dataplane
