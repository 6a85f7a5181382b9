#pragma once

#include <charconv>
#include <concepts>
#include <limits>
#include <optional>
#include <string_view>
#include <system_error>

namespace dataplane {

/// The number that all of `text` is: decimal digits and nothing else, not more than `most`.
template <std::unsigned_integral T>
std::optional<T> parse_decimal(std::string_view text, T most = std::numeric_limits<T>::max()) {
  T value = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || at != end || value > most) return std::nullopt;
  return value;
}

}  // namespace dataplane
