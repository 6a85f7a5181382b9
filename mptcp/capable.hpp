#pragma once

#include <cstdint>

#include "mptcp/config.hpp"
#include "mptcp/wire/option.hpp"

namespace mptcp {

/// What MP_CAPABLE says of its sender on every segment of the handshake. Version 0 has no flag C.
inline MpCapable capable_of(Version version, const Config& config) {
  MpCapable out;
  out.version = static_cast<std::uint8_t>(version);
  out.no_join_here = version != Version::V0 && !config.join_first_address;
  return out;
}

}  // namespace mptcp
