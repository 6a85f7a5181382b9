#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "apps/http/error.hpp"
#include "apps/http/stream.hpp"

namespace apps::http {

/// One request and what became of it; for a log line or a `--json` event.
struct Exchange {
  std::string_view method;
  std::string_view target;  ///< As it came: encoded, and with anything in it that a peer may send.
  unsigned status = 0;
  std::uint64_t bytes_received = 0;  ///< Body octets.
  std::uint64_t bytes_sent = 0;      ///< Body octets.
  std::chrono::nanoseconds elapsed{};
  bool complete = false;  ///< Whether the answer went out whole.
};

struct ServerOptions {
  std::string root;  ///< The directory that is served; nothing outside it can be reached.
  bool read_only = false;
  /// Largest body of a PUT, octets.
  std::uint64_t max_body = std::uint64_t{1} << 50;
  /// Longest time to send a whole request header.
  std::chrono::milliseconds header_timeout = std::chrono::seconds(15);
  /// Longest wait for the next request on an open connection.
  std::chrono::milliseconds idle_timeout = std::chrono::seconds(60);
  /// Longest time in which less than a kilobyte of a body moves.
  std::chrono::milliseconds stall_timeout = std::chrono::seconds(30);
  /// fsync of file and directory before a PUT is answered.
  bool sync = true;
  /// Threads that write, sync, list and hash, so that the loop that moves packets never waits for a
  /// disk.
  unsigned threads = 2;
  std::string name = "hawser";  ///< The Server field.
  /// Called after each answer, on the session's thread; may be empty.
  std::function<void(const Exchange&)> on_exchange;
};

struct ServerStats {
  std::uint64_t sessions_open = 0;
  std::uint64_t sessions_total = 0;
  std::uint64_t requests = 0;
  std::uint64_t bytes_received = 0;  ///< Body octets.
  std::uint64_t bytes_sent = 0;      ///< Body octets.
  std::uint64_t timeouts = 0;
  std::uint64_t files_stored = 0;
};

/// Serves one directory over HTTP/1.1. It accepts nothing itself: hand it each accepted stream.
/// Sessions are coroutines; all run on one thread, that of the executor of their streams.
class Server {
 public:
  /// Opens the root; fails with a message and a remedy when that cannot be done.
  static Outcome<std::unique_ptr<Server>> open(ServerOptions options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// One connection, until either side ends it. Spawn it detached; the server must outlive it.
  asio::awaitable<void> serve(StreamPtr stream);

  /// Ends sessions: idle ones at once, busy ones after the answer that they are at.
  void stop();
  /// Ends all sessions at once.
  void abort();
  ServerStats stats() const;

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace apps::http
