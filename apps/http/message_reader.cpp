#include "apps/http/message_reader.hpp"

#include <algorithm>

#include <boost/asio/error.hpp>
#include <boost/beast/http/error.hpp>

namespace apps::http {

template <bool kIsRequest>
asio::awaitable<error_code> MessageReader<kIsRequest>::read_header(std::uint32_t limit) {
  parser_.emplace();
  parser_->header_limit(limit);
  parser_->body_limit(boost::none);
  if constexpr (!kIsRequest) parser_->skip(skips_body_);
  auto& input = connection_.input();
  while (!parser_->is_header_done()) {
    error_code error = bhttp::error::need_more;
    if (input.size() > 0) input.consume(parser_->put(input.data(), error));
    if (error && error != bhttp::error::need_more) co_return error;
    if (parser_->is_header_done()) break;
    if (error != bhttp::error::need_more) continue;
    const IoResult result = co_await connection_.fill();
    if (result.error == asio::error::eof) {
      const bool is_between = input.size() == 0 && !parser_->got_some();
      co_return is_between ? bhttp::error::end_of_stream : bhttp::error::partial_message;
    }
    if (result.error) co_return result.error;
  }
  const auto length = content_length();
  remaining_ = length.value_or(kUntilEof);
  is_done_ = parser_->is_done() || (!is_chunked() && remaining_ == 0);
  skips_body_ = false;
  co_return error_code{};
}

template <bool kIsRequest>
std::optional<std::uint64_t> MessageReader<kIsRequest>::content_length() const {
  if (is_chunked()) return std::nullopt;
  if (const auto length = parser_->content_length()) return *length;
  if (kIsRequest) return 0;
  return std::nullopt;
}

template <bool kIsRequest>
asio::awaitable<IoResult> MessageReader<kIsRequest>::read_body(asio::mutable_buffer into) {
  if (is_done_) co_return IoResult{};
  IoResult result;
  if (is_chunked()) {
    result = co_await read_chunked(into);
  } else {
    result = co_await read_plain(into);
  }
  co_return result;
}

template <bool kIsRequest>
asio::awaitable<IoResult> MessageReader<kIsRequest>::read_plain(asio::mutable_buffer into) {
  const auto part = asio::buffer(
      into, static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, into.size())));
  IoResult result = co_await connection_.read_full(part);
  if (remaining_ == kUntilEof) {
    is_done_ = result.error == asio::error::eof;
    if (is_done_) result.error = {};
    co_return result;
  }
  remaining_ -= result.bytes;
  is_done_ = remaining_ == 0;
  if (is_done_) result.error = {};
  if (result.error == asio::error::eof) result.error = bhttp::error::partial_message;
  co_return result;
}

template <bool kIsRequest>
asio::awaitable<IoResult> MessageReader<kIsRequest>::read_chunked(asio::mutable_buffer into) {
  auto& body = parser_->get().body();
  auto& input = connection_.input();
  body.data = into.data();
  body.size = into.size();
  body.more = true;
  while (!parser_->is_done() && body.size > 0) {
    error_code error = bhttp::error::need_more;
    if (input.size() > 0) input.consume(parser_->put(input.data(), error));
    if (error == bhttp::error::need_buffer) break;
    if (!error) continue;
    const std::size_t bytes = into.size() - body.size;
    if (error != bhttp::error::need_more) co_return IoResult{error, bytes};
    const IoResult result = co_await connection_.fill();
    if (result.error == asio::error::eof) co_return IoResult{bhttp::error::partial_message, bytes};
    if (result.error) co_return IoResult{result.error, bytes};
  }
  is_done_ = parser_->is_done();
  co_return IoResult{{}, into.size() - body.size};
}

template class MessageReader<true>;
template class MessageReader<false>;

}  // namespace apps::http
