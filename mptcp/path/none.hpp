#pragma once

#include "mptcp/path/path_view.hpp"

/// Joins nothing of its own; the peer, or the program, may.
namespace mptcp::none {

inline Joins next_joins(const PathView&) { return {}; }

}  // namespace mptcp::none
