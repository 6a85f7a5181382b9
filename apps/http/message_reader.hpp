#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include <boost/asio/awaitable.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "apps/http/connection.hpp"

namespace apps::http {

namespace bhttp = boost::beast::http;

/// Reads one message after another from a connection: a header, then its body in pieces. Beast
/// parses headers and chunks; a body of known length goes from the stream into the caller's buffer
/// without a copy between.
template <bool kIsRequest>
class MessageReader {
 public:
  using Header = bhttp::header<kIsRequest, bhttp::fields>;

  explicit MessageReader(Connection& connection) : connection_(connection) {}

  /// Errors are those of the stream and of bhttp::error; end_of_stream when the peer closed between
  /// two messages.
  asio::awaitable<error_code> read_header(std::uint32_t limit);
  /// Of the header that was read last; with the trailer fields once the body is done.
  const Header& header() const { return parser_->get().base(); }
  /// Whether the connection may carry another message behind this one.
  bool keeps_alive() const { return parser_->get().keep_alive(); }
  bool is_chunked() const { return parser_->chunked(); }
  /// Octets of the body, where the header tells; a request without a length has none (RFC 9112
  /// §6.3).
  std::optional<std::uint64_t> content_length() const;

  /// The answer to a HEAD has no body whatever its header says.
  void expect_no_body() { skips_body_ = true; }
  /// Fills `into` as far as the body goes; fewer octets than asked for only at its end or with an
  /// error.
  asio::awaitable<IoResult> read_body(asio::mutable_buffer into);
  bool is_body_done() const { return is_done_; }

 private:
  asio::awaitable<IoResult> read_chunked(asio::mutable_buffer into);
  asio::awaitable<IoResult> read_plain(asio::mutable_buffer into);

  static constexpr std::uint64_t kUntilEof = std::numeric_limits<std::uint64_t>::max();

  Connection& connection_;
  std::optional<bhttp::parser<kIsRequest, bhttp::buffer_body>> parser_;
  std::uint64_t remaining_ = 0;  ///< Of a body that is not chunked.
  bool skips_body_ = false;
  bool is_done_ = true;
};

using RequestReader = MessageReader<true>;
using ResponseReader = MessageReader<false>;

}  // namespace apps::http
