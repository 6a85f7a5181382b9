#pragma once

#include <string_view>

namespace apps::http {

/// Without white space at both ends (RFC 9110 §5.6.3).
inline std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
    text.remove_suffix(1);
  return text;
}

/// Takes what stands before the next `separator` off `rest`, trimmed.
inline std::string_view next_item(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  const std::string_view item = trim(rest.substr(0, end));
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return item;
}

}  // namespace apps::http
