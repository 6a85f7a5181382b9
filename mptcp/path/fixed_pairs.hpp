#pragma once

#include "mptcp/path/path_view.hpp"

/// One subflow for each port of ours and for each address of the peer, and no more than that takes:
/// two hosts with n ports each have n subflows, paired as their subnets say, else in order. More
/// subflows than ports would compete with each other for the same links.
namespace mptcp::fixed_pairs {

Joins next_joins(const PathView& view);

}  // namespace mptcp::fixed_pairs
