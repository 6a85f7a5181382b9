#include "apps/http/session.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>

#include "apps/http/date.hpp"
#include "apps/http/part_reader.hpp"

namespace apps::http {
namespace {

constexpr std::uint32_t kHeaderLimit = 16 * 1024;
constexpr std::size_t kTargetLimit = 8 * 1024;
/// Octets of a file per write: large enough that the calls do not matter, small enough to stay in
/// the L2 cache.
constexpr std::size_t kSendBuffer = 256 * 1024;
/// A body that nobody wants is read to its end if it is at most this long; else the connection
/// ends.
constexpr std::uint64_t kDrainLimit = 256 * 1024;
/// How long the end of a connection waits for what the peer still sends.
constexpr std::chrono::seconds kLinger{3};

/// Why the header of a request could not be read, if the client deserves to be told.
std::optional<Reply> reply_to(const error_code& error, const boost::beast::flat_buffer& input) {
  if (error == bhttp::error::header_limit) {
    const std::string_view seen(static_cast<const char*>(input.data().data()), input.size());
    if (seen.find('\n') == std::string_view::npos) {
      return error_reply(bhttp::status::uri_too_long, "the request line is too long");
    }
    return error_reply(bhttp::status::request_header_fields_too_large,
                       "the header is larger than 16 KiB");
  }
  if (error == bhttp::error::bad_version) {
    return error_reply(bhttp::status::http_version_not_supported, "this server speaks HTTP/1.1");
  }
  const bool is_syntax =
      error.category() == bhttp::make_error_code(bhttp::error::bad_value).category();
  if (!is_syntax || error == bhttp::error::end_of_stream ||
      error == bhttp::error::partial_message) {
    return std::nullopt;
  }
  return error_reply(bhttp::status::bad_request, error.message());
}

}  // namespace

Session::Session(std::shared_ptr<ServerState> state, StreamPtr stream)
    : state_(std::move(state)), connection_(std::move(stream)) {}

asio::awaitable<void> Session::run() {
  // GCC 12 lays the frame of a coroutine out wrongly when `co_await` is in the condition of a loop.
  bool goes_on = true;
  while (goes_on && !state_->is_stopping)
    goes_on = co_await next_exchange();
  co_await connection_.linger(kLinger);
  if (connection_.watchdog().has_bitten()) ++state_->stats.timeouts;
}

void Session::stop() {
  if (is_idle_) connection_.abort();
}

asio::awaitable<bool> Session::wait_for_request() {
  if (connection_.input().size() > 0) co_return true;
  connection_.shrink();
  connection_.watchdog().arm(state_->options.idle_timeout);
  is_idle_ = true;
  const IoResult result = co_await connection_.fill();
  is_idle_ = false;
  co_return !result.error;
}

asio::awaitable<bool> Session::next_exchange() {
  const bool has_request = co_await wait_for_request();
  if (!has_request) co_return false;
  connection_.watchdog().arm(state_->options.header_timeout);
  const auto begin = std::chrono::steady_clock::now();
  const error_code error = co_await reader_.read_header(kHeaderLimit);
  connection_.watchdog().arm_stall(state_->options.stall_timeout, kStallMinimum);
  body_received_ = 0;
  body_sent_ = 0;
  target_.clear();
  if (error) {
    if (auto reply = reply_to(error, connection_.input())) {
      reply->close = true;
      co_await send(*reply);
    }
    co_return false;
  }
  ++state_->stats.requests;
  const std::string method(reader_.header().method_string());
  target_ = std::string(reader_.header().target());
  Reply reply = co_await answer();
  const bool goes_on = co_await finish_request(reply);
  reply.close = reply.close || !goes_on || state_->is_stopping;
  const error_code sent = co_await send(reply);
  if (state_->options.on_exchange) {
    state_->options.on_exchange({method, target_, reply.status(), body_received_, body_sent_,
                                 std::chrono::steady_clock::now() - begin, !sent});
  }
  co_return !sent && !reply.close;
}

std::optional<Reply> Session::why_refused() const {
  const Request& request = reader_.header();
  if (request.target().size() > kTargetLimit) {
    return error_reply(bhttp::status::uri_too_long, "the path is longer than 8 KiB");
  }
  if (request.version() >= 11 && request.count(bhttp::field::host) != 1) {
    return error_reply(bhttp::status::bad_request, "there must be one Host field");
  }
  const auto encoding = request[bhttp::field::transfer_encoding];
  if (!encoding.empty() && !boost::beast::iequals(encoding, "chunked")) {
    return error_reply(bhttp::status::not_implemented,
                       "the only transfer encoding here is chunked");
  }
  const auto expectation = request[bhttp::field::expect];
  if (!expectation.empty() && !boost::beast::iequals(expectation, "100-continue")) {
    return error_reply(bhttp::status::expectation_failed, "this expectation cannot be met");
  }
  return std::nullopt;
}

asio::awaitable<Reply> Session::answer() {
  const Request& request = reader_.header();
  owes_continue_ = request.version() >= 11 && request.count(bhttp::field::expect) > 0 &&
                   !reader_.is_body_done() && connection_.input().size() == 0;
  if (auto refusal = why_refused()) co_return std::move(*refusal);
  const std::string_view allowed =
      state_->options.read_only ? "GET, HEAD, OPTIONS" : "GET, HEAD, PUT, OPTIONS";
  if (request.method() == bhttp::verb::options) {
    Reply reply = make_reply(bhttp::status::no_content);
    reply.head.set(bhttp::field::allow, allowed);
    reply.head.set(bhttp::field::accept_ranges, "bytes");
    co_return reply;
  }
  if (request.method() == bhttp::verb::unknown) {
    co_return error_reply(bhttp::status::not_implemented, "the method is unknown");
  }
  const bool is_read =
      request.method() == bhttp::verb::get || request.method() == bhttp::verb::head;
  const bool is_put = request.method() == bhttp::verb::put && !state_->options.read_only;
  if (!is_read && !is_put) {
    Reply reply =
        error_reply(bhttp::status::method_not_allowed,
                    state_->options.read_only ? "this server only hands out files"
                                              : "the method is not one of GET, HEAD, PUT");
    reply.head.set(bhttp::field::allow, allowed);
    co_return reply;
  }
  const auto path = parse_request_target(target_);
  if (!path) co_return error_reply(bhttp::status::bad_request, path.error().message);
  if (is_put) co_return co_await answer_put(*path);
  co_return co_await answer_get(*path);
}

asio::awaitable<bool> Session::finish_request(const Reply& reply) {
  // A body that a GET brought, or that was refused, stands between this request and the next one.
  if (reply.close || !reader_.keeps_alive() || owes_continue_) co_return false;
  if (reader_.is_body_done()) co_return true;
  std::array<std::byte, 8 * 1024> waste{};
  std::uint64_t read = 0;
  while (!reader_.is_body_done()) {
    if (reader_.content_length().value_or(0) > kDrainLimit || read > kDrainLimit) co_return false;
    const IoResult result = co_await reader_.read_body(asio::buffer(waste));
    if (result.error) co_return false;
    read += result.bytes;
  }
  co_return true;
}

asio::awaitable<error_code> Session::send_interim(std::string_view text) {
  connection_.watchdog().arm(state_->options.stall_timeout);
  const error_code error = co_await connection_.write_all(text);
  connection_.watchdog().disarm();
  co_return error;
}

asio::awaitable<error_code> Session::send(Reply& reply) {
  auto& head = reply.head;
  head.set(bhttp::field::date, to_http_date(std::time(nullptr)));
  head.set(bhttp::field::server, state_->options.name);
  const bool has_length = head.count(bhttp::field::content_length) > 0;
  const bool is_bodiless = reply.status() == 204 || reply.status() == 304;
  if (!has_length && !is_bodiless) {
    head.set(bhttp::field::content_length, std::to_string(reply.body_size()));
  }
  if (reply.close) head.set(bhttp::field::connection, "close");
  // RFC 9112 §9.3: a client of HTTP/1.0 that asked for it must be told.
  if (!reply.close && !target_.empty() && reader_.header().version() < 11) {
    head.set(bhttp::field::connection, "keep-alive");
  }
  const bool is_head = !target_.empty() && reader_.header().method() == bhttp::verb::head;
  if (is_head) reply.body.clear();
  co_return co_await send_body(reply, to_text(head));
}

asio::awaitable<error_code> Session::send_body(Reply& reply, std::string head) {
  const std::uint64_t head_size = head.size();
  const std::uint64_t body_size = reply.body_size();
  reply.body.insert(reply.body.begin(), Part{std::move(head), 0, 0});
  const auto capacity =
      static_cast<std::size_t>(std::min<std::uint64_t>(head_size + body_size, kSendBuffer));
  const auto buffer = std::make_unique_for_overwrite<std::byte[]>(capacity);
  PartReader parts(state_->background, reply.file.fd.raw(), std::move(reply.body));
  connection_.watchdog().arm_stall(state_->options.stall_timeout, kStallMinimum);
  std::uint64_t sent = 0;
  while (sent < head_size + body_size) {
    const auto filled = co_await parts.fill({buffer.get(), capacity});
    // The header has promised more than there is: only the end of the connection can say so.
    if (!filled) {
      connection_.abort();
      co_return error_code(asio::error::connection_aborted);
    }
    const error_code error = co_await connection_.write_all(asio::buffer(buffer.get(), *filled));
    if (error) co_return error;
    sent += *filled;
    const std::uint64_t of_body =
        std::min<std::uint64_t>(*filled, sent - std::min(sent, head_size));
    body_sent_ += of_body;
    state_->stats.bytes_sent += of_body;
  }
  co_return error_code{};
}

}  // namespace apps::http
