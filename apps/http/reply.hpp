#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/status.hpp>

#include "apps/files/root.hpp"

namespace apps::http {

namespace bhttp = boost::beast::http;

/// What goes out as one stretch: text, or octets of the file.
struct Part {
  std::string text;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;  ///< Of the file; 0 for text.

  std::uint64_t size() const { return text.size() + length; }
};

/// An answer before it is sent.
struct Reply {
  bhttp::header<false> head;
  std::vector<Part> body;
  files::OpenFile file;  ///< What the parts of the body are taken from, if any are.
  bool close = false;    ///< Whether the connection must end behind it.

  unsigned status() const { return head.result_int(); }
  std::uint64_t body_size() const;
};

/// A reply without a body.
Reply make_reply(bhttp::status status);
/// A reply with a short text body.
Reply make_reply(bhttp::status status, std::string_view content_type, std::string text);
/// "404 Not Found: ..." for people, as plain text.
Reply error_reply(bhttp::status status, std::string_view explanation);
/// What an errno of the file system means to a client.
Reply error_reply(const std::error_code& error);

/// The header as it goes on the wire.
std::string to_text(const bhttp::header<false>& head);
std::string to_text(const bhttp::header<true>& head);

/// By the extension of the name; octets that nobody knows are application/octet-stream.
std::string_view content_type_of(std::string_view path);

}  // namespace apps::http
