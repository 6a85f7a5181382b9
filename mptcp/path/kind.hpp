#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace mptcp {

/// Which path manager. A new one is a file, a line here and one in path_manager.cpp.
enum class PathManagerKind : std::uint8_t { None, FixedPairs, FullMesh };
inline constexpr std::size_t kPathManagerKindCount = 3;

/// As in a configuration file: "none", "fixed-pairs", "full-mesh".
std::string_view name_of(PathManagerKind kind);
std::optional<PathManagerKind> path_manager_named(std::string_view name);

}  // namespace mptcp
