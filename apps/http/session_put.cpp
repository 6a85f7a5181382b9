#include <algorithm>
#include <fcntl.h>
#include <sys/stat.h>

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>

#include "apps/files/file_io.hpp"
#include "apps/files/partial_file.hpp"
#include "apps/http/digest_field.hpp"
#include "apps/http/file_sink.hpp"
#include "apps/http/session.hpp"
#include "apps/http/signs_of_life.hpp"
#include "apps/http/validators.hpp"

namespace apps::http {
namespace {

constexpr std::uint64_t kPutBuffer = 512 * 1024;

using files::PartialFile;

std::string_view field_of(const bhttp::fields& fields, std::string_view name) {
  const auto value = fields[boost::beast::string_view(name.data(), name.size())];
  return {value.data(), value.size()};
}

/// For paths of a PUT, where "not found" would be a riddle.
Reply put_error_reply(const std::error_code& error) {
  if (error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory) {
    return error_reply(bhttp::status::conflict, "the directory of this path does not exist here");
  }
  if (error == std::errc::filename_too_long) {
    return error_reply(bhttp::status::uri_too_long, "the name is too long for the file system");
  }
  if (error == std::errc::is_a_directory) {
    return error_reply(bhttp::status::conflict, "the path names a directory; a file needs a name");
  }
  return error_reply(error);
}

}  // namespace

/// What a PUT is at.
struct Session::Upload {
  PartialFile file;
  DigestField expected;  ///< From the header, later from the trailer.
  bool expects_trailer = false;
  bool wants_digest = false;  ///< Whether the answer should tell what was received.
  std::optional<files::Sha256Value> received;

