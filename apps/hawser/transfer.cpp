#include "apps/hawser/transfer.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/error.hpp>
#include <fmt/format.h>

#include "apps/common/units.hpp"

namespace apps::hawser {

namespace {

namespace asio = boost::asio;
using dataplane::Duration;
using dataplane::Instant;
using namespace std::chrono_literals;

constexpr Duration kLook = 20ms;
/// The last segments of a connection still have to go out and be answered.
constexpr Duration kDrain = 20ms;

std::chrono::milliseconds to_milliseconds(Duration duration) {
  return std::chrono::ceil<std::chrono::milliseconds>(duration);
}

/// A peer that vanished is noticed within the timeout, also while nothing is to be sent.
dataplane::tcp::Config with_timeout(dataplane::tcp::Config tcp, Duration timeout) {
  tcp.keepalive_idle = timeout / 2;
  tcp.keepalive_interval = std::max<Duration>(timeout / 8, 1ms);
  tcp.keepalive_probes = 3;
  if (tcp.user_timeout == Duration{0} || tcp.user_timeout > timeout) tcp.user_timeout = timeout;
  return tcp;
}

std::uint64_t total_bytes(const std::vector<PathSample>& paths) {
  std::uint64_t total = 0;
  for (const PathSample& path : paths)
    total += path.bytes;
  return total;
}

}  // namespace

Transfer::Transfer(Context& context, const TransferTimeouts& timeouts)
    : context_(context), timeouts_(timeouts), runtime_(context.engine.core(0)) {
  runtime_.set_wake([&engine = context.engine] { engine.wake(0); });
  http::ClientOptions options;
  options.answer_timeout = to_milliseconds(timeouts.answer);
  options.stall_timeout = to_milliseconds(timeouts.stall);
  options.user_agent = fmt::format("hawser/{}", version());
  client_ = std::make_unique<http::Client>([this](const http::Url& url) { return connect(url); },
                                           options);
}

asio::awaitable<http::Outcome<http::StreamPtr>> Transfer::connect(const http::Url& url) {
  const auto address = dataplane::IpAddress::parse(url.host);
  if (!address)
    co_return http::fail(http::ErrorKind::Connection,
                         fmt::format("\"{}\" is a name, and names are not resolved", url.host),
                         "Write the server's address, such as http://10.9.0.2:8080/ or "
                         "http://[fd00:9::2]:8080/.");
  const dataplane::Endpoint remote{*address, url.port};
  mptcp::api::Stream stream(runtime_);
  stream.expires_after(timeouts_.stall);
  const auto [error] = co_await stream.async_connect(
      mptcp::Core::ConnectOptions{
          .remote = remote, .local = {}, .tcp = with_timeout(context_.config.tcp, timeouts_.stall)},
      asio::as_tuple(asio::use_awaitable));
  if (error) {
    const bool timed_out = error == boost::beast::error::timeout || error == asio::error::timed_out;
    co_return http::fail(
        timed_out ? http::ErrorKind::TimedOut : http::ErrorKind::Connection,
        timed_out ? fmt::format("{} did not answer for {}", remote.to_string(),
                                format_elapsed(to_seconds(timeouts_.stall)))
                  : fmt::format("no connection to {}: {}", remote.to_string(), error.message()),
        "Is the server running, and is its address one that a port's subnet or gateway reaches?");
  }
  stream.expires_never();
  co_return std::make_unique<EngineStream>(std::move(stream), paths_);
}

TransferOutcome Transfer::run(std::function<asio::awaitable<TransferOutcome>()> work) {
  started_ = ended_ = context_.engine.now();
  asio::co_spawn(runtime_.get_executor(), std::move(work),
                 [this](const std::exception_ptr& exception, TransferOutcome outcome) {
                   if (exception) std::rethrow_exception(exception);
                   outcome_ = std::move(outcome);
                   done_ = true;
                 });
  // The other cores only move what is theirs: nothing, as the client lives on core 0.
  class Idle final : public CoreApplication {
   public:
    bool poll(Instant) override { return false; }
  };
  Idle idle;
  std::vector<CoreApplication*> applications(context_.engine.core_count(), &idle);
  applications.front() = this;
  context_.engine.run(applications);
  if (outcome_ && outcome_->kind == http::ErrorKind::Broken && paths_->has_timed_out())
    outcome_->kind = http::ErrorKind::TimedOut;
  return std::move(outcome_);
}

bool Transfer::poll(Instant now) {
  const bool busy = runtime_.poll(now);
  if (done_ && !done_at_) {
    done_at_ = ended_ = now;
    watch_paths(now);
    client_.reset();
  }
  if (done_at_ && (now - *done_at_ >= kDrain || context_.engine.core(0).connection_count() == 0))
    context_.engine.stop();
  if (now >= next_look_ && !done_) look_around(now);
  return busy;
}

void Transfer::look_around(Instant now) {
  next_look_ = now + kLook;
  if (context_.signals.poll(now)) client_->cancel();
  const std::uint64_t total = progress_.total.load(std::memory_order_relaxed);
  Progress progress;
  progress.label = label_;
  progress.done = progress_.done.load(std::memory_order_relaxed);
  if (total != http::Progress::kUnknown) progress.total = total;
  progress.paths = paths_->samples();
  watch_paths(now);
  watch_pauses(now);
  context_.reporter.progress(now, progress);
}

void Transfer::watch_pauses(Instant now) {
  const std::uint64_t moved = progress_.done.load(std::memory_order_relaxed);
  if (moved == moved_) return;
  if (moved_at_ && moved > moved_) longest_pause_ = std::max(longest_pause_, now - *moved_at_);
  moved_ = moved;
  moved_at_ = now;
}

double Transfer::longest_pause_seconds() const { return to_seconds(longest_pause_); }

void Transfer::watch_paths(Instant now) {
  for (const PathWatch::Change& change : watch_.look(now, paths_->samples())) {
    const dataplane::FourTuple& tuple = change.path.tuple;
    context_.reporter.line(fmt::format("path {} > {} {}", tuple.local.to_string(),
                                       tuple.remote.to_string(), change.what));
    context_.reporter.event("path", {{"local", tuple.local.to_string()},
                                     {"remote", tuple.remote.to_string()},
                                     {"what", change.what},
                                     {"after_s", to_seconds(change.after)},
                                     {"bytes", change.path.bytes}});
  }
}

std::string Transfer::paths_text() const {
  const std::vector<PathSample> paths = watch_.all();
  if (paths.size() < 2) return {};
  const auto total = static_cast<double>(total_bytes(paths));
  std::string text = fmt::format("\n  longest pause {}", format_short(longest_pause_));
  for (const PathSample& path : paths)
    text += fmt::format("\n  {} > {}  {}  {:.1f}%", path.tuple.local.to_string(),
                        path.tuple.remote.to_string(), format_size(path.bytes),
                        total > 0 ? 100 * static_cast<double>(path.bytes) / total : 0.0);
  return text;
}

boost::json::array Transfer::paths_fields() const {
  boost::json::array fields;
  for (const PathSample& path : watch_.all())
    fields.push_back(path_fields(
        path, elapsed_seconds() > 0 ? static_cast<double>(path.bytes) * 8 / elapsed_seconds() : 0));
  return fields;
}

double Transfer::elapsed_seconds() const { return to_seconds(ended_ - started_); }

}  // namespace apps::hawser
