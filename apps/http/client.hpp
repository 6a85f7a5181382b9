#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "apps/http/error.hpp"
#include "apps/http/stream.hpp"
#include "apps/http/url.hpp"

namespace apps::http {

/// How far an operation is; the operation writes it, anyone may read it at any time, from any
/// thread.
struct Progress {
  static constexpr std::uint64_t kUnknown = ~std::uint64_t{0};

  std::atomic<std::uint64_t> done = 0;  ///< Body octets moved, with those of an earlier attempt.
  std::atomic<std::uint64_t> total = kUnknown;  ///< Body octets in all.
  std::atomic<std::uint64_t> resumed = 0;  ///< Octets of `done` that an earlier attempt had moved.
};

/// Makes a connected stream to url.host and url.port. Its errors are of kind Connection or
/// TimedOut.
using Connector = std::function<asio::awaitable<Outcome<StreamPtr>>(const Url& url)>;
/// A connector that hands out one stream that is already connected, and then fails.
Connector connector_of(StreamPtr stream);

struct ClientOptions {
  /// Longest wait for the first line of an answer. A server that has to hash a large file first
  /// takes its time.
  std::chrono::milliseconds answer_timeout = std::chrono::seconds(60);
  /// Longest time in which no octet of a body moves.
  std::chrono::milliseconds stall_timeout = std::chrono::seconds(30);
  unsigned max_redirects = 5;
  std::string user_agent = "hawser";
};

struct GetOptions {
  /// A file, an existing directory (the name comes from the URL), or "-" for standard output.
  std::string destination;
  /// Keeps what came of a transfer that failed, under a hidden name beside the destination, and
  /// goes on from there the next time if the server's file is still the same one (RFC 9110
  /// §13.1.5).
  bool resume = false;
  /// Asks for the server's sha-256 (RFC 9530) and compares. Without it a digest that the server
  /// sends anyway is still compared.
  bool verify = false;
  /// The sha-256 that the whole file must have, as 64 hexadecimal digits in lower case; else the
  /// get fails with Checksum and the file does not appear. Empty: whatever comes is right.
  std::string sha256;
  /// fsync before the file gets its name. Off for scratch data.
  bool sync = true;
};

struct GetResult {
  std::uint64_t bytes = 0;    ///< Size of the whole file.
  std::uint64_t resumed = 0;  ///< Of these, how many an earlier attempt had brought.
  std::string path;           ///< Where it is now; "-" for standard output.
  std::string sha256;         ///< Hexadecimal, if a digest was compared; else empty.
  Url url;                    ///< After redirects.
};

/// How a PUT lets the server verify what it received (RFC 9530).
enum class PutDigest : std::uint8_t {
  None,
  Header,   ///< Repr-Digest in the header: any server may use it; the file is read twice.
  Trailer,  ///< Repr-Digest behind a chunked body: one pass.
};

struct PutOptions {
  PutDigest digest = PutDigest::None;
};

struct PutResult {
  std::uint64_t bytes = 0;
  bool created = false;  ///< 201: there was no such file before.
  std::string sha256;    ///< Hexadecimal, if a digest was sent; else empty.
  Url url;               ///< Where it is now.
};

struct HeadResult {
  std::optional<std::uint64_t> size;
  std::string etag;
  std::string last_modified;
  std::string content_type;
  std::string sha256;  ///< Hexadecimal, if the server told; else empty.
  bool accepts_ranges = false;
  Url url;  ///< After redirects.
};

struct ListEntry {
  enum class Kind : std::uint8_t { File, Directory, Other };
  std::string name;
  Kind kind = Kind::File;
  std::optional<std::uint64_t> size;
  std::string modified;  ///< An HTTP date (RFC 9110 §5.6.7); may be empty.
};

class ClientCore;

/// An HTTP/1.1 client. It keeps its connection open between operations. One operation at a time;
/// all on the executor's thread. Files are read, written and hashed on a thread of its own.
class Client {
 public:
  explicit Client(Connector connector, ClientOptions options = {});
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  /// Fetches into a temporary file beside the destination that takes the final name when it is
  /// whole and verified.
  asio::awaitable<Outcome<GetResult>> get(Url url, GetOptions options, Progress& progress);
  /// Sends a file. A URL that ends with a slash gets the file's name appended.
  asio::awaitable<Outcome<PutResult>> put(std::string file, Url url, PutOptions options,
                                          Progress& progress);
  asio::awaitable<Outcome<HeadResult>> head(Url url, bool want_digest = false);
  /// The entries of a directory, from a server that lists as JSON (`hawser serve`; nginx with
  /// autoindex_format json).
  asio::awaitable<Outcome<std::vector<ListEntry>>> list(Url url);

  /// Ends the operation that runs, with an error of kind Cancelled. Call it from the executor's
  /// thread.
  void cancel();

 private:
  std::unique_ptr<ClientCore> core_;
};

}  // namespace apps::http
