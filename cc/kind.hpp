#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace cc {

/// Which congestion controller. A new one is a file, a line here, a line in controller.hpp and one
/// in controller.cpp.
enum class Kind : std::uint8_t { NewReno, Cubic, Bbr, Lia, Olia, Balia, Wvegas, Dctcp };
inline constexpr std::size_t kKindCount = 8;

/// As in a configuration file: "reno", "cubic", "bbr", "lia", "olia", "balia", "wvegas",
/// "dctcp".
std::string_view name_of(Kind kind);
std::optional<Kind> kind_named(std::string_view name);

}  // namespace cc
