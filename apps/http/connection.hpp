#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include "apps/http/stream.hpp"
#include "apps/http/watchdog.hpp"

namespace apps::http {

/// A stream with what was read ahead of it, and a watchdog. After the watchdog has bitten, reads
/// and writes fail with asio::error::timed_out.
class Connection {
 public:
  explicit Connection(StreamPtr stream);

  /// Reads more into input(): asio::error::eof at the end, no_buffer_space when input() is full.
  asio::awaitable<IoResult> fill();
  /// What input() holds first, then the stream, without a copy through input().
  asio::awaitable<IoResult> read_some(asio::mutable_buffer into);
  /// Reads until `into` is full; fewer octets only with an error.
  asio::awaitable<IoResult> read_full(asio::mutable_buffer into);
  asio::awaitable<error_code> write_all(asio::const_buffer from);
  asio::awaitable<error_code> write_all(std::string_view text);

  /// Says that nothing more is sent, and reads what the peer still sends for at most `limit`, so
  /// that the last answer reaches it: a close with unread octets would be a reset that overtakes it
  /// (RFC 9112 §9.6). The rest of a long answer to a slow peer goes on its way behind the close,
  /// which the transport sees to.
  asio::awaitable<void> linger(Watchdog::Duration limit);

  /// Counts the octets that are read and written from now on into `meter`, which outlives that;
  /// null: no more.
  void set_meter(std::atomic<std::uint64_t>* meter) { meter_ = meter; }

  boost::beast::flat_buffer& input() { return input_; }
  Watchdog& watchdog() { return watchdog_; }
  asio::any_io_executor executor() { return stream_->executor(); }
  void abort() { stream_->abort(); }
  /// Gives the memory of input() back while nothing is expected.
  void shrink() { input_.shrink_to_fit(); }

 private:
  asio::awaitable<void> drain();
  IoResult judge(IoResult result);
  void count(std::size_t octets);

  StreamPtr stream_;
  boost::beast::flat_buffer input_;
  Watchdog watchdog_;
  std::atomic<std::uint64_t>* meter_ = nullptr;
};

}  // namespace apps::http
