#include "mptcp/api/error.hpp"

#include <string>

#include <boost/asio/error.hpp>

namespace mptcp::api {

namespace {

namespace error = boost::asio::error;
using dataplane::tcp::CloseReason;

class ApiCategory final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "hawser"; }
  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::TooManyConnections:
        return "the node has as many connections as its configuration allows";
      case Errc::NotALiteralAddress:
        return "host names are not resolved: give an address such as 10.0.0.1 or fd00::1";
      case Errc::NotAPortNumber:
        return "service names are not resolved: give a port number from 0 to 65535";
      case Errc::NotMultipath:
        return "the connection does not speak Multipath TCP";
      case Errc::NoSuchPath:
        return "the connection has no such path";
      case Errc::OnlyPath:
        return "the connection has no other path";
      case Errc::TooManyPaths:
        return "the connection has as many paths as it may";
    }
    return "unknown error";
  }
};

}  // namespace

const boost::system::error_category& api_category() {
  static const ApiCategory category;
  return category;
}

error_code make_error_code(Errc error) { return {static_cast<int>(error), api_category()}; }

error_code to_error_code(SocketError socket_error) {
  switch (socket_error) {
    case SocketError::AddressInUse:
      return error::address_in_use;
    case SocketError::AddressNotAvailable:
      return make_error_code(boost::system::errc::address_not_available);
    case SocketError::NoRoute:
      return error::network_unreachable;
    case SocketError::TooManyConnections:
      return Errc::TooManyConnections;
    case SocketError::NoSuchSocket:
      return error::bad_descriptor;
    case SocketError::NotMultipath:
      return Errc::NotMultipath;
    case SocketError::NoSuchPath:
      return Errc::NoSuchPath;
    case SocketError::OnlyPath:
      return Errc::OnlyPath;
    case SocketError::TooManyPaths:
      return Errc::TooManyPaths;
    case SocketError::Busy:
      return error::try_again;
  }
  return error::fault;
}

error_code to_read_error(CloseReason reason) {
  switch (reason) {
    case CloseReason::None:
    case CloseReason::Finished:
      return error::eof;
    case CloseReason::Refused:
      return error::connection_refused;
    case CloseReason::Reset:
      return error::connection_reset;
    case CloseReason::Aborted:
      return error::connection_aborted;
    case CloseReason::TimedOut:
      return error::timed_out;
    case CloseReason::Unreachable:
      return error::host_unreachable;
  }
  return error::fault;
}

error_code to_write_error(CloseReason reason) {
  if (reason == CloseReason::None || reason == CloseReason::Finished) return error::broken_pipe;
  return to_read_error(reason);
}

}  // namespace mptcp::api
