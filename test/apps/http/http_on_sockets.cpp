// The appliance protocol over the kernel's sockets: what `hawser` does over Hawser's own streams,
// for tests by hand and by script that want neither DPDK nor rights.
//
//   http_on_sockets serve ROOT PORT [--read-only] [--max-body N] [--stall MS] [--no-sync]
//   http_on_sockets get URL DEST [--resume] [--verify]
//   http_on_sockets put FILE URL [--header | --trailer]
//   http_on_sockets head URL [--verify]
//   http_on_sockets list URL

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include <boost/asio.hpp>
#include <fmt/format.h>

#include "apps/http/client.hpp"
#include "apps/http/server.hpp"

namespace {

namespace http = apps::http;
namespace asio = boost::asio;
using asio::ip::tcp;

struct Arguments {
  std::vector<std::string> words;

  bool has(const std::string& flag) const { return std::ranges::find(words, flag) != words.end(); }
  std::string value(const std::string& flag, const std::string& otherwise) const {
    const auto found = std::ranges::find(words, flag);
    return found == words.end() || found + 1 == words.end() ? otherwise : *(found + 1);
  }
  const std::string& at(std::size_t index) const { return words.at(index); }
};

asio::awaitable<void> accept_all(tcp::acceptor& acceptor, http::Server& server) {
  while (acceptor.is_open()) {
    auto [error, socket] = co_await acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
    if (error) continue;
    socket.set_option(tcp::no_delay(true));
    asio::co_spawn(acceptor.get_executor(), server.serve(http::make_stream(std::move(socket))),
                   asio::detached);
  }
}

int serve(const Arguments& arguments) {
  http::ServerOptions options;
  options.root = arguments.at(1);
  options.read_only = arguments.has("--read-only");
  options.sync = !arguments.has("--no-sync");
  options.max_body = std::stoull(arguments.value("--max-body", "1000000000000"));
  const std::chrono::milliseconds stall(std::stoul(arguments.value("--stall", "30000")));
  options.stall_timeout = options.header_timeout = options.idle_timeout = stall;
  if (!arguments.has("--quiet")) {
    options.on_exchange = [](const http::Exchange& exchange) {
      fmt::print(stderr, "{} {:.80} {} in {} out {}{}\n", exchange.method, exchange.target,
                 exchange.status, exchange.bytes_received, exchange.bytes_sent,
                 exchange.complete ? "" : " (incomplete)");
    };
  }
  asio::io_context context(1);
  auto server = http::Server::open(options);
  if (!server) {
    fmt::print(stderr, "{}. {}\n", server.error().message, server.error().remedy);
    return EXIT_FAILURE;
  }
  const auto port = static_cast<std::uint16_t>(std::stoul(arguments.at(2)));
  tcp::acceptor acceptor(context, {tcp::v6(), port});
  fmt::print("listening on port {}\n", acceptor.local_endpoint().port());
  std::fflush(stdout);
  asio::signal_set signals(context, SIGINT, SIGTERM);
  signals.async_wait([&](const boost::system::error_code&, int) {
    acceptor.close();
    (*server)->stop();
  });
  asio::co_spawn(context, accept_all(acceptor, **server), asio::detached);
  context.run();
  const auto stats = (*server)->stats();
  fmt::print(stderr, "{} sessions, {} requests, {} octets sent, {} received\n",
             stats.sessions_total, stats.requests, stats.bytes_sent, stats.bytes_received);
  return EXIT_SUCCESS;
}

asio::awaitable<http::Outcome<http::StreamPtr>> connect(const http::Url& url) {
  const auto executor = co_await asio::this_coro::executor;
  tcp::socket socket(executor);
  const tcp::endpoint remote(asio::ip::make_address(url.host), url.port);
  auto [error] = co_await socket.async_connect(remote, asio::as_tuple(asio::use_awaitable));
  if (error) {
    co_return http::fail(
        http::ErrorKind::Connection,
        fmt::format("cannot reach {}: {}", http::authority_of(url), error.message()));
  }
  socket.set_option(tcp::no_delay(true));
  co_return http::make_stream(std::move(socket));
}

void print(const http::GetResult& result) {
  fmt::print(stderr, "{} octets ({} were there) in {} sha256 {}\n", result.bytes, result.resumed,
             result.path, result.sha256.empty() ? "-" : result.sha256);
}
void print(const http::PutResult& result) {
  fmt::print(stderr, "{} octets, {}, sha256 {}\n", result.bytes,
             result.created ? "created" : "replaced", result.sha256.empty() ? "-" : result.sha256);
}
void print(const http::HeadResult& result) {
  fmt::print("{} {} {} {}\n", result.size ? std::to_string(*result.size) : "-", result.etag,
             result.content_type, result.sha256.empty() ? "-" : result.sha256);
}
void print(const std::vector<http::ListEntry>& entries) {
  for (const http::ListEntry& entry : entries) {
    fmt::print("{} {} {}\n", entry.kind == http::ListEntry::Kind::Directory ? "d" : "-",
               entry.size ? std::to_string(*entry.size) : "-", entry.name);
  }
}

/// The kinds as exit codes from 10 on, so that a script sees which one it was.
template <class Result>
asio::awaitable<void> report(asio::awaitable<http::Outcome<Result>> operation, int& code) {
  const auto result = co_await std::move(operation);
  if (result) {
    print(*result);
    code = EXIT_SUCCESS;
    co_return;
  }
  fmt::print(stderr, "{}: {}. {}\n", http::name_of(result.error().kind), result.error().message,
             result.error().remedy);
  code = 10 + static_cast<int>(result.error().kind);
}

int run_client(const Arguments& arguments) {
  const std::string& command = arguments.at(0);
  const bool is_put = command == "put";
  const auto url = http::parse_url(arguments.at(is_put ? 2 : 1));
  if (!url) {
    fmt::print(stderr, "{}. {}\n", url.error().message, url.error().remedy);
    return EXIT_FAILURE;
  }
  asio::io_context context(1);
  http::ClientOptions options;
  options.stall_timeout =
      std::chrono::milliseconds(std::stoul(arguments.value("--stall", "30000")));
  options.answer_timeout = options.stall_timeout;
  http::Client client(connect, options);
  http::Progress progress;
  int code = EXIT_FAILURE;
  const auto start = [&](auto operation) {
    asio::co_spawn(context, report(std::move(operation), code), asio::detached);
  };
  if (command == "get") {
    http::GetOptions get;
    get.destination = arguments.at(2);
    get.resume = arguments.has("--resume");
    get.verify = arguments.has("--verify");
    get.sha256 = arguments.value("--sha256", "");
    start(client.get(*url, get, progress));
  } else if (is_put) {
    http::PutOptions put;
    if (arguments.has("--header")) put.digest = http::PutDigest::Header;
    if (arguments.has("--trailer")) put.digest = http::PutDigest::Trailer;
    start(client.put(arguments.at(1), *url, put, progress));
  } else if (command == "head") {
    start(client.head(*url, arguments.has("--verify")));
  } else {
    start(client.list(*url));
  }
  asio::signal_set signals(context, SIGINT);
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (!error) client.cancel();
  });
  while (code == EXIT_FAILURE && context.run_one() > 0) {
  }
  return code;
}

}  // namespace

int main(int count, char** values) {
  const Arguments arguments{{values + 1, values + count}};
  if (arguments.words.size() >= 3 && arguments.at(0) == "serve") return serve(arguments);
  if (arguments.words.size() >= 2) return run_client(arguments);
  fmt::print(stderr, "see the head of http_on_sockets.cpp for what can be said\n");
  return EXIT_FAILURE;
}
