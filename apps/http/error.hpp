#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace apps::http {

/// What went wrong, as far as a command's exit code tells it apart.
enum class ErrorKind : std::uint8_t {
  Url,         ///< The text is not a URL that we can use.
  Connection,  ///< No connection came about: refused, unreachable, unknown name.
  TimedOut,    ///< The peer moved nothing for the timeout.
  Broken,      ///< The connection ended in the middle of an answer or a body.
  Protocol,    ///< What came is not HTTP, or not the answer to what was asked.
  Status,      ///< The peer answered with an error; `Error::status` is its number.
  Checksum,    ///< The octets that came are not those that were sent.
  LocalFile,   ///< A file here cannot be read, written or created.
  DiskFull,    ///< No space left here.
  Cancelled,   ///< cancel() was called.
};

/// One word, such as "timed-out".
std::string_view name_of(ErrorKind kind);

/// Why an operation failed, in words for the person at the keyboard.
struct Error {
  ErrorKind kind{};
  /// What happened, and to what: "b.example:8080 sent nothing for 30 s".
  std::string message;
  /// A sentence that says what to do; may be empty.
  std::string remedy;
  /// The status of the answer (404); 0 when there was none.
  unsigned status = 0;
};

template <class T>
using Outcome = tl::expected<T, Error>;
using Failure = tl::unexpected<Error>;

/// Shorthand for `return fail(...)`.
Failure fail(ErrorKind kind, std::string message, std::string remedy = {});

}  // namespace apps::http
