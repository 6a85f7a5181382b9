#pragma once

#include <cstdint>
#include <type_traits>

#include <boost/system/error_code.hpp>

#include "dataplane/tcp/config.hpp"
#include "mptcp/core.hpp"

namespace mptcp::api {

using boost::system::error_code;

/// Errors of this layer that Boost.Asio has no word for. All others are those of Boost.Asio, so
/// that a program written for kernel sockets compares with what it knows:
/// `asio::error::connection_refused`, `eof`, `operation_aborted`.
enum class Errc : std::uint8_t {
  TooManyConnections = 1,  ///< CoreConfig::max_connections is reached.
  NotALiteralAddress,      ///< The resolver was given a host name.
  NotAPortNumber,          ///< The resolver was given a service name or a number above 65,535.
  NotMultipath,            ///< SocketError::NotMultipath, and so on: of a PathCommand.
  NoSuchPath,
  OnlyPath,
  TooManyPaths,
};

const boost::system::error_category& api_category();
error_code make_error_code(Errc error);

/// Why a call was refused, as Boost.Asio says it.
error_code to_error_code(SocketError error);
/// Why a connection ended, as a connect or a read says it: Finished is asio::error::eof.
error_code to_read_error(dataplane::tcp::CloseReason reason);
/// The same for a write: nobody reads what is written to a finished connection, so that is
/// asio::error::broken_pipe.
error_code to_write_error(dataplane::tcp::CloseReason reason);

}  // namespace mptcp::api

template <>
struct boost::system::is_error_code_enum<mptcp::api::Errc> : std::true_type {};
