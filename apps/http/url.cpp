#include "apps/http/url.hpp"

#include <optional>

#include <boost/url/encode.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>
#include <fmt/format.h>

#include "dataplane/base/decimal.hpp"

namespace apps::http {
namespace {

namespace urls = boost::urls;

constexpr std::uint16_t kDefaultPort = 80;
constexpr const char* kExample = "A URL looks like http://host:8080/directory/file.";

/// RFC 3986 §2.3, and the slash: what a path may hold as it is.
struct PathChars {
  constexpr bool operator()(char c) const {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~' || c == '/';
  }
};

std::optional<unsigned> hex_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

/// Nothing if an escape is cut short or not hexadecimal.
std::optional<std::string> decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const auto high = hex_value(text[i + 1]);
    const auto low = hex_value(text[i + 2]);
    if (!high || !low) return std::nullopt;
    out.push_back(static_cast<char>(*high * 16 + *low));
    i += 2;
  }
  return out;
}

std::string_view path_of(const Url& url) {
  return std::string_view(url.target).substr(0, url.target.find('?'));
}

/// Boost.URL lets numbers beyond 65535 through.
std::optional<std::uint16_t> port_of(const urls::url_view& view) {
  const std::string_view text = view.port();
  if (text.empty()) return kDefaultPort;
  const auto port = dataplane::parse_decimal<std::uint16_t>(text);
  return port == 0 ? std::nullopt : port;
}

Outcome<Url> from_view(const urls::url_view& view, std::string_view text) {
  if (view.scheme_id() != urls::scheme::http) {
    return fail(ErrorKind::Url, fmt::format("'{}' is not an http:// URL", text),
                "Only plain http is spoken; put TLS in front if it is needed.");
  }
  if (view.has_userinfo()) {
    return fail(ErrorKind::Url, fmt::format("'{}' names a user", text),
                "Remove the part before '@': there is no authentication.");
  }
  if (view.encoded_host().empty()) {
    return fail(ErrorKind::Url, fmt::format("'{}' names no host", text), kExample);
  }
  const auto port = port_of(view);
  if (!port) {
    return fail(ErrorKind::Url, fmt::format("'{}' has no usable port", text),
                "A port is a number from 1 to 65535.");
  }
  Url url;
  url.host = view.host_type() == urls::host_type::ipv6
                 ? std::string(view.host_ipv6_address().to_string())
                 : std::string(view.host_name());
  if (view.host_type() == urls::host_type::ipv4) url.host = view.host_ipv4_address().to_string();
  url.port = *port;
  url.target = std::string(view.encoded_path());
  if (url.target.empty() || url.target.front() != '/') url.target.insert(0, "/");
  if (view.has_query()) url.target += "?" + std::string(view.encoded_query());
  return url;
}

}  // namespace

Outcome<Url> parse_url(std::string_view text) {
  std::string full(text);
  if (text.find("://") == std::string_view::npos) full.insert(0, "http://");
  const auto parsed = urls::parse_uri(full);
  if (!parsed) {
    return fail(ErrorKind::Url,
                fmt::format("'{}' is not a URL: {}", text, parsed.error().message()), kExample);
  }
  return from_view(*parsed, text);
}

Outcome<Url> resolve(const Url& base, std::string_view reference) {
  const std::string base_text = to_string(base);
  const auto from = urls::parse_uri(base_text);
  const std::string reference_text(reference);
  const auto to = urls::parse_uri_reference(reference_text);
  urls::url result;
  if (!from || !to || !urls::resolve(*from, *to, result)) {
    return fail(ErrorKind::Protocol, fmt::format("'{}' is not a place to go to", reference));
  }
  return from_view(result, reference);
}

std::string authority_of(const Url& url) {
  const bool is_ipv6 = url.host.find(':') != std::string::npos;
  std::string out = is_ipv6 ? fmt::format("[{}]", url.host) : url.host;
  if (url.port != kDefaultPort) out += fmt::format(":{}", url.port);
  return out;
}

std::string to_string(const Url& url) { return "http://" + authority_of(url) + url.target; }

bool is_same_origin(const Url& a, const Url& b) { return a.host == b.host && a.port == b.port; }

bool names_directory(const Url& url) { return path_of(url).ends_with('/'); }

std::string file_name_of(const Url& url) {
  const std::string_view path = path_of(url);
  const auto name = decode(path.substr(path.rfind('/') + 1));
  if (!name || name->empty() || *name == "." || *name == "..") return {};
  if (name->find('/') != std::string::npos || name->find('\0') != std::string::npos) return {};
  return *name;
}

Url child_of(const Url& url, std::string_view name) {
  Url child = url;
  const std::string_view path = path_of(url);
  child.target = std::string(path.substr(0, path.rfind('/') + 1));
  // A slash is no part of a name.
  for (const char c : name) {
    child.target += c == '/' ? std::string("%2F") : encode_path(std::string_view(&c, 1));
  }
  return child;
}

Outcome<RequestPath> parse_request_target(std::string_view target) {
  // RFC 9112 §3.2.2: a server must accept the absolute form.
  if (const std::size_t scheme = target.find("://");
      scheme != std::string_view::npos && target.front() != '/') {
    const std::size_t slash = target.find('/', scheme + 3);
    target = slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
  }
  if (target.empty() || target.front() != '/') {
    return fail(ErrorKind::Protocol, "the request target is not a path");
  }
  RequestPath out;
  const std::size_t mark = target.find('?');
  if (mark != std::string_view::npos) {
    out.query = std::string(target.substr(mark + 1));
    target = target.substr(0, mark);
  }
  auto path = decode(target);
  if (!path) return fail(ErrorKind::Protocol, "the path has a broken percent escape");
  if (path->find('\0') != std::string::npos) {
    return fail(ErrorKind::Protocol, "the path holds a NUL");
  }
  out.path = std::move(*path);
  return out;
}

std::string encode_path(std::string_view path) { return urls::encode(path, PathChars{}); }

}  // namespace apps::http
