#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>

namespace apps::http {

namespace asio = boost::asio;
using boost::system::error_code;

/// What one read or write did. `error` is asio::error::eof when the peer has ended its side.
struct IoResult {
  error_code error;
  std::size_t bytes = 0;
};

/// A connected byte stream, whatever carries it: Hawser's own, a kernel socket, TLS over either.
/// The protocol is compiled once against this class; the indirection is paid per buffer of many
/// kilobytes. All calls come from the executor's own thread, with at most one read and one write
/// pending.
class Stream {
 public:
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  virtual ~Stream() = default;

  virtual asio::any_io_executor executor() = 0;
  virtual asio::awaitable<IoResult> read_some(asio::mutable_buffer into) = 0;
  virtual asio::awaitable<IoResult> write_some(asio::const_buffer from) = 0;
  /// Says that nothing more will be written (FIN after what is queued); reading goes on.
  virtual void shutdown_send() = 0;
  /// Ends the connection at once, with a reset where the transport can. Pending reads and writes
  /// complete with an error.
  virtual void abort() = 0;
};
using StreamPtr = std::unique_ptr<Stream>;

/// A Stream over any Boost.Asio AsyncReadStream and AsyncWriteStream. What else `S` can do is found
/// by its members: shutdown_send() or shutdown(what) for the half close; abort(), else
/// set_option(linger) and close(), for the end.
template <class S>
class StreamOver final : public Stream {
 public:
  explicit StreamOver(S stream) : stream_(std::move(stream)) {}

  asio::any_io_executor executor() override { return stream_.get_executor(); }

  asio::awaitable<IoResult> read_some(asio::mutable_buffer into) override {
    auto [error, bytes] =
        co_await stream_.async_read_some(into, asio::as_tuple(asio::use_awaitable));
    co_return IoResult{error, bytes};
  }

  asio::awaitable<IoResult> write_some(asio::const_buffer from) override {
    auto [error, bytes] =
        co_await stream_.async_write_some(from, asio::as_tuple(asio::use_awaitable));
    co_return IoResult{error, bytes};
  }

  void shutdown_send() override {
    if constexpr (requires { stream_.shutdown_send(); }) {
      stream_.shutdown_send();
    } else {
      error_code ignored;
      stream_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    }
  }

  void abort() override {
    if constexpr (requires { stream_.abort(); }) {
      stream_.abort();
    } else {
      error_code ignored;
      if constexpr (requires { stream_.set_option(asio::socket_base::linger(true, 0), ignored); }) {
        stream_.set_option(asio::socket_base::linger(true, 0), ignored);
      }
      stream_.close(ignored);
    }
  }

 private:
  S stream_;
};

template <class S>
StreamPtr make_stream(S stream) {
  return std::make_unique<StreamOver<S>>(std::move(stream));
}

}  // namespace apps::http
