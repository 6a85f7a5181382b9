#pragma once

#include "mptcp/path/kind.hpp"
#include "mptcp/path/path_view.hpp"

namespace mptcp {

/// The joins to try now. Ask again when an address, a subflow or a pair's rest has changed; path
/// managers keep nothing, so that whatever order things come in the outcome is the same.
Joins next_joins(PathManagerKind kind, const PathView& view);

}  // namespace mptcp
