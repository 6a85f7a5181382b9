#include "apps/hawser/engine_stream.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "apps/hawser/path_samples.hpp"

namespace apps::hawser {

namespace asio = http::asio;

void Paths::remove(EngineStream& stream) {
  retransmitted_before_ += stream.retransmitted();
  std::erase(streams_, &stream);
}

std::vector<PathSample> Paths::samples() const {
  std::vector<PathSample> samples;
  for (const EngineStream* stream : streams_)
    std::ranges::move(stream->samples(), std::back_inserter(samples));
  return samples;
}

std::uint64_t Paths::retransmitted() const {
  std::uint64_t sum = retransmitted_before_;
  for (const EngineStream* stream : streams_)
    sum += stream->retransmitted();
  return sum;
}

EngineStream::EngineStream(mptcp::api::Stream stream, std::shared_ptr<Paths> paths)
    : stream_(std::move(stream)), paths_(std::move(paths)) {
  paths_->add(*this);
}

EngineStream::~EngineStream() { paths_->remove(*this); }

asio::awaitable<http::IoResult> EngineStream::read_some(asio::mutable_buffer into) {
  auto [error, bytes] = co_await stream_.async_read_some(into, asio::as_tuple(asio::use_awaitable));
  if (error == asio::error::timed_out) paths_->on_timed_out();
  co_return http::IoResult{error, bytes};
}

asio::awaitable<http::IoResult> EngineStream::write_some(asio::const_buffer from) {
  auto [error, bytes] =
      co_await stream_.async_write_some(from, asio::as_tuple(asio::use_awaitable));
  if (error == asio::error::timed_out) paths_->on_timed_out();
  co_return http::IoResult{error, bytes};
}

std::vector<PathSample> EngineStream::samples() const {
  const std::optional<mptcp::SocketInfo> info = stream_.info();
  return info ? path_samples(*info) : std::vector<PathSample>{};
}

std::uint64_t EngineStream::retransmitted() const {
  const std::optional<mptcp::SocketInfo> info = stream_.info();
  return info ? info->segments_retransmitted : 0;
}

}  // namespace apps::hawser
