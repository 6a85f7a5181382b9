#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/beast/core/role.hpp>

#include "mptcp/api/asio_stream.hpp"

namespace mptcp::api {

namespace detail {

/// Reads until the peer's end.
template <class Executor>
struct Teardown {
  using Scratch = std::array<std::byte, 2048>;

  // NOLINTNEXTLINE(misc-no-recursion): the next call comes from the runtime, not from this one.
  template <class Self>
  void operator()(Self& self, error_code error = {}, std::size_t octets = 0) {
    const bool first = scratch == nullptr;
    if (first) {
      scratch = std::make_unique<Scratch>();
      if (role == boost::beast::role_type::server) stream.shutdown();
    }
    if (!error && (first || octets > 0)) {
      const auto buffer = boost::asio::buffer(*scratch);
      return stream.async_read_some(buffer, std::move(self));
    }
    if (error == boost::asio::error::eof) error = {};
    if (!error) stream.close();
    self.complete(error);
  }

  boost::beast::role_type role{};
  BasicStream<Executor>& stream;
  std::unique_ptr<Scratch> scratch;
};

}  // namespace detail

/// How beast::websocket::stream ends a connection in good order (RFC 6455 §7.1.1): the server
/// closes its side first, then both read until the end.
// NOLINTNEXTLINE(misc-no-recursion): as above.
template <class Executor, class Handler>
void async_teardown(boost::beast::role_type role, BasicStream<Executor>& stream,
                    Handler&& handler) {
  boost::asio::async_compose<Handler, void(error_code)>(
      detail::Teardown<Executor>{role, stream, nullptr}, handler, stream);
}

/// The synchronous form has nothing to wait with: it closes.
template <class Executor>
void teardown(boost::beast::role_type, BasicStream<Executor>& stream, error_code& error) {
  stream.close();
  error = {};
}

}  // namespace mptcp::api
