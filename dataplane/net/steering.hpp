#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "dataplane/base/address.hpp"

namespace dataplane::net {

/// Which core owns a flow: what a device with receive-side scaling computes when it is given
/// rss_key() and reta() and told to hash addresses and TCP ports. Symmetric: both directions of a
/// flow have the same owner.
class Steering {
 public:
  static constexpr std::size_t kRetaSize = 128;
  static constexpr std::size_t kRssKeyLength =
      52;  ///< The longest that devices take; the front of it serves the others.

  explicit Steering(std::uint16_t core_count);

  std::uint16_t core_count() const { return core_count_; }
  std::uint16_t owner_of(const FourTuple& tuple) const {
    return reta_[rss_hash(tuple) % kRetaSize];
  }
  /// The device's indirection table: core of each hash.
  const std::array<std::uint16_t, kRetaSize>& reta() const { return reta_; }
  /// A device with fewer or other queues than cores may have another table.
  void set_reta(const std::array<std::uint16_t, kRetaSize>& reta) { reta_ = reta; }

  /// The Toeplitz hash of source and destination address and port, under rss_key().
  static std::uint32_t rss_hash(const FourTuple& tuple);
  static std::array<std::uint8_t, kRssKeyLength> rss_key();

  /// The first of the ports `from`, `from` + 1, ... up to `last` that makes `core` the owner of the
  /// flow from that local port; for connections that a core opens.
  std::optional<std::uint16_t> next_port(FourTuple tuple, std::uint16_t from, std::uint16_t last,
                                         std::uint16_t core) const;

 private:
  std::uint16_t core_count_;
  std::array<std::uint16_t, kRetaSize> reta_{};
};

}  // namespace dataplane::net
