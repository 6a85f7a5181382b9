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

}  // namespace

int main(int count, char** values) {
  const Arguments arguments{{values + 1, values + count}};
  if (arguments.words.size() >= 3 && arguments.at(0) == "serve") return serve(arguments);
  fmt::print(stderr, "see the head of http_on_sockets.cpp for what can be said\n");
  return EXIT_FAILURE;
}
