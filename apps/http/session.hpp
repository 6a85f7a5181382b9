#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "apps/files/root.hpp"
#include "apps/http/background.hpp"
#include "apps/http/connection.hpp"
#include "apps/http/digest_cache.hpp"
#include "apps/http/message_reader.hpp"
#include "apps/http/reply.hpp"
#include "apps/http/server.hpp"
#include "apps/http/url.hpp"

namespace apps::http {

class Session;

/// Fewer octets than this in the stall timeout are as good as none.
inline constexpr std::size_t kStallMinimum = 1024;

/// What the sessions of one server share; all of it is used on one thread.
struct ServerState {
  ServerState(ServerOptions wishes, files::Root directory)
      : options(std::move(wishes)), root(std::move(directory)), background(options.threads) {}

  ServerOptions options;
  files::Root root;
  Background background;
  DigestCache digests{background};
  ServerStats stats;
  std::set<Session*> sessions;
  bool is_stopping = false;
};

/// One connection of the server: requests are read and answered one after another, so that what a
/// client sends ahead (pipelining) simply waits its turn.
class Session {
 public:
  Session(std::shared_ptr<ServerState> state, StreamPtr stream);

  asio::awaitable<void> run();
  /// Ends an idle session now, a busy one after its answer.
  void stop();
  void abort() { connection_.abort(); }

 private:
  using Request = RequestReader::Header;

  asio::awaitable<bool> next_exchange();
  asio::awaitable<bool> wait_for_request();
  asio::awaitable<Reply> answer();
  std::optional<Reply> why_refused() const;
  /// Whether the connection still makes sense behind this request and its answer.
  asio::awaitable<bool> finish_request(const Reply& reply);

  // GET and HEAD: session_get.cpp.
  asio::awaitable<Reply> answer_get(const RequestPath& path);
  asio::awaitable<Reply> answer_directory(const RequestPath& path);
  asio::awaitable<Reply> answer_file(const RequestPath& path, files::OpenFile file);
  asio::awaitable<void> add_digests(Reply& reply, const std::string& etag);

  // PUT: session_put.cpp.
  struct Upload;
  asio::awaitable<Reply> answer_put(const RequestPath& path);
  std::optional<Reply> why_put_refused(const files::Place& place) const;
  std::optional<Reply> read_upload_digests(Upload& upload) const;
  asio::awaitable<std::optional<Reply>> receive(Upload& upload);
  asio::awaitable<Reply> store(Upload& upload);

  // Sending: session.cpp.
  asio::awaitable<error_code> send_interim(std::string_view text);
  asio::awaitable<error_code> send(Reply& reply);
  asio::awaitable<error_code> send_body(Reply& reply, std::string head);

  std::shared_ptr<ServerState> state_;
  Connection connection_;
  RequestReader reader_{connection_};
  std::string target_;  ///< As it came.
  bool is_idle_ = false;
  bool owes_continue_ = false;  ///< The client waits for "100 Continue" and has not got it.
  std::uint64_t body_received_ = 0;
  std::uint64_t body_sent_ = 0;
};

}  // namespace apps::http
