#include "cc/kind.hpp"

#include <array>

namespace cc {
namespace {

constexpr std::array<std::string_view, kKindCount> kNames{"reno", "cubic", "bbr",    "lia",
                                                          "olia", "balia", "wvegas", "dctcp"};

}  // namespace

std::string_view name_of(Kind kind) { return kNames.at(static_cast<std::size_t>(kind)); }

std::optional<Kind> kind_named(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (kNames[i] == name) return static_cast<Kind>(i);
  return std::nullopt;
}

}  // namespace cc
