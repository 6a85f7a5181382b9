#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "apps/common/report.hpp"
#include "apps/http/stream.hpp"
#include "mptcp/api/asio_stream.hpp"

namespace apps::hawser {

class EngineStream;

/// The connections that a command has open, for its progress lines. Core's thread only.
class Paths {
 public:
  void add(EngineStream& stream) { streams_.push_back(&stream); }
  void remove(EngineStream& stream);
  std::vector<PathSample> samples() const;
  /// Segments that all connections have sent again, with those that are closed.
  std::uint64_t retransmitted() const;
  /// A connection ended because its peer fell silent, which to a reader is an end like any other.
  void on_timed_out() { timed_out_ = true; }
  bool has_timed_out() const { return timed_out_; }

 private:
  std::vector<EngineStream*> streams_;
  std::uint64_t retransmitted_before_ = 0;
  bool timed_out_ = false;
};

/// A connection of the engine as the HTTP layer wants it.
class EngineStream final : public http::Stream {
 public:
  /// `paths` lists the stream while it lives.
  EngineStream(mptcp::api::Stream stream, std::shared_ptr<Paths> paths);
  ~EngineStream() override;

  http::asio::any_io_executor executor() override { return stream_.get_executor(); }
  http::asio::awaitable<http::IoResult> read_some(http::asio::mutable_buffer into) override;
  http::asio::awaitable<http::IoResult> write_some(http::asio::const_buffer from) override;
  void shutdown_send() override { stream_.shutdown(); }
  void abort() override { stream_.abort(); }

  /// Its subflows, or the connection itself where it has but one path.
  std::vector<PathSample> samples() const;
  std::uint64_t retransmitted() const;

 private:
  mptcp::api::Stream stream_;
  std::shared_ptr<Paths> paths_;
};

}  // namespace apps::hawser
