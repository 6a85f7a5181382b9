#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dataplane/base/time.hpp"

namespace apps {

/// Octets from "512MiB", "64KiB", "1GiB", "1500" or "10MB" (KiB is 1024, KB is 1000).
std::optional<std::uint64_t> parse_size(std::string_view text);
/// A time from "200ms", "1.5s", "2min", "50us". A number alone is refused: its unit would be a
/// guess. "0" is zero.
std::optional<dataplane::Duration> parse_duration(std::string_view text);

/// "512.0 MiB": binary units, one decimal from KiB on.
std::string format_size(std::uint64_t octets);
/// "9.41 Gbit/s": decimal units, as links are sold.
std::string format_rate(double bits_per_second);
/// "8s", "3m20s", "2h05m"; below ten seconds with one decimal.
std::string format_elapsed(double seconds);
/// "850us", "12.3ms", "1.20s": for round trips.
std::string format_short(dataplane::Duration duration);

constexpr double to_seconds(dataplane::Duration duration) {
  return static_cast<double>(duration.count()) / 1e9;
}

}  // namespace apps
