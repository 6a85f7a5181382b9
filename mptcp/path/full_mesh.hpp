#pragma once

#include "mptcp/path/path_view.hpp"

/// A subflow between each address of ours and each of the peer's of the same family.
namespace mptcp::full_mesh {

Joins next_joins(const PathView& view);

}  // namespace mptcp::full_mesh
