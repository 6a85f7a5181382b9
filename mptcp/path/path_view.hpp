#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/base/address.hpp"
#include "mptcp/wire/ids.hpp"

namespace mptcp {

using dataplane::Endpoint;
using dataplane::IpAddress;
using dataplane::PortIndex;

/// An address of ours.
struct LocalAddress {
  AddressId id{};
  IpAddress address;
  std::uint8_t prefix_length = 0;  ///< Of its subnet.
  PortIndex port{};
  bool usable = true;      ///< Its port has a link.
  bool withdrawn = false;  ///< By the program (RFC 8684 §3.4.2).
};

/// An address of the peer: the one that the connection began with, or an announced one.
struct RemoteAddress {
  AddressId id{};
  Endpoint endpoint;
  bool joinable = true;  ///< Not so the first one of a peer that set the C flag (RFC 8684 §3.1).
};

/// Two addresses with a subflow between them, or to be.
struct AddressPair {
  AddressId local{};
  AddressId remote{};
  friend bool operator==(const AddressPair&, const AddressPair&) = default;
};

/// What a path manager may know of one connection.
struct PathView {
  std::span<const LocalAddress> locals;
  std::span<const RemoteAddress> remotes;
  /// Every subflow that lives or is being made; the first subflow comes first while it lives.
  std::span<const AddressPair> subflows;
  /// Of these, the joins whose SYN has no answer yet.
  std::span<const AddressPair> attempts;
  /// Pairs that failed, and whose time to be tried again has not come.
  std::span<const AddressPair> resting;
  /// The peer had the time to announce its addresses: a round trip since the handshake.
  bool settled = false;
  /// So many subflows in all.
  std::size_t max_subflows = 8;
};

/// The joins to try now, best first.
class Joins {
 public:
  static constexpr std::size_t kMost = 32;

  void add(AddressPair pair) { pairs_[count_++] = pair; }
  std::size_t size() const { return count_; }
  std::span<const AddressPair> pairs() const { return {pairs_.data(), count_}; }

 private:
  std::array<AddressPair, kMost> pairs_{};
  std::size_t count_ = 0;
};

}  // namespace mptcp
