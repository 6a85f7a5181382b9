#pragma once

#include <cstdint>

#include "dataplane/base/byte_io.hpp"

namespace dataplane {

/// SipHash-2-4 with the 128-bit key (k0, k1): a hash that a peer without the key can neither
/// predict nor aim, for initial sequence numbers, SYN cookies and hash tables.
std::uint64_t siphash24(std::uint64_t k0, std::uint64_t k1, ByteSpan octets);

}  // namespace dataplane
