#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "dataplane/base/address.hpp"

/// What a program may ask of the paths of one of its connections, whichever side opened it.
namespace mptcp {

/// A subflow from an address of ours to one of the peer's (RFC 8684 §3.2). Whether it comes into
/// being is told by a PathChange.
struct OpenPath {
  dataplane::IpAddress local;
  dataplane::Endpoint remote;
  bool backup = false;
};

/// Ends a subflow with a FIN, or with a reset where nobody would answer that; others carry what it
/// had. The path manager does not open it again.
struct ClosePath {
  dataplane::FourTuple path;  ///< As SubflowInfo has it.
};

/// Says whether a subflow is a backup for us (MP_PRIO, RFC 8684 §3.3.8): the peer sends on it only
/// when it has no other.
struct SetBackup {
  dataplane::FourTuple path;
  bool backup = true;
};

/// ADD_ADDR of an address of this node (RFC 8684 §3.4.1).
struct AnnounceAddress {
  dataplane::IpAddress address;
  std::optional<std::uint16_t> port{};  ///< Unless it is that of the first subflow.
};

/// REMOVE_ADDR of addresses of this node (RFC 8684 §3.4.2): their subflows are reset, others carry
/// what those had, and the peer may join there again only after an AnnounceAddress.
struct WithdrawAddresses {
  std::vector<dataplane::IpAddress> addresses;
};

using PathCommand =
    std::variant<OpenPath, ClosePath, SetBackup, AnnounceAddress, WithdrawAddresses>;

}  // namespace mptcp
