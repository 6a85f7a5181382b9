#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "apps/http/background.hpp"
#include "apps/http/client.hpp"
#include "apps/http/connection.hpp"
#include "apps/http/message_reader.hpp"

namespace apps::http {

/// What the client's operations share: one connection, kept open between them, and the exchange of
/// one request.
class ClientCore {
 public:
  using RequestHead = bhttp::header<true>;
  using Answer = ResponseReader::Header;
  using Done = Outcome<std::monostate>;

  ClientCore(Connector how, ClientOptions wishes)
      : connector(std::move(how)), options(std::move(wishes)), background(1) {}
  ~ClientCore() { cancel_hash = true; }
  ClientCore(const ClientCore&) = delete;
  ClientCore& operator=(const ClientCore&) = delete;

  /// A connection to the server of `url`: the one that is open, or a new one.
  asio::awaitable<Done> connect(const Url& url);
  /// A header with what every request has.
  RequestHead make_request(bhttp::verb method) const;
  /// Sends a request without a body and reads the header of the answer. Follows redirects, changing
  /// `url`; sends again when a kept connection turns out to be closed. An error status is an error.
  asio::awaitable<Done> ask(RequestHead request, Url& url);
  /// Reads the header of the final answer. `reader` has it.
  asio::awaitable<Done> read_answer(const RequestHead& request, const Url& url);
  /// Of an answer that says that something went wrong: with what the server says about it.
  asio::awaitable<Error> status_error(const RequestHead& request, const Url& url);
  /// The exchange is over. Keeps the connection if its answer was read to its end.
  void release();
  void drop();

  /// What an error of the connection means, in words.
  Error broken(const error_code& error, const Url& url) const;
  const Answer& answer() const { return reader->header(); }
  std::string_view field(std::string_view name) const;
  /// Reads a body that nobody wants, if it is short.
  asio::awaitable<void> skip_body();

  // The operations: head and list in client.cpp, get and put in files of their own.
  asio::awaitable<Outcome<HeadResult>> head(Url url, bool want_digest);
  asio::awaitable<Outcome<std::vector<ListEntry>>> list(Url url);
  asio::awaitable<Outcome<GetResult>> get(Url url, GetOptions wishes, Progress& progress);
  asio::awaitable<Outcome<PutResult>> put(std::string file, Url url, PutOptions wishes,
                                          Progress& progress);

  Connector connector;
  ClientOptions options;
  Background background;
  std::shared_ptr<Connection> connection;  ///< Shared with a read that is under way.
  std::optional<ResponseReader> reader;
  Url origin;              ///< What `connection` leads to.
  bool is_reused = false;  ///< Whether something was exchanged on it before.
  bool is_cancelled = false;
  std::atomic<bool> cancel_hash = false;

 private:
  asio::awaitable<Done> ask_once(const RequestHead& request, const Url& url);
  Outcome<Url> redirect_target(const Url& url) const;
};

/// Fewer octets than this in the stall timeout are as good as none.
inline constexpr std::size_t kClientStallMinimum = 1;

/// What a failed call on a file here means. `what` is like "cannot write 'a.iso'".
Error local_error(std::string_view what, const std::error_code& error);

}  // namespace apps::http
