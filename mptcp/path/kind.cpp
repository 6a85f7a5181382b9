#include "mptcp/path/kind.hpp"

namespace mptcp {

std::string_view name_of(PathManagerKind kind) {
  switch (kind) {
    case PathManagerKind::None:
      return "none";
    case PathManagerKind::FixedPairs:
      return "fixed-pairs";
    case PathManagerKind::FullMesh:
      return "full-mesh";
  }
  return "unknown";
}

std::optional<PathManagerKind> path_manager_named(std::string_view name) {
  for (std::size_t i = 0; i < kPathManagerKindCount; ++i) {
    const auto kind = static_cast<PathManagerKind>(i);
    if (name_of(kind) == name) return kind;
  }
  return std::nullopt;
}

}  // namespace mptcp
