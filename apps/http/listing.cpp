#include "apps/http/listing.hpp"

#include <array>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "apps/http/date.hpp"
#include "apps/http/url.hpp"

namespace apps::http {
namespace {

namespace json = boost::json;
using files::DirectoryEntry;

constexpr std::string_view kStyle =
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"
    "color-scheme:light dark}"
    "h1{font-size:1.3rem;overflow-wrap:anywhere}"
    "table{border-collapse:collapse;width:100%}"
    "td,th{padding:.25rem .75rem;text-align:left;border-bottom:1px solid #8884}"
    "td:first-child{overflow-wrap:anywhere}"
    "td+td,th+th{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}"
    "a{text-decoration:none}a:hover{text-decoration:underline}";

std::string iso_date(std::time_t time) {
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min);
}

/// JSON is UTF-8 and a file name is any octets: each octet that is not part of UTF-8 becomes
/// U+FFFD.
std::string to_utf8(std::string_view octets) {
  std::string out;
  for (std::size_t i = 0; i < octets.size();) {
    const auto lead = static_cast<unsigned char>(octets[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    bool is_valid = lead < 0x80 || (lead >= 0xc2 && lead < 0xf5 && i + length <= octets.size());
    for (std::size_t k = 1; is_valid && k < length; ++k) {
      is_valid = (static_cast<unsigned char>(octets[i + k]) & 0xc0) == 0x80;
    }
    out += is_valid ? octets.substr(i, length) : std::string_view("\xef\xbf\xbd");
    i += is_valid ? length : 1;
  }
  return out;
}

std::string_view type_of(DirectoryEntry::Kind kind) {
  switch (kind) {
    case DirectoryEntry::Kind::File:
      return "file";
    case DirectoryEntry::Kind::Directory:
      return "directory";
    case DirectoryEntry::Kind::Other:
      break;
  }
  return "other";
}

ListEntry::Kind kind_from(std::string_view type) {
  if (type == "file") return ListEntry::Kind::File;
  return type == "directory" ? ListEntry::Kind::Directory : ListEntry::Kind::Other;
}

std::string_view text_of(const json::value* value) {
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string human_size(std::uint64_t octets) {
  constexpr std::array<const char*, 6> kUnits = {"kB", "MB", "GB", "TB", "PB", "EB"};
  if (octets < 1000) return fmt::format("{} B", octets);
  auto value = static_cast<double>(octets) / 1000;
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return value < 9.95 ? fmt::format("{:.1f} {}", value, kUnits.at(unit))
                      : fmt::format("{:.0f} {}", value, kUnits.at(unit));
}

std::string to_html(std::string_view path, const std::vector<DirectoryEntry>& entries) {
  const std::string title = escape_html(to_utf8(path));
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width\">"
      "<title>{0}</title><style>{1}</style></head>\n<body><h1>{0}</h1>\n<table>"
      "<tr><th>Name</th><th>Size</th><th>Modified (UTC)</th></tr>\n",
      title, kStyle);
  if (path != "/") out += "<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n";
  for (const DirectoryEntry& entry : entries) {
    const bool is_directory = entry.kind == DirectoryEntry::Kind::Directory;
    const std::string_view slash = is_directory ? "/" : "";
    // "./" keeps a name with a colon from being read as a scheme.
    out += fmt::format("<tr><td><a href=\"./{}{}\">{}{}</a></td><td>{}</td><td>{}</td></tr>\n",
                       encode_path(entry.name), slash, escape_html(to_utf8(entry.name)), slash,
                       entry.kind == DirectoryEntry::Kind::File ? human_size(entry.size) : "",
                       iso_date(entry.modified));
  }
  return out + "</table></body></html>\n";
}

std::string to_json(const std::vector<DirectoryEntry>& entries) {
  json::array list;
  for (const DirectoryEntry& entry : entries) {
    json::object item{{"name", to_utf8(entry.name)},
                      {"type", json::string(type_of(entry.kind))},
                      {"mtime", to_http_date(entry.modified)}};
    if (entry.kind == DirectoryEntry::Kind::File) item["size"] = entry.size;
    list.push_back(std::move(item));
  }
  return json::serialize(list) + "\n";
}

Outcome<std::vector<ListEntry>> parse_json_listing(std::string_view text) {
  json::error_code error;
  const json::value root = json::parse(json::string_view(text.data(), text.size()), error);
  if (error || !root.is_array()) {
    return fail(ErrorKind::Protocol, "the answer is not a listing in JSON",
                "The server must be `hawser serve`, or nginx with autoindex_format json.");
  }
  std::vector<ListEntry> entries;
  for (const json::value& value : root.get_array()) {
    if (!value.is_object()) continue;
    const json::object& item = value.get_object();
    ListEntry entry;
    entry.name = std::string(text_of(item.if_contains("name")));
    entry.kind = kind_from(text_of(item.if_contains("type")));
    entry.modified = std::string(text_of(item.if_contains("mtime")));
    if (const json::value* size = item.if_contains("size"); size != nullptr) {
      json::error_code not_a_number;
      const auto octets = size->to_number<std::uint64_t>(not_a_number);
      if (!not_a_number) entry.size = octets;
    }
    if (!entry.name.empty()) entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace apps::http
