#include "apps/http/connection.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace apps::http {
namespace {

/// Read-ahead begins small, for thousands of idle connections, and grows where a body is chunked.
constexpr std::size_t kFirstRead = 4 * 1024;
constexpr std::size_t kMaxInput = 256 * 1024;
constexpr std::size_t kDrainBuffer = 16 * 1024;

}  // namespace

Connection::Connection(StreamPtr stream)
    : stream_(std::move(stream)),
      input_(kMaxInput),
      watchdog_(stream_->executor(), [this] { stream_->abort(); }) {}

IoResult Connection::judge(IoResult result) {
  if (result.error && watchdog_.has_bitten()) result.error = asio::error::timed_out;
  watchdog_.on_progress(result.bytes);
  return result;
}

void Connection::count(std::size_t octets) {
  if (meter_ != nullptr) meter_->fetch_add(octets, std::memory_order_relaxed);
}

asio::awaitable<IoResult> Connection::fill() {
  const std::size_t room = input_.max_size() - input_.size();
  if (room == 0) co_return IoResult{asio::error::no_buffer_space, 0};
  const std::size_t wanted = std::clamp(input_.capacity() - input_.size(), kFirstRead, kMaxInput);
  const auto into = input_.prepare(std::min(wanted, room));
  const IoResult result = judge(co_await stream_->read_some(into));
  input_.commit(result.bytes);
  co_return result;
}

asio::awaitable<IoResult> Connection::read_some(asio::mutable_buffer into) {
  if (input_.size() > 0) {
    const std::size_t n = asio::buffer_copy(into, input_.data());
    input_.consume(n);
    count(n);
    co_return IoResult{{}, n};
  }
  const IoResult result = judge(co_await stream_->read_some(into));
  count(result.bytes);
  co_return result;
}

asio::awaitable<IoResult> Connection::read_full(asio::mutable_buffer into) {
  IoResult total;
  while (into.size() > 0 && !total.error) {
    const IoResult result = co_await read_some(into);
    total.error = result.error;
    total.bytes += result.bytes;
    into += result.bytes;
  }
  co_return total;
}

asio::awaitable<error_code> Connection::write_all(asio::const_buffer from) {
  while (from.size() > 0) {
    const IoResult result = judge(co_await stream_->write_some(from));
    count(result.bytes);
    if (result.error) co_return result.error;
    from += result.bytes;
  }
  co_return error_code{};
}

asio::awaitable<error_code> Connection::write_all(std::string_view text) {
  co_return co_await write_all(asio::buffer(text));
}

asio::awaitable<void> Connection::linger(Watchdog::Duration limit) {
  using asio::experimental::awaitable_operators::operator||;
  watchdog_.disarm();
  stream_->shutdown_send();
  asio::steady_timer timer(stream_->executor(), limit);
  co_await (drain() || timer.async_wait(asio::as_tuple(asio::use_awaitable)));
}

asio::awaitable<void> Connection::drain() {
  std::array<std::byte, kDrainBuffer> waste{};
  IoResult result;
  while (!result.error)
    result = co_await stream_->read_some(asio::buffer(waste));
}

}  // namespace apps::http