  bool is_hashed() const {
    return expected.kind == DigestField::Kind::Present || expects_trailer || wants_digest;
  }
};

std::optional<Reply> Session::why_put_refused(const files::Place& place) const {
  const Request& request = reader_.header();
  if (request.count(bhttp::field::content_range) > 0) {
    // RFC 9110 §14.5: what does not store parts must not take one for the whole.
    return error_reply(bhttp::status::bad_request, "parts of files are not stored here");
  }
  const auto encoding = request[bhttp::field::content_encoding];
  if (!encoding.empty() && !boost::beast::iequals(encoding, "identity")) {
    return error_reply(bhttp::status::unsupported_media_type, "send the file as it is");
  }
  if (!reader_.is_chunked() && request.count(bhttp::field::content_length) == 0) {
    return error_reply(bhttp::status::length_required,
                       "say Content-Length, or send the body in chunks");
  }
  const std::uint64_t length = reader_.content_length().value_or(0);
  if (length > state_->options.max_body) {
    return error_reply(bhttp::status::payload_too_large, "the file is larger than is taken here");
  }
  struct stat info {};
  const bool exists = ::fstatat(place.directory.raw(), place.name.c_str(), &info, 0) == 0;
  if (exists && S_ISDIR(info.st_mode)) {
    return error_reply(bhttp::status::conflict, "a directory has this name");
  }
  const Validators current = exists ? validators_of(info) : Validators{};
  if (check_preconditions(request, current, false) != Precondition::Holds) {
    return error_reply(bhttp::status::precondition_failed, "the file here is not the one you mean");
  }
  return std::nullopt;
}

std::optional<Reply> Session::read_upload_digests(Upload& upload) const {
  const Request& fields = reader_.header();
  // Without a content coding the content of a PUT is the representation (RFC 9530 §3.1).
  for (const std::string_view name : {"Content-Digest", "Repr-Digest"}) {
    const DigestField digest = parse_digest_field(field_of(fields, name));
    if (digest.kind == DigestField::Kind::Absent) continue;
    const bool contradicts =
        upload.expected.kind == DigestField::Kind::Present && upload.expected.value != digest.value;
    if (digest.kind == DigestField::Kind::Malformed || contradicts) {
      return error_reply(bhttp::status::bad_request, "the digest field cannot be understood");
    }
    upload.expected = digest;
  }
  return std::nullopt;
}

asio::awaitable<Reply> Session::answer_put(const RequestPath& path) {
  auto place = state_->root.place_of(path.path);
  if (!place) co_return put_error_reply(place.error());
  if (auto refusal = why_put_refused(*place)) co_return std::move(*refusal);
  const Request& request = reader_.header();
  auto file = PartialFile::create(std::move(*place));
  if (!file) co_return put_error_reply(file.error());
  const auto free = files::free_space(file->fd());
  if (free && reader_.content_length().value_or(0) > *free) {
    co_return error_reply(std::make_error_code(std::errc::no_space_on_device));
  }
  Upload upload{std::move(*file), {}, false, false, std::nullopt};
  upload.expects_trailer =
      reader_.is_chunked() &&
      boost::beast::http::token_list(request[bhttp::field::trailer]).exists("repr-digest");
  upload.wants_digest = wants_sha256(field_of(request, "Want-Repr-Digest")) ||
                        wants_sha256(field_of(request, "Want-Content-Digest"));
  if (auto refusal = read_upload_digests(upload)) co_return std::move(*refusal);
  if (owes_continue_) {
    const error_code broken = co_await send_interim("HTTP/1.1 100 Continue\r\n\r\n");
    if (broken) co_return error_reply(bhttp::status::bad_request, "the connection is broken");
    owes_continue_ = false;
  }
  auto refusal = co_await receive(upload);
  if (refusal) co_return std::move(*refusal);
  co_return co_await store(upload);
}

asio::awaitable<std::optional<Reply>> Session::receive(Upload& upload) {
  FileSink::Options options;
  options.buffer_size = static_cast<std::size_t>(
      std::clamp<std::uint64_t>(reader_.content_length().value_or(kPutBuffer), 1, kPutBuffer));
  options.is_flushed_early = state_->options.sync;
  if (upload.is_hashed()) options.hash.emplace();
  FileSink sink(state_->background, connection_.executor(), upload.file.fd(), std::move(options));
  std::error_code failure;
  error_code broken;
  bool is_too_large = false;
  while (!reader_.is_body_done() && !failure && !broken && !is_too_large) {
    connection_.watchdog().arm_stall(state_->options.stall_timeout, kStallMinimum);
    const IoResult result = co_await reader_.read_body(sink.room());
    connection_.watchdog().disarm();
    broken = result.error;
    body_received_ += result.bytes;
    state_->stats.bytes_received += result.bytes;
    is_too_large = body_received_ > state_->options.max_body;
    if (result.bytes > 0) failure = co_await sink.put(result.bytes);
  }
  const std::error_code last = co_await sink.drain();
  if (!failure) failure = last;
  if (broken) {
    // Cut off: whoever sent it will hardly hear the answer, and nothing is stored.
    Reply reply = error_reply(bhttp::status::bad_request, "the body is broken or ended too early");
    reply.close = true;
    co_return reply;
  }
  if (is_too_large) {
    co_return error_reply(bhttp::status::payload_too_large,
                          "the file is larger than is taken here");
  }
  if (failure) co_return error_reply(failure);
  if (upload.is_hashed()) upload.received = sink.digest();
  co_return std::nullopt;
}

asio::awaitable<Reply> Session::store(Upload& upload) {
  if (auto refusal = read_upload_digests(upload)) co_return std::move(*refusal);  // The trailer.
  if (upload.expected.kind == DigestField::Kind::Present &&
      upload.received != upload.expected.value) {
    co_return error_reply(bhttp::status::bad_request,
                          "the digest does not match what arrived; nothing was stored");
  }
  const auto durability =
      state_->options.sync ? PartialFile::Durability::Synced : PartialFile::Durability::None;
  struct stat info {};
  auto job = [&]() -> files::Result<PartialFile::Committed> {
    auto committed = upload.file.commit(durability);
    if (committed && ::fstat(upload.file.fd(), &info) != 0)
      return files::Refused(files::last_error());
    return committed;
  };
  SignsOfLife signs(connection_, state_->options.stall_timeout);
  connection_.watchdog().disarm();
  if (reader_.header().version() >= 11) signs.start();
  const auto committed = co_await state_->background.run(job);
  co_await signs.stop();
  if (!committed) co_return put_error_reply(committed.error());
  ++state_->stats.files_stored;
  const bool is_new = *committed == PartialFile::Committed::Created;
  Reply reply = make_reply(is_new ? bhttp::status::created : bhttp::status::no_content);
  const Validators current = validators_of(info);
  reply.head.set(bhttp::field::etag, current.etag);
  if (upload.received) {
    state_->digests.store(current.etag, *upload.received);
    if (upload.wants_digest) reply.head.set("Repr-Digest", to_digest_field(*upload.received));
  }
  co_return reply;
}

}  // namespace apps::http
