#pragma once

#include <string>

#include "mptcp/core.hpp"

namespace mptcp::api::embed {

/// All counters as one JSON object: groups of names and numbers.
std::string counters_json(const Core& core);

}  // namespace mptcp::api::embed
