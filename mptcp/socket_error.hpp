#pragma once

#include <cstdint>
#include <string_view>
#include <tl/expected.hpp>

namespace mptcp {

/// Why a call of the socket layer failed.
enum class SocketError : std::uint8_t {
  AddressInUse,         ///< Another listener or connection has it.
  AddressNotAvailable,  ///< No port of this node has the local address.
  NoRoute,              ///< No port can reach the remote address.
  TooManyConnections,   ///< Config::max_connections is reached.
  NoSuchSocket,         ///< The id is stale.
  NotMultipath,         ///< The connection is plain TCP, or its peer has not spoken yet.
  NoSuchPath,           ///< The connection has no such subflow.
  OnlyPath,             ///< No other subflow is there to carry the data.
  TooManyPaths,         ///< mptcp::Config::max_subflows is reached.
  Busy,                 ///< Too much waits to be told to the peer: in a moment again.
};
std::string_view name_of(SocketError error);
template <class T>
using SocketResult = tl::expected<T, SocketError>;

}  // namespace mptcp
