#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "apps/http/error.hpp"

namespace apps::http {

/// An http URL, taken apart as far as a client needs it.
struct Url {
  /// A name or a literal address; IPv6 without its brackets.
  std::string host;
  std::uint16_t port = 80;
  /// What goes on the request line: path and query, percent-encoded, at least "/".
  std::string target = "/";

  friend bool operator==(const Url&, const Url&) = default;
};

/// Accepts "http://host:port/path?query"; "host:port/path" means the same, and a fragment is
/// dropped. User names, passwords and other schemes are refused with a word on why.
Outcome<Url> parse_url(std::string_view text);
/// What `reference`, such as the Location of a redirect, means when it stands in `base` (RFC 3986
/// §5).
Outcome<Url> resolve(const Url& base, std::string_view reference);

/// "http://host:port/target", with the brackets of IPv6 and without port 80.
std::string to_string(const Url& url);
/// "host:port" as the Host field has it (RFC 9110 §7.2).
std::string authority_of(const Url& url);
bool is_same_origin(const Url& a, const Url& b);
/// Whether the path ends with a slash, so that it names a directory.
bool names_directory(const Url& url);
/// The decoded last segment of the path: a name for the file here. Empty when there is none that is
/// safe to use (it is empty, "." or "..", or holds a slash or a NUL).
std::string file_name_of(const Url& url);
/// `url` with `name`, percent-encoded, behind its last slash.
Url child_of(const Url& url, std::string_view name);

/// The path of a request target, percent-decoded once and without its query: "/a%20b?x" is "/a b".
/// Fails on a bad escape, a NUL, and on what is not a path (RFC 9112 §3.2: origin form, or absolute
/// form reduced to it).
struct RequestPath {
  std::string path;
  std::string query;  ///< Still encoded.
};
Outcome<RequestPath> parse_request_target(std::string_view target);

/// Percent-encodes all but unreserved characters (RFC 3986 §2.3) and '/'.
std::string encode_path(std::string_view path);

}  // namespace apps::http
