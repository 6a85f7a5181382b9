#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include "apps/files/file_io.hpp"
#include "apps/files/root.hpp"
#include "apps/http/client_core.hpp"
#include "apps/http/digest_field.hpp"
#include "apps/http/reply.hpp"

namespace apps::http {
namespace {

constexpr std::size_t kSendBuffer = 256 * 1024;
/// A body of this size is worth a question whether the server takes it.
constexpr std::uint64_t kExpectContinue = 1024 * 1024;
/// How long the answer to that question may take; a server that does not know it never answers (RFC
/// 9110 §10.1.1).
constexpr std::chrono::seconds kContinueWait{1};
/// Room for the size line of a chunk.
constexpr std::size_t kChunkHead = 16;
/// Octets of the file in one write.
constexpr std::size_t kPiece = kSendBuffer - kChunkHead - 2;
/// How long the reason for a broken connection may be under way.
constexpr std::chrono::milliseconds kLastWords{200};

/// Reads ahead while a body is being sent, because a server that refuses it says so early.
class EarlyReader {
 public:
  explicit EarlyReader(std::shared_ptr<Connection> connection)
      : connection_(std::move(connection)),
        state_(std::make_shared<State>(connection_->executor())) {}

  /// Begins to wait for octets from the server.
  void start() {
    state_->is_done = false;
    auto work = [](std::shared_ptr<Connection> connection,
                   std::shared_ptr<State> state) -> asio::awaitable<void> {
      co_await connection->fill();
      state->is_done = true;
      state->timer.cancel();
    };
    asio::co_spawn(connection_->executor(), work(connection_, state_), asio::detached);
  }
  /// Whether something came, or the connection ended.
  bool is_done() const { return state_->is_done; }
  asio::awaitable<void> wait(std::chrono::steady_clock::duration limit) {
    if (state_->is_done) co_return;
    state_->timer.expires_after(limit);
    co_await state_->timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }

 private:
  struct State {
    explicit State(const asio::any_io_executor& executor) : timer(executor) {}
    asio::steady_timer timer;
    bool is_done = true;
  };

  std::shared_ptr<Connection> connection_;
  std::shared_ptr<State> state_;
};

/// One PUT of a file.
class Upload {
 public:
  Upload(ClientCore& client, std::string path, Url url, PutOptions wishes, Progress& progress)
      : client_(client),
        path_(std::move(path)),
        url_(std::move(url)),
        wishes_(wishes),
        progress_(progress) {}

  asio::awaitable<Outcome<PutResult>> run() {
    Done done = open();
    if (done) done = co_await hash_ahead();
    if (done) done = co_await send_header();
    if (done && !is_answered_) done = co_await send_body();
    if (done && !is_answered_) done = co_await client_.read_answer(request_, url_);
    if (!done) co_return Failure(done.error());
    const unsigned status = client_.answer().result_int();
    if (status >= 300) co_return Failure(co_await client_.status_error(request_, url_));
    co_await client_.skip_body();
    PutResult result{size_, status == 201, {}, url_};
    if (digest_) result.sha256 = files::to_hex(*digest_);
    client_.release();
    if (is_answered_) client_.drop();  // The body did not go out whole.
    co_return result;
  }

 private:
  using Done = ClientCore::Done;

  Done cannot_read(const std::error_code& error) const {
    return Failure(local_error(fmt::format("cannot read '{}'", path_), error));
  }

  Done open() {
    file_.fd = files::UniqueFd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file_.fd || ::fstat(file_.fd.raw(), &file_.info) != 0) {
      return cannot_read(files::last_error());
    }
    if (!file_.is_regular()) {
      return fail(ErrorKind::LocalFile, fmt::format("'{}' is not a file", path_),
                  "Only files can be sent; name each one.");
    }
    size_ = file_.size();
    if (names_directory(url_)) url_ = child_of(url_, path_.substr(path_.rfind('/') + 1));
    progress_.done = 0;
    progress_.resumed = 0;
    progress_.total = size_;
    return {};
  }

  asio::awaitable<Done> hash_ahead() {
    if (wishes_.digest != PutDigest::Header) co_return Done();
    auto job = [&] { return files::sha256_of(file_.fd.raw(), 0, size_, client_.cancel_hash); };
    const auto value = co_await client_.background.run(job);
    if (!value) co_return cannot_read(value.error());
    digest_ = *value;
    co_return Done();
  }

  asio::awaitable<Done> send_header() {
    request_ = client_.make_request(bhttp::verb::put);
    request_.target(url_.target);
    request_.set(bhttp::field::host, authority_of(url_));
    request_.set(bhttp::field::content_type, "application/octet-stream");
    is_chunked_ = wishes_.digest == PutDigest::Trailer;
    if (is_chunked_) {
      request_.set(bhttp::field::transfer_encoding, "chunked");
      request_.set(bhttp::field::trailer, "Repr-Digest");
    } else {
      request_.set(bhttp::field::content_length, std::to_string(size_));
    }
    if (digest_) request_.set("Repr-Digest", to_digest_field(*digest_));
    const bool asks_first = size_ >= kExpectContinue;
    if (asks_first) request_.set(bhttp::field::expect, "100-continue");
    Done done = co_await write_header();
    if (!done) co_return done;
    early_.emplace(client_.connection);
    early_->start();
    if (asks_first) {
      co_await early_->wait(kContinueWait);
      if (early_->is_done()) co_return co_await on_early_answer();
    }
    co_return done;
  }

