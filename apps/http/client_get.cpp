#include <algorithm>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "apps/files/file_io.hpp"
#include "apps/files/partial_file.hpp"
#include "apps/http/client_core.hpp"
#include "apps/http/digest_field.hpp"
#include "apps/http/file_sink.hpp"
#include "apps/http/text.hpp"
#include "apps/http/validators.hpp"
#include "dataplane/base/decimal.hpp"

namespace apps::http {
namespace {

using files::PartialFile;

constexpr std::string_view kStandardOutput = "-";

bool is_directory(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

/// The file that a destination means, or "-".
Outcome<std::string> destination_of(const std::string& wish, const Url& url) {
  if (wish == kStandardOutput) return wish;
  if (!wish.empty() && !wish.ends_with('/') && !is_directory(wish)) return wish;
  const std::string name = file_name_of(url);
  if (name.empty()) {
    return fail(ErrorKind::LocalFile, fmt::format("{} has no file name in it", to_string(url)),
                "Name a file as the destination.");
  }
  if (wish.empty()) return name;
  return wish.ends_with('/') ? wish + name : wish + "/" + name;
}

/// "bytes 5-9/100": where a partial answer begins, and how large the file is.
struct ContentRange {
  std::uint64_t offset = 0;
  std::uint64_t total = 0;
};
std::optional<ContentRange> parse_content_range(std::string_view field) {
  constexpr std::string_view kUnit = "bytes ";
  if (!field.starts_with(kUnit)) return std::nullopt;
  field.remove_prefix(kUnit.size());
  const auto offset = dataplane::parse_decimal<std::uint64_t>(next_item(field, '-'));
  const auto last = dataplane::parse_decimal<std::uint64_t>(next_item(field, '/'));
  const auto total = dataplane::parse_decimal<std::uint64_t>(trim(field));
  if (!offset || !last || !total || *last + 1 != *total) return std::nullopt;
  return ContentRange{*offset, *total};
}

/// One GET on its way into a file.
class Fetch {
 public:
  Fetch(ClientCore& client, Url url, GetOptions wishes, Progress& progress)
      : client_(client), url_(std::move(url)), wishes_(std::move(wishes)), progress_(progress) {}

  asio::awaitable<Outcome<GetResult>> run() {
    auto path = destination_of(wishes_.destination, url_);
    if (!path) co_return Failure(path.error());
    path_ = std::move(*path);
    if (!is_stdout() && wishes_.resume) co_await look_for_part();
    Done done = co_await ask();
    if (done) done = co_await receive();
    if (done) done = co_await verify();
    if (done) done = co_await commit();
    if (!done) {
      if (done.error().kind != ErrorKind::Checksum && is_resumable_ && file_) file_->keep();
      co_return Failure(done.error());
    }
    GetResult result{offset_ + received_, offset_, path_, {}, url_};
    if (verified_) result.sha256 = files::to_hex(*verified_);
    co_return result;
  }

 private:
  using Done = ClientCore::Done;

  bool is_stdout() const { return path_ == kStandardOutput; }
  Done cannot_write(const std::error_code& error) const {
    return Failure(local_error(fmt::format("cannot write '{}'", path_), error));
  }

  /// If an earlier attempt left something, and the server's file is still the one that it came
  /// from, goes on there.
  asio::awaitable<void> look_for_part() {
    auto place = files::local_place_of(path_);
    if (!place) co_return;
    const std::vector<std::string> parts = files::find_parts(*place);
    if (parts.empty()) co_return;
    const auto head = co_await client_.head(url_, false);
    if (!head || !is_strong(head->etag) || !head->size) co_return;
    const std::string part = files::part_name(place->name, head->etag);
    for (const std::string& stale : parts) {
      if (stale != part) ::unlinkat(place->directory.raw(), stale.c_str(), 0);
    }
    if (std::ranges::find(parts, part) == parts.end()) co_return;
    auto file = PartialFile::open_resumable(std::move(*place), part);
    if (!file) co_return;
    // The last octet is fetched again, so that there is always something to ask for.
    const std::uint64_t limit = *head->size > 0 ? *head->size - 1 : 0;
    offset_ = std::min(file->size().value_or(0), limit);
    etag_ = head->etag;
    is_resumable_ = true;
    file_.emplace(std::move(*file));
  }

  asio::awaitable<Done> ask() {
    auto request = client_.make_request(bhttp::verb::get);
    if (offset_ > 0) {
      request.set(bhttp::field::range, fmt::format("bytes={}-", offset_));
      request.set(bhttp::field::if_range, etag_);
    }
    if (wishes_.verify) request.set("Want-Repr-Digest", kWantSha256);
    Done asked = co_await client_.ask(std::move(request), url_);
    if (!asked) co_return asked;
    if (const auto coding = client_.field("Content-Encoding");
        !coding.empty() && coding != "identity") {
      co_return fail(ErrorKind::Protocol, fmt::format("the server sends the file as {}", coding),
                     "Ask its operator to switch compression off.");
    }
    const bool is_partial = client_.answer().result_int() == 206;
    if (is_partial != (offset_ > 0)) {
      if (is_partial)
        co_return fail(ErrorKind::Protocol, "the server sends a part nobody asked for");
      offset_ = 0;  // Another file by now, or a server without ranges: from the beginning.
    }
    total_ = client_.reader->content_length();
    if (is_partial) {
      const auto range = parse_content_range(client_.field("Content-Range"));
      if (!range || range->offset != offset_) {
        co_return fail(ErrorKind::Protocol, "the server sends another part than was asked for");
      }
      total_ = range->total;
    }
    const std::string etag(client_.field("ETag"));
    const bool is_another = etag != etag_;
    etag_ = etag;
    co_return is_stdout() ? Done() : open_file(is_another);
  }

  Done open_file(bool is_another) {
    if (file_ && is_another) file_.reset();
    if (!file_) {
      auto place = files::local_place_of(path_);
      if (!place) return cannot_write(place.error());
      is_resumable_ = wishes_.resume && is_strong(etag_);
      const std::string part = files::part_name(place->name, etag_);
      auto file = is_resumable_ ? PartialFile::open_resumable(std::move(*place), part)
                                : PartialFile::create(std::move(*place));
      if (!file) return cannot_write(file.error());
      file_.emplace(std::move(*file));
    }
    if (const auto error = file_->truncate(offset_)) return cannot_write(error);
    const auto free = files::free_space(file_->fd());
    if (free && total_ && *total_ - offset_ > *free) {
      return cannot_write(std::make_error_code(std::errc::no_space_on_device));
    }
    return {};
  }

  /// Of the whole file, as far as anyone has told.
  void note_expected_digests() {
    DigestField digest = parse_digest_field(client_.field("Repr-Digest"));
    if (digest.kind != DigestField::Kind::Present && offset_ == 0) {
      digest = parse_digest_field(client_.field("Content-Digest"));
    }
    if (digest.kind == DigestField::Kind::Present) told_ = digest.value;
  }

  asio::awaitable<Done> receive() {
    note_expected_digests();
    FileSink::Options options;
    options.offset = offset_;
    options.is_seekable = !is_stdout();
    options.is_flushed_early = wishes_.sync && !is_stdout();
    if (wishes_.verify || told_ || !wishes_.sha256.empty()) {
      options.hash.emplace();
      auto job = [&] {
        const int fd = file_ ? file_->fd() : -1;
        return files::hash_range(*options.hash, fd, 0, offset_, client_.cancel_hash);
      };
      std::error_code error;
      if (offset_ > 0) error = co_await client_.background.run(job);
      if (error) co_return cannot_write(error);
    }
    const bool is_hashed = options.hash.has_value();
    progress_.total = total_.value_or(Progress::kUnknown);
    progress_.resumed = offset_;
    progress_.done = offset_;
    Connection& connection = *client_.connection;
    FileSink sink(client_.background, connection.executor(),
                  is_stdout() ? STDOUT_FILENO : file_->fd(), std::move(options));
    connection.set_meter(&progress_.done);
    std::error_code failure;
    error_code broken;
    while (!client_.reader->is_body_done() && !failure && !broken) {
      connection.watchdog().arm_stall(client_.options.stall_timeout, kClientStallMinimum);
      const IoResult result = co_await client_.reader->read_body(sink.room());
      connection.watchdog().disarm();
      broken = result.error;
      received_ += result.bytes;
      progress_.done = offset_ + received_;
      if (result.bytes > 0) failure = co_await sink.put(result.bytes);
    }
    connection.set_meter(nullptr);
    const std::error_code last = co_await sink.drain();
    if (!failure) failure = last;
    Done done;
    if (failure) done = cannot_write(failure);
    if (!failure && broken) done = Failure(client_.broken(broken, url_));
    if (is_hashed && done) computed_ = sink.digest();
    if (done) {
      client_.release();
    } else {
      client_.drop();
    }
    co_return done;
  }

  Done compare(const files::Sha256Value& expected) const {
    if (computed_ == expected) return {};
    return fail(
        ErrorKind::Checksum,
        fmt::format("{} does not have the sha-256 that it should: {} came, {} was promised",
                    to_string(url_), files::to_hex(*computed_), files::to_hex(expected)),
        "Fetch it again; if it stays so, the file on the server or the way to it is broken.");
  }

  asio::awaitable<Done> verify() {
    if (!computed_) co_return Done();
    if (wishes_.verify && !told_) {
      // A server that hashes a large file while it sends it knows the value now.
      const auto head = co_await client_.head(url_, true);
      // Of a file that changed in between it says nothing.
      if (head && head->etag == etag_) told_ = files::sha256_from_hex(head->sha256);
    }
    if (told_) {
      Done done = compare(*told_);
      if (!done) co_return done;
      verified_ = computed_;
    }
    if (!wishes_.sha256.empty()) {
      const auto wanted = files::sha256_from_hex(wishes_.sha256);
      if (!wanted) co_return fail(ErrorKind::Checksum, "the sha-256 to compare with is malformed");
      Done done = compare(*wanted);
      if (!done) co_return done;
      verified_ = computed_;
    }
    co_return Done();
  }

  asio::awaitable<Done> commit() {
    if (!file_) co_return Done();
    auto job = [&] {
      return file_->commit(wishes_.sync ? PartialFile::Durability::Synced
                                        : PartialFile::Durability::None);
    };
    const auto committed = co_await client_.background.run(job);
    if (!committed) co_return cannot_write(committed.error());
    co_return Done();
  }

  ClientCore& client_;
  Url url_;
  GetOptions wishes_;
  Progress& progress_;
  std::string path_;
  std::optional<PartialFile> file_;
  bool is_resumable_ = false;
  std::string etag_;  ///< Of the state that is fetched; before that, of which a part is here.
  std::uint64_t offset_ = 0;  ///< Octets that an earlier attempt has brought.
  std::uint64_t received_ = 0;
  std::optional<std::uint64_t> total_;
  std::optional<files::Sha256Value> told_;  ///< By the server.
  std::optional<files::Sha256Value> computed_;
  std::optional<files::Sha256Value> verified_;
};

}  // namespace

asio::awaitable<Outcome<GetResult>> ClientCore::get(Url url, GetOptions wishes,
                                                    Progress& progress) {
  Fetch fetch(*this, std::move(url), std::move(wishes), progress);
  auto result = co_await fetch.run();
  // An answer that was not read to its end is of no more use.
  if (!result) drop();
  co_return result;
}

}  // namespace apps::http
