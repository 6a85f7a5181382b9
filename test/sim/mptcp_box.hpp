#pragma once

#include <memory>

#include "test/sim/box.hpp"

namespace sim {

/// The boxes that look for MPTCP or change payload.
std::unique_ptr<Box> make_mptcp_box(const BoxSpec& spec, FramePool& frames);

}  // namespace sim
