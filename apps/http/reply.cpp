#include "apps/http/reply.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/http/fields.hpp>
#include <fmt/format.h>

#include "apps/files/file_io.hpp"

namespace apps::http {
namespace {

using std::errc;

bhttp::status status_of(const std::error_code& error) {
  if (files::is_no_space(error)) return bhttp::status::insufficient_storage;
  if (error == errc::no_such_file_or_directory || error == errc::not_a_directory ||
      error == errc::filename_too_long) {
    return bhttp::status::not_found;
  }
  if (error == errc::permission_denied || error == errc::operation_not_permitted ||
      error == errc::cross_device_link || error == errc::too_many_symbolic_link_levels ||
      error == errc::read_only_file_system || error == errc::no_such_device_or_address) {
    return bhttp::status::forbidden;
  }
  if (error == errc::is_a_directory || error == errc::directory_not_empty ||
      error == errc::file_exists) {
    return bhttp::status::conflict;
  }
  if (error == errc::file_too_large) return bhttp::status::payload_too_large;
  if (error == errc::invalid_argument) return bhttp::status::bad_request;
  if (error == errc::too_many_files_open || error == errc::too_many_files_open_in_system ||
      error == errc::not_enough_memory) {
    return bhttp::status::service_unavailable;
  }
  return bhttp::status::internal_server_error;
}

std::string explanation_of(const std::error_code& error) {
  if (error == errc::cross_device_link) return "the path leads out of what is served here";
  if (error == errc::no_such_file_or_directory || error == errc::not_a_directory) {
    return "there is nothing of this name here";
  }
  if (files::is_no_space(error)) return "there is no space left here; nothing was stored";
  return error.message();
}

}  // namespace

std::uint64_t Reply::body_size() const {
  std::uint64_t size = 0;
  for (const Part& part : body)
    size += part.size();
  return size;
}

Reply make_reply(bhttp::status status) {
  Reply reply;
  reply.head.version(11);
  reply.head.result(status);
  return reply;
}

Reply make_reply(bhttp::status status, std::string_view content_type, std::string text) {
  Reply reply = make_reply(status);
  reply.head.set(bhttp::field::content_type, content_type);
  reply.body.push_back({std::move(text), 0, 0});
  return reply;
}

Reply error_reply(bhttp::status status, std::string_view explanation) {
  const auto reason = bhttp::obsolete_reason(status);
  return make_reply(status, "text/plain; charset=utf-8",
                    fmt::format("{} {}: {}.\n", static_cast<unsigned>(status),
                                std::string_view(reason.data(), reason.size()), explanation));
}

Reply error_reply(const std::error_code& error) {
  return error_reply(status_of(error), explanation_of(error));
}

std::string to_text(const bhttp::header<false>& head) {
  bhttp::fields::writer writer(head, head.version(), head.result_int());
  return boost::beast::buffers_to_string(writer.get());
}

std::string to_text(const bhttp::header<true>& head) {
  bhttp::fields::writer writer(head, head.version(), head.method());
  return boost::beast::buffers_to_string(writer.get());
}

std::string_view content_type_of(std::string_view path) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 26> kTypes = {{
      {"7z", "application/x-7z-compressed"},
      {"css", "text/css"},
      {"csv", "text/csv"},
      {"gif", "image/gif"},
      {"gz", "application/gzip"},
      {"htm", "text/html"},
      {"html", "text/html"},
      {"ico", "image/x-icon"},
      {"jpeg", "image/jpeg"},
      {"jpg", "image/jpeg"},
      {"js", "text/javascript"},
      {"json", "application/json"},
      {"log", "text/plain; charset=utf-8"},
      {"md", "text/plain; charset=utf-8"},
      {"mkv", "video/x-matroska"},
      {"mp3", "audio/mpeg"},
      {"mp4", "video/mp4"},
      {"pdf", "application/pdf"},
      {"png", "image/png"},
      {"svg", "image/svg+xml"},
      {"txt", "text/plain; charset=utf-8"},
      {"wasm", "application/wasm"},
      {"webm", "video/webm"},
      {"webp", "image/webp"},
      {"xml", "application/xml"},
      {"zip", "application/zip"},
  }};
  const std::size_t dot = path.rfind('.');
  if (dot == std::string_view::npos) return "application/octet-stream";
  const std::string_view extension = path.substr(dot + 1);
  const auto* const found =
      std::ranges::lower_bound(kTypes, extension, {}, [](const auto& type) { return type.first; });
  const bool is_known = found != kTypes.end() && found->first == extension;
  return is_known ? found->second : "application/octet-stream";
}

}  // namespace apps::http
