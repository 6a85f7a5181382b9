#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "apps/common/units.hpp"
#include "apps/hawser/context.hpp"
#include "apps/hawser/engine_stream.hpp"
#include "apps/hawser/http_error.hpp"
#include "apps/hawser/listen.hpp"
#include "apps/http/server.hpp"
#include "mptcp/api/acceptor.hpp"

namespace apps::hawser {

namespace {

namespace asio = boost::asio;
using dataplane::Duration;
using dataplane::Instant;
using namespace std::chrono_literals;

constexpr Duration kLook = 20ms;
/// What is under way when the server is asked to stop has so long to end.
constexpr Duration kGrace = 5s;

/// What a peer sent, fit for a log: one line, no control characters.
std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 1024)) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet >= 0x20 && octet < 0x7f)
      out += c;
    else
      out += fmt::format("\\x{:02x}", octet);
  }
  return out;
}

void log_exchange(Reporter& reporter, const http::Exchange& exchange) {
  const double seconds = std::max(static_cast<double>(exchange.elapsed.count()) / 1e9, 1e-9);
  const std::uint64_t bytes = exchange.bytes_sent + exchange.bytes_received;
  reporter.line(fmt::format(
      "{} {} {}  {} in {} ({}){}", printable(exchange.method), printable(exchange.target),
      exchange.status, format_size(bytes), format_elapsed(seconds),
      format_rate(static_cast<double>(bytes) * 8 / seconds), exchange.complete ? "" : "  cut"));
  reporter.event("request", {{"method", printable(exchange.method)},
                             {"target", printable(exchange.target)},
                             {"status", exchange.status},
                             {"received_bytes", exchange.bytes_received},
                             {"sent_bytes", exchange.bytes_sent},
                             {"elapsed_s", seconds},
                             {"complete", exchange.complete}});
}

/// The HTTP server of one core, for the connections that reach it.
class ServeCore final : public CoreApplication {
 public:
  ServeCore(Context& context, std::size_t index, std::unique_ptr<http::Server> server)
      : context_(context),
        index_(index),
        server_(std::move(server)),
        runtime_(context.engine.core(index)),
        acceptor_(runtime_) {
    runtime_.set_wake([&engine = context.engine, index] { engine.wake(index); });
  }

  /// Before the loop runs.
  mptcp::api::error_code listen(const dataplane::Endpoint& local) {
    mptcp::api::error_code error;
    acceptor_.listen(local, error);
    if (!error) asio::co_spawn(runtime_.get_executor(), accept_all(), asio::detached);
    return error;
  }

  bool poll(Instant now) override {
    const bool busy = runtime_.poll(now);
    if (now < next_look_) return busy;
    next_look_ = now + kLook;
    if (index_ == 0) look_around(now);
    return busy;
  }

  http::ServerStats stats() const { return server_->stats(); }

 private:
  asio::awaitable<void> accept_all() {
    for (;;) {
      auto [error, stream] = co_await acceptor_.async_accept(asio::as_tuple(asio::use_awaitable));
      if (error == asio::error::operation_aborted || !acceptor_.is_open()) co_return;
      if (error) continue;
      asio::co_spawn(runtime_.get_executor(),
                     server_->serve(std::make_unique<EngineStream>(std::move(stream), paths_)),
                     asio::detached);
    }
  }

  void look_around(Instant now) {
    if (context_.signals.poll(now)) {
      if (stopping_at_) return context_.engine.stop();
      stopping_at_ = now;
      acceptor_.close();
      server_->stop();
      if (server_->stats().sessions_open != 0)
        context_.reporter.line("ending what is under way; Ctrl-C again to end at once");
    }
    if (stopping_at_ && (server_->stats().sessions_open == 0 || now - *stopping_at_ > kGrace))
      context_.engine.stop();
  }

  Context& context_;
  std::size_t index_;
  std::unique_ptr<http::Server> server_;
  std::shared_ptr<Paths> paths_ = std::make_shared<Paths>();
  mptcp::api::Runtime runtime_;
  mptcp::api::Acceptor acceptor_;
  std::optional<Instant> stopping_at_;
  Instant next_look_{};
};

ExitCode say_summary(Context& context, const std::vector<std::unique_ptr<ServeCore>>& cores) {
  http::ServerStats sum;
  for (const auto& core : cores) {
    const http::ServerStats stats = core->stats();
    sum.sessions_total += stats.sessions_total;
    sum.requests += stats.requests;
    sum.bytes_received += stats.bytes_received;
    sum.bytes_sent += stats.bytes_sent;
    sum.timeouts += stats.timeouts;
    sum.files_stored += stats.files_stored;
  }
  context.reporter.summary(
      ExitCode::Ok,
      fmt::format("{} requests on {} connections, {} sent, {} received", sum.requests,
                  sum.sessions_total, format_size(sum.bytes_sent), format_size(sum.bytes_received)),
      {{"requests", sum.requests},
       {"connections", sum.sessions_total},
       {"sent_bytes", sum.bytes_sent},
       {"received_bytes", sum.bytes_received},
       {"files_stored", sum.files_stored},
       {"timeouts", sum.timeouts}});
  return ExitCode::Ok;
}

}  // namespace

ExitCode run_serve(Context& context, const ServeOptions& options) {
  std::vector<std::unique_ptr<ServeCore>> cores;
  std::vector<CoreApplication*> applications;
  for (std::size_t i = 0; i < context.engine.core_count(); ++i) {
    http::ServerOptions server;
    server.root = options.root;
    server.read_only = options.read_only;
    server.name = fmt::format("hawser/{}", version());
    server.on_exchange = [&reporter = context.reporter](const http::Exchange& exchange) {
      log_exchange(reporter, exchange);
    };
    auto opened = http::Server::open(std::move(server));
    if (!opened) {
      const ExitCode code = exit_code_of(opened.error().kind);
      context.reporter.error(code, text_of(opened.error()));
      return code;
    }
    cores.push_back(std::make_unique<ServeCore>(context, i, *std::move(opened)));
    if (const auto error = cores.back()->listen(endpoint_of(options.listen))) {
      context.reporter.error(ExitCode::Setup, listen_failure(options.listen, error.message()));
      return ExitCode::Setup;
    }
    applications.push_back(cores.back().get());
  }
  announce_listening(context, options.listen, fmt::format("serving {}", options.root));
  context.engine.run(applications);
  return say_summary(context, cores);
}

}  // namespace apps::hawser
