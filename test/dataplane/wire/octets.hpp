#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <vector>

#include "dataplane/base/byte_io.hpp"
#include "dataplane/base/result.hpp"

namespace dataplane::wire {

using Octets = std::vector<std::byte>;

inline Octets octets_of(std::initializer_list<unsigned> values) {
  Octets octets;
  for (const unsigned value : values)
    octets.push_back(static_cast<std::byte>(value));
  return octets;
}

/// Octets that look like nothing in particular, the same for the same seed.
inline Octets some_octets(std::size_t length, std::uint32_t seed = 1) {
  Octets octets(length);
  std::uint32_t state = seed * 2654435761U + 1;
  for (std::byte& octet : octets) {
    state = state * 1664525U + 1013904223U;
    octet = static_cast<std::byte>(state >> 24);
  }
  return octets;
}

/// Whether `parse` refuses each proper prefix of `octets`. Every prefix lies in memory of its own,
/// so that a sanitizer sees a read past its end.
template <class Parse>
bool refuses_every_truncation(ByteSpan octets, Parse parse) {
  for (std::size_t length = 0; length < octets.size(); ++length) {
    const auto exact = std::make_unique<std::byte[]>(length);
    std::copy_n(octets.begin(), length, exact.get());
    if (parse(ByteSpan(exact.get(), length)).has_value()) return false;
  }
  return true;
}

}  // namespace dataplane::wire
