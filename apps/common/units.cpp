#include "apps/common/units.hpp"

#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace apps {

namespace {

struct Unit {
  std::string_view name;
  double factor;
};

/// A decimal number and what follows it.
struct Measured {
  double number;
  std::string_view unit;
};

std::optional<Measured> split_number(std::string_view text) {
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc{} || !std::isfinite(number) || number < 0) return std::nullopt;
  std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  while (!unit.empty() && unit.front() == ' ')
    unit.remove_prefix(1);
  return Measured{number, unit};
}

template <std::size_t N>
std::optional<double> in_units(std::string_view text, const std::array<Unit, N>& units) {
  const std::optional<Measured> measured = split_number(text);
  if (!measured) return std::nullopt;
  for (const Unit& unit : units)
    if (measured->unit == unit.name) return measured->number * unit.factor;
  return std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::array<Unit, 13> kUnits = {{{"", 1},
                                            {"B", 1},
                                            {"KiB", 0x1p10},
                                            {"MiB", 0x1p20},
                                            {"GiB", 0x1p30},
                                            {"TiB", 0x1p40},
                                            {"K", 0x1p10},
                                            {"M", 0x1p20},
                                            {"G", 0x1p30},
                                            {"KB", 1e3},
                                            {"MB", 1e6},
                                            {"GB", 1e9},
                                            {"TB", 1e12}}};
  const std::optional<double> octets = in_units(text, kUnits);
  if (!octets || *octets > 0x1p62 || std::floor(*octets) != *octets) return std::nullopt;
  return static_cast<std::uint64_t>(*octets);
}

std::optional<dataplane::Duration> parse_duration(std::string_view text) {
  constexpr std::array<Unit, 7> kUnits = {
      {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"min", 60e9}, {"m", 60e9}, {"h", 3600e9}}};
  if (text == "0") return dataplane::Duration{0};
  const std::optional<double> nanoseconds = in_units(text, kUnits);
  // A century is beyond any timer, and keeps sums of instants far from overflow.
  if (!nanoseconds || *nanoseconds > 3.2e18) return std::nullopt;
  return dataplane::Duration{static_cast<std::int64_t>(*nanoseconds)};
}

std::string format_size(std::uint64_t octets) {
  constexpr std::array<std::string_view, 5> kNames = {"KiB", "MiB", "GiB", "TiB", "PiB"};
  if (octets < 1024) return fmt::format("{} B", octets);
  double value = static_cast<double>(octets) / 1024;
  std::size_t unit = 0;
  // 1023.95 would print as "1024.0".
  while (value >= 1023.95 && unit + 1 < kNames.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kNames[unit]);
}

std::string format_rate(double bits_per_second) {
  constexpr std::array<std::string_view, 4> kNames = {"bit/s", "kbit/s", "Mbit/s", "Gbit/s"};
  std::size_t unit = 0;
  while (bits_per_second >= 999.5 && unit + 1 < kNames.size()) {
    bits_per_second /= 1000;
    ++unit;
  }
  if (unit == 0) return fmt::format("{:.0f} bit/s", bits_per_second);
  if (bits_per_second < 9.995) return fmt::format("{:.2f} {}", bits_per_second, kNames[unit]);
  return fmt::format("{:.1f} {}", bits_per_second, kNames[unit]);
}

std::string format_elapsed(double seconds) {
  if (seconds < 9.95) return fmt::format("{:.1f}s", seconds);
  const auto whole = static_cast<std::uint64_t>(std::llround(seconds));
  if (whole < 60) return fmt::format("{}s", whole);
  if (whole < 3600) return fmt::format("{}m{:02}s", whole / 60, whole % 60);
  return fmt::format("{}h{:02}m", whole / 3600, whole % 3600 / 60);
}

std::string format_short(dataplane::Duration duration) {
  const auto ns = static_cast<double>(duration.count());
  if (ns < 1e6) return fmt::format("{:.0f}us", ns / 1e3);
  if (ns < 1e9) return fmt::format("{:.1f}ms", ns / 1e6);
  return fmt::format("{:.2f}s", ns / 1e9);
}

}  // namespace apps
