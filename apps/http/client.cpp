#include "apps/http/client.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/beast/http/error.hpp>
#include <fmt/format.h>

#include "apps/files/file_io.hpp"
#include "apps/http/client_core.hpp"
#include "apps/http/digest_field.hpp"
#include "apps/http/listing.hpp"
#include "apps/http/reply.hpp"
#include "apps/http/text.hpp"
#include "dataplane/base/decimal.hpp"

namespace apps::http {
namespace {

constexpr std::uint32_t kAnswerHeaderLimit = 64 * 1024;
constexpr std::size_t kMaxErrorText = 1024;
constexpr std::uint64_t kMaxListing = 256 * 1024 * 1024;
constexpr std::uint64_t kDrainLimit = 256 * 1024;

std::string_view remedy_of(unsigned status) {
  switch (status) {
    case 401:
    case 407:
      return "The server wants a password; there is no way to give one.";
    case 403:
      return "The server may not hand this out or take it.";
    case 404:
      return "Look at the path; a URL that ends with a slash lists a directory.";
    case 405:
    case 501:
      return "The server does not do this; perhaps it only hands out files.";
    case 409:
      return "Look at the path; its directory must exist on the server.";
    case 413:
      return "The server takes smaller files only.";
    case 507:
      return "Make room on the server.";
    default:
      return status >= 500 ? "Try again later, or look at the server's log." : "";
  }
}

bool is_redirect(unsigned status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool is_http_error(const error_code& error) {
  return error.category() == bhttp::make_error_code(bhttp::error::bad_value).category() &&
         error != bhttp::error::partial_message && error != bhttp::error::end_of_stream;
}

std::string seconds(std::chrono::milliseconds time) {
  return fmt::format("{:g} s", static_cast<double>(time.count()) / 1000);
}

/// Control characters would let a server write to the terminal what it likes.
std::string printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return std::string(trim(text));
}

}  // namespace

Error local_error(std::string_view what, const std::error_code& error) {
  const bool is_full = files::is_no_space(error);
  return {is_full ? ErrorKind::DiskFull : ErrorKind::LocalFile,
          fmt::format("{}: {}", what, error.message()),
          is_full ? "Make room, or choose another place." : "Look at the path and its permissions.",
          0};
}

Connector connector_of(StreamPtr stream) {
  // A std::function must be copyable.
  auto shared = std::make_shared<StreamPtr>(std::move(stream));
  return [shared](const Url& url) -> asio::awaitable<Outcome<StreamPtr>> {
    if (!*shared) {
      co_return fail(ErrorKind::Broken, fmt::format("{} closed the connection", authority_of(url)),
                     "Try again.");
    }
    co_return std::exchange(*shared, nullptr);
  };
}

asio::awaitable<ClientCore::Done> ClientCore::connect(const Url& url) {
  if (is_cancelled) co_return fail(ErrorKind::Cancelled, "interrupted");
  if (connection && is_same_origin(origin, url)) {
    is_reused = true;
    co_return std::monostate{};
  }
  drop();
  auto stream = co_await connector(url);
  if (!stream) co_return Failure(stream.error());
  if (is_cancelled) co_return fail(ErrorKind::Cancelled, "interrupted");
  connection = std::make_shared<Connection>(std::move(*stream));
  reader.emplace(*connection);
  origin = url;
  is_reused = false;
  co_return std::monostate{};
}

ClientCore::RequestHead ClientCore::make_request(bhttp::verb method) const {
  RequestHead request;
  request.version(11);
  request.method(method);
  request.set(bhttp::field::user_agent, options.user_agent);
  // Files travel as they are: a compressed answer would have no ranges and another digest.
  request.set(bhttp::field::accept_encoding, "identity");
  return request;
}

asio::awaitable<ClientCore::Done> ClientCore::ask_once(const RequestHead& request, const Url& url) {
  auto connected = co_await connect(url);
  if (!connected) co_return connected;
  connection->watchdog().arm(options.answer_timeout);
  const error_code error = co_await connection->write_all(to_text(request));
  if (error && !is_reused) co_return Failure(broken(error, url));
  auto answered = co_await read_answer(request, url);
  if (answered || !is_reused || answered.error().kind != ErrorKind::Broken) co_return answered;
  // RFC 9112 §9.3.1: the server may have closed a kept connection while the request was under way.
  drop();
  connected = co_await connect(url);
  if (!connected) co_return connected;
  connection->watchdog().arm(options.answer_timeout);
  const error_code again = co_await connection->write_all(to_text(request));
  if (again) co_return Failure(broken(again, url));
  co_return co_await read_answer(request, url);
}

asio::awaitable<ClientCore::Done> ClientCore::read_answer(const RequestHead& request,
                                                          const Url& url) {
  bool is_final = false;
  while (!is_final) {
    if (request.method() == bhttp::verb::head) reader->expect_no_body();
    connection->watchdog().arm(options.answer_timeout);
    const error_code error = co_await reader->read_header(kAnswerHeaderLimit);
    connection->watchdog().disarm();
    if (error) co_return Failure(broken(error, url));
    // RFC 9110 §15.2: any number of interim answers may come first.
    is_final = answer().result_int() >= 200;
    if (answer().result_int() == 101) {
      co_return fail(ErrorKind::Protocol, "the server switches to another protocol");
    }
  }
  co_return std::monostate{};
}

asio::awaitable<ClientCore::Done> ClientCore::ask(RequestHead request, Url& url) {
  for (unsigned hops = 0;; ++hops) {
    request.target(url.target);
    request.set(bhttp::field::host, authority_of(url));
    auto done = co_await ask_once(request, url);
    if (!done) {
      drop();
      co_return done;
    }
    const unsigned status = answer().result_int();
    if (status < 300 || status == 304) co_return done;
    if (!is_redirect(status)) co_return Failure(co_await status_error(request, url));
    if (hops == options.max_redirects) {
      drop();
      co_return fail(ErrorKind::Protocol, fmt::format("more than {} redirects", hops),
                     "The server sends in circles.");
    }
    auto target = redirect_target(url);
    if (!target) {
      drop();
      co_return Failure(target.error());
    }
    co_await skip_body();
    release();
    url = std::move(*target);
  }
}

Outcome<Url> ClientCore::redirect_target(const Url& url) const {
  auto target = resolve(url, field("Location"));
  if (!target) return target;
  if (!is_same_origin(*target, url)) {
    return fail(ErrorKind::Status,
                fmt::format("{} sends us to another server: {}", authority_of(url),
                            printable(to_string(*target))),
                "Ask for that URL if you trust it.");
  }
  return target;
}

asio::awaitable<void> ClientCore::skip_body() {
  if (reader->content_length().value_or(kDrainLimit) > kDrainLimit) co_return;
  std::array<std::byte, 4096> waste{};
  std::uint64_t read = 0;
  bool goes_on = true;
  connection->watchdog().arm(options.stall_timeout);
  while (goes_on && !reader->is_body_done()) {
    const IoResult result = co_await reader->read_body(asio::buffer(waste));
    read += result.bytes;
    goes_on = !result.error && read <= kDrainLimit;
  }
  connection->watchdog().disarm();
}

asio::awaitable<Error> ClientCore::status_error(const RequestHead& request, const Url& url) {
  const unsigned status = answer().result_int();
  const auto reason = bhttp::obsolete_reason(answer().result());
  Error error{
      ErrorKind::Status,
      fmt::format("{} answered {} {} to {} {}", authority_of(url), status,
                  std::string_view(reason.data(), reason.size()),
                  std::string_view(request.method_string().data(), request.method_string().size()),
                  url.target),
      std::string(remedy_of(status)), status};
  if (field("Content-Type").starts_with("text/plain") && !reader->is_body_done()) {
    std::string text(kMaxErrorText, '\0');
    connection->watchdog().arm(options.stall_timeout);
    const IoResult result = co_await reader->read_body(asio::buffer(text));
    connection->watchdog().disarm();
    text.resize(result.bytes);
    text = printable(std::move(text));
    // Our own server begins with the status, which is said already.
    const std::string prefix =
        fmt::format("{} {}: ", status, std::string_view(reason.data(), reason.size()));
    if (text.starts_with(prefix)) text.erase(0, prefix.size());
    if (text.ends_with('.')) text.pop_back();
    if (!text.empty()) error.message += fmt::format(" ({})", text);
  }
  release();
  co_return error;
}

void ClientCore::release() {
  if (connection && (!reader->is_body_done() || !reader->keeps_alive())) drop();
}

void ClientCore::drop() {
  reader.reset();
  // A read that is under way would wait for ever.
  if (connection.use_count() > 1) connection->abort();
  connection.reset();
}

Error ClientCore::broken(const error_code& error, const Url& url) const {
  const std::string who = authority_of(url);
  if (is_cancelled) return {ErrorKind::Cancelled, "interrupted", "", 0};
  if (error == asio::error::timed_out && connection->watchdog().has_bitten()) {
    return {ErrorKind::TimedOut,
            fmt::format("nothing moved between {} and here for {}", who,
                        seconds(connection->watchdog().limit())),
            "Look whether the server and the way to it are alive, or raise the timeout.", 0};
  }
  if (is_http_error(error)) {
    return {ErrorKind::Protocol,
            fmt::format("what {} sends is not HTTP/1.1: {}", who, error.message()),
            "Look whether the port is that of an HTTP server.", 0};
  }
  const bool is_end = error == bhttp::error::partial_message ||
                      error == bhttp::error::end_of_stream || error == asio::error::eof;
  return {ErrorKind::Broken,
          is_end ? fmt::format("{} ended the connection too early", who)
                 : fmt::format("the connection to {} broke: {}", who, error.message()),
          "Look whether the server is still alive, and try again.", 0};
}

std::string_view ClientCore::field(std::string_view name) const {
  const auto value = answer()[boost::beast::string_view(name.data(), name.size())];
  return {value.data(), value.size()};
}

asio::awaitable<Outcome<HeadResult>> ClientCore::head(Url url, bool want_digest) {
  RequestHead request = make_request(bhttp::verb::head);
  if (want_digest) request.set("Want-Repr-Digest", kWantSha256);
  const auto asked = co_await ask(std::move(request), url);
  if (!asked) co_return Failure(asked.error());
  HeadResult result;
  result.size = dataplane::parse_decimal<std::uint64_t>(field("Content-Length"));
  result.etag = std::string(field("ETag"));
  result.last_modified = std::string(field("Last-Modified"));
  result.content_type = std::string(field("Content-Type"));
  result.accepts_ranges = field("Accept-Ranges") == "bytes";
  const DigestField digest = parse_digest_field(field("Repr-Digest"));
  if (digest.kind == DigestField::Kind::Present) result.sha256 = files::to_hex(digest.value);
  result.url = std::move(url);
  release();
  co_return result;
}

asio::awaitable<Outcome<std::vector<ListEntry>>> ClientCore::list(Url url) {
  if (!names_directory(url)) {
    url.target.insert(std::min(url.target.find('?'), url.target.size()), "/");
  }
  RequestHead request = make_request(bhttp::verb::get);
  request.set(bhttp::field::accept, "application/json");
  const auto asked = co_await ask(std::move(request), url);
  if (!asked) co_return Failure(asked.error());
  std::string text;
  while (!reader->is_body_done()) {
    const std::size_t before = text.size();
    text.resize(before + 64 * 1024);
    connection->watchdog().arm_stall(options.stall_timeout, kClientStallMinimum);
    const IoResult result = co_await reader->read_body(asio::buffer(text) + before);
    connection->watchdog().disarm();
    text.resize(before + result.bytes);
    if (result.error || text.size() > kMaxListing) {
      Error error = result.error ? broken(result.error, url)
                                 : Error{ErrorKind::Protocol, "the listing has no end", "", 0};
      drop();
      co_return Failure(std::move(error));
    }
  }
  release();
  co_return parse_json_listing(text);
}

Client::Client(Connector connector, ClientOptions options)
    : core_(std::make_unique<ClientCore>(std::move(connector), std::move(options))) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

asio::awaitable<Outcome<HeadResult>> Client::head(Url url, bool want_digest) {
  return core_->head(std::move(url), want_digest);
}

asio::awaitable<Outcome<std::vector<ListEntry>>> Client::list(Url url) {
  return core_->list(std::move(url));
}

asio::awaitable<Outcome<GetResult>> Client::get(Url url, GetOptions options, Progress& progress) {
  return core_->get(std::move(url), std::move(options), progress);
}

asio::awaitable<Outcome<PutResult>> Client::put(std::string file, Url url, PutOptions options,
                                                Progress& progress) {
  return core_->put(std::move(file), std::move(url), options, progress);
}

void Client::cancel() {
  core_->is_cancelled = true;
  core_->cancel_hash = true;
  if (core_->connection) core_->connection->abort();
}

}  // namespace apps::http
