#pragma once

#include <ctime>
#include <string>
#include <string_view>
#include <sys/stat.h>

#include <boost/beast/http/fields.hpp>

namespace apps::http {

/// What tells one state of a file from another (RFC 9110 §8.8).
struct Validators {
  std::string etag;  ///< With its quotes; empty if there is no file.
  std::time_t modified = 0;

  bool exists() const { return !etag.empty(); }
};

/// The tag is strong: it holds inode, size and time of change in nanoseconds, and each PUT makes a
/// new inode.
Validators validators_of(const struct stat& info);

enum class Precondition : std::uint8_t { Holds, NotModified, Fails };
/// If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since in their order (RFC 9110
/// §13.2.2).
Precondition check_preconditions(const boost::beast::http::fields& request,
                                 const Validators& current, bool is_read);
/// Whether a Range counts: there is no If-Range, or it names this state of the file (RFC 9110
/// §13.1.5).
bool is_range_current(const boost::beast::http::fields& request, const Validators& current);

/// A tag that may be used where octets matter: present, and not weak.
bool is_strong(std::string_view etag);

}  // namespace apps::http
