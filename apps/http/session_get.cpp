#include <algorithm>

#include <boost/beast/core/string.hpp>
#include <fmt/format.h>

#include "apps/http/date.hpp"
#include "apps/http/digest_field.hpp"
#include "apps/http/listing.hpp"
#include "apps/http/range.hpp"
#include "apps/http/session.hpp"
#include "apps/http/signs_of_life.hpp"
#include "apps/http/text.hpp"
#include "apps/http/validators.hpp"

namespace apps::http {
namespace {

/// Up to here a GET waits for a digest that it asked for; a longer file is hashed while it is sent,
/// and a HEAD behind it gets the value.
constexpr std::uint64_t kHashBeforeSending = 64 * 1024 * 1024;
/// Two parts of a multipart answer never hold this in their headers; in a file it does no harm, for
/// lengths are told.
constexpr std::string_view kBoundary = "hawser-9f1c6d0b5e7a4832";

bool wants_json(const bhttp::fields& request, std::string_view query) {
  for (std::string_view rest = query; !rest.empty();) {
    if (next_item(rest, '&') == "format=json") return true;
  }
  const auto accept = request[bhttp::field::accept];
  const std::string_view text(accept.data(), accept.size());
  const std::size_t json = text.find("application/json");
  return json != std::string_view::npos && json < text.find("text/html");
}

/// Where a directory is that was asked for without its slash. One slash in front: two would name
/// another host.
std::string with_slash(const RequestPath& path) {
  const std::size_t begin = path.path.find_first_not_of('/');
  const std::string_view relative =
      begin == std::string::npos ? std::string_view() : std::string_view(path.path).substr(begin);
  std::string location = "/" + encode_path(relative) + "/";
  if (!path.query.empty()) location += "?" + path.query;
  return location;
}

std::string content_range(const ByteRange& range, std::uint64_t size) {
  return fmt::format("bytes {}-{}/{}", range.offset, range.offset + range.length - 1, size);
}

void set_multipart(Reply& reply, const std::vector<ByteRange>& ranges, std::uint64_t size,
                   std::string_view content_type) {
  reply.head.set(bhttp::field::content_type,
                 fmt::format("multipart/byteranges; boundary={}", kBoundary));
  for (const ByteRange& range : ranges) {
    reply.body.push_back({fmt::format("\r\n--{}\r\nContent-Type: {}\r\nContent-Range: {}\r\n\r\n",
                                      kBoundary, content_type, content_range(range, size)),
                          0, 0});
    reply.body.push_back({{}, range.offset, range.length});
  }
  reply.body.push_back({fmt::format("\r\n--{}--\r\n", kBoundary), 0, 0});
}

Reply unsatisfiable(std::uint64_t size) {
  Reply reply = error_reply(bhttp::status::range_not_satisfiable,
                            fmt::format("the file has {} octets", size));
  reply.head.set(bhttp::field::content_range, fmt::format("bytes */{}", size));
  return reply;
}

/// 200 or 206 with the parts of the file that a Range asks for, or 416.
Reply file_reply(std::string_view range_field, std::uint64_t size, std::string_view content_type) {
  const RangeSelection selection = select_ranges(range_field, size);
  if (selection.kind == RangeSelection::Kind::Unsatisfiable) return unsatisfiable(size);
  const bool is_whole = selection.kind == RangeSelection::Kind::Whole;
  Reply reply = make_reply(is_whole ? bhttp::status::ok : bhttp::status::partial_content);
  reply.head.set(bhttp::field::content_type, content_type);
  if (is_whole) {
    if (size > 0) reply.body.push_back({{}, 0, size});
  } else if (selection.ranges.size() == 1) {
    const ByteRange& range = selection.ranges.front();
    reply.head.set(bhttp::field::content_range, content_range(range, size));
    reply.body.push_back({{}, range.offset, range.length});
  } else {
    set_multipart(reply, selection.ranges, size, content_type);
  }
  return reply;
}

}  // namespace

asio::awaitable<Reply> Session::answer_get(const RequestPath& path) {
  auto file = state_->root.open_file(path.path);
  if (!file) co_return error_reply(file.error());
  if (file->is_directory()) co_return co_await answer_directory(path);
  if (!file->is_regular()) {
    co_return error_reply(bhttp::status::forbidden, "this is neither a file nor a directory");
  }
  co_return co_await answer_file(path, std::move(*file));
}

asio::awaitable<Reply> Session::answer_directory(const RequestPath& path) {
  if (!path.path.ends_with('/')) {
    Reply reply = error_reply(bhttp::status::moved_permanently, "this is a directory");
    reply.head.set(bhttp::field::location, with_slash(path));
    co_return reply;
  }
  const bool is_json = wants_json(reader_.header(), path.query);
  auto job = [&]() -> files::Result<std::string> {
    const auto entries = state_->root.list(path.path);
    if (!entries) return files::Refused(entries.error());
    return is_json ? to_json(*entries) : to_html(path.path, *entries);
  };
  auto text = co_await state_->background.run(job);
  if (!text) co_return error_reply(text.error());
  Reply reply =
      make_reply(bhttp::status::ok, is_json ? "application/json" : "text/html; charset=utf-8",
                 std::move(*text));
  reply.head.set(bhttp::field::cache_control, "no-cache");
  reply.head.set(bhttp::field::vary, "Accept");
  reply.head.set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
  co_return reply;
}

asio::awaitable<Reply> Session::answer_file(const RequestPath& path, files::OpenFile file) {
  const Request& request = reader_.header();
  const Validators current = validators_of(file.info);
  const auto set_validators = [&current](Reply& reply) {
    reply.head.set(bhttp::field::etag, current.etag);
    reply.head.set(bhttp::field::last_modified, to_http_date(current.modified));
  };
  const Precondition precondition = check_preconditions(request, current, true);
  if (precondition == Precondition::Fails) {
    co_return error_reply(bhttp::status::precondition_failed, "the file is another one by now");
  }
  if (precondition == Precondition::NotModified) {
    Reply reply = make_reply(bhttp::status::not_modified);
    set_validators(reply);
    co_return reply;
  }
  // RFC 9110 §14.2: only GET has ranges.
  std::string_view range;
  if (request.method() == bhttp::verb::get && is_range_current(request, current)) {
    const auto field = request[bhttp::field::range];
    range = {field.data(), field.size()};
  }
  Reply reply = file_reply(range, file.size(), content_type_of(path.path));
  reply.file = std::move(file);
  set_validators(reply);
  reply.head.set(bhttp::field::accept_ranges, "bytes");
  reply.head.set("X-Content-Type-Options", "nosniff");
  // The length is told before a HEAD loses its body.
  reply.head.set(bhttp::field::content_length, std::to_string(reply.body_size()));
  if (reply.status() < 300) co_await add_digests(reply, current.etag);
  co_return reply;
}

asio::awaitable<void> Session::add_digests(Reply& reply, const std::string& etag) {
  const Request& request = reader_.header();
  const bool wants_repr = wants_sha256(request["Want-Repr-Digest"]);
  // The content of a whole answer is the file; for parts of it a digest is not offered (RFC 9530
  // §4: it is a wish).
  const bool wants_content = wants_sha256(request["Want-Content-Digest"]) && reply.status() == 200;
  if (!wants_repr && !wants_content) co_return;
  DigestCache& digests = state_->digests;
  if (!digests.find(etag)) {
    const std::uint64_t size = reply.file.size();
    digests.start(connection_.executor(), etag, reply.file.fd.raw(), size);
    const bool waits = request.method() == bhttp::verb::head || size <= kHashBeforeSending;
    if (waits) {
      SignsOfLife signs(connection_, state_->options.stall_timeout);
      connection_.watchdog().disarm();
      if (request.version() >= 11) signs.start();
      co_await digests.wait(etag);
      co_await signs.stop();
    }
  }
  const auto value = digests.find(etag);
  if (!value) co_return;
  if (wants_repr) reply.head.set("Repr-Digest", to_digest_field(*value));
  if (wants_content) reply.head.set("Content-Digest", to_digest_field(*value));
}

}  // namespace apps::http