  asio::awaitable<Done> write_header() {
    const Done done = co_await client_.connect(url_);
    if (!done) co_return done;
    client_.connection->watchdog().arm_stall(client_.options.stall_timeout, kClientStallMinimum);
    const error_code error = co_await client_.connection->write_all(to_text(request_));
    if (error) co_return Failure(client_.broken(error, url_));
    co_return done;
  }

  /// The server speaks before the body is through: "go on", or its last word.
  asio::awaitable<Done> on_early_answer() {
    Connection& connection = *client_.connection;
    connection.watchdog().arm(client_.options.answer_timeout);
    const error_code error = co_await client_.reader->read_header(64 * 1024);
    connection.watchdog().disarm();
    if (error) co_return Failure(client_.broken(error, url_));
    is_answered_ = client_.answer().result_int() >= 200;
    if (!is_answered_ && connection.input().size() == 0) early_->start();
    co_return Done();
  }

  asio::awaitable<Done> send_body() {
    Connection& connection = *client_.connection;
    const auto buffer = std::make_unique_for_overwrite<std::byte[]>(kSendBuffer);
    std::uint64_t sent = 0;
    Done done;
    connection.set_meter(&progress_.done);
    while (done && !is_answered_ && sent < size_) {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(size_ - sent, kPiece));
      const std::size_t head = is_chunked_ ? kChunkHead : 0;
      done = co_await read({buffer.get() + head, n}, sent);
      if (!done) break;
      const asio::const_buffer piece = framed(buffer.get(), n);
      connection.watchdog().arm_stall(client_.options.stall_timeout, kClientStallMinimum);
      const error_code error = co_await connection.write_all(piece);
      sent += n;
      progress_.done = sent;
      if (error) co_await early_->wait(kLastWords);
      if (early_->is_done()) {
        done = co_await on_early_answer();
      } else if (error) {
        done = Failure(client_.broken(error, url_));
      }
    }
    connection.set_meter(nullptr);
    if (done && !is_answered_ && is_chunked_) done = co_await send_trailer();
    connection.watchdog().disarm();
    if (done && !is_answered_) done = co_await await_answer();
    if (!done) client_.drop();
    co_return done;
  }

  /// Reads the next piece, and hashes it if the digest comes behind the body.
  asio::awaitable<Done> read(files::MutableBytes into, std::uint64_t offset) {
    // Hashing takes too long for the loop that moves packets, reading what is cached does not.
    files::Result<std::size_t> got = 0;
    if (!is_chunked_) got = files::read_cached_at(file_.fd.raw(), into, offset);
    if (!got || *got < into.size()) {
      auto job = [&] {
        auto n = files::read_at(file_.fd.raw(), into, offset);
        if (is_chunked_ && n) hash_.update(into.first(*n));
        return n;
      };
      got = co_await client_.background.run(job);
    }
    if (!got) co_return cannot_read(got.error());
    if (*got < into.size()) {
      co_return fail(ErrorKind::LocalFile,
                     fmt::format("'{}' became shorter while it was sent", path_),
                     "Send it again when nobody writes it.");
    }
    co_return Done();
  }

  /// The chunk around a piece (RFC 9112 §7.1); the piece itself without chunks.
  asio::const_buffer framed(std::byte* buffer, std::size_t n) const {
    if (!is_chunked_) return {buffer, n};
    const std::string head = fmt::format("{:x}\r\n", n);
    std::byte* const begin = buffer + kChunkHead - head.size();
    std::memcpy(begin, head.data(), head.size());
    std::memcpy(buffer + kChunkHead + n, "\r\n", 2);
    return {begin, head.size() + n + 2};
  }

  asio::awaitable<Done> send_trailer() {
    digest_ = hash_.finish();
    const std::string text = fmt::format("0\r\nRepr-Digest: {}\r\n\r\n", to_digest_field(*digest_));
    const error_code error = co_await client_.connection->write_all(text);
    if (error) co_return Failure(client_.broken(error, url_));
    co_return Done();
  }

  /// The reader must have come to its end before anybody else reads.
  asio::awaitable<Done> await_answer() {
    Connection& connection = *client_.connection;
    connection.watchdog().arm(client_.options.answer_timeout);
    while (!early_->is_done())
      co_await early_->wait(client_.options.answer_timeout);
    connection.watchdog().disarm();
    co_return Done();
  }

  ClientCore& client_;
  std::string path_;
  Url url_;
  PutOptions wishes_;
  Progress& progress_;
  files::OpenFile file_;
  std::uint64_t size_ = 0;
  ClientCore::RequestHead request_;
  std::optional<EarlyReader> early_;
  bool is_chunked_ = false;
  bool is_answered_ = false;  ///< The final answer came before the end of the body.
  files::Sha256 hash_;
  std::optional<files::Sha256Value> digest_;
};

}  // namespace

asio::awaitable<Outcome<PutResult>> ClientCore::put(std::string file, Url url, PutOptions wishes,
                                                    Progress& progress) {
  const bool was_kept = connection != nullptr;
  Upload upload(*this, file, url, wishes, progress);
  auto result = co_await upload.run();
  if (!result) drop();
  if (result || !was_kept || result.error().kind != ErrorKind::Broken) co_return result;
  // RFC 9112 §9.3.1: the server may have closed a kept connection. PUT may be sent again.
  Upload again(*this, std::move(file), std::move(url), wishes, progress);
  result = co_await again.run();
  if (!result) drop();
  co_return result;
}

}  // namespace apps::http
