#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "test/sim/box.hpp"

/// What boxes do to the segments in their hands.
namespace sim::box_parts {

using dataplane::load_be;
using dataplane::store_be;

inline constexpr std::size_t kFlagsAt = 13, kSeqAt = 4, kAckAt = 8;

inline std::uint8_t flags_of(const Frame& frame, const Layout& layout) {
  return static_cast<std::uint8_t>(frame.data()[layout.transport + kFlagsAt]);
}
inline std::uint32_t field(const Frame& frame, const Layout& layout, std::size_t at) {
  return load_be<std::uint32_t>(&frame.data()[layout.transport + at]);
}
inline void set_field(Frame& frame, const Layout& layout, std::size_t at, std::uint32_t value) {
  store_be(&frame.data()[layout.transport + at], value);
}

/// Calls f(kind, option) for each option that is well formed.
template <class F>
void for_each_option(Frame& frame, const Layout& layout, F&& f) {
  MutableByteSpan rest =
      frame.data().subspan(layout.transport + 20, layout.payload - layout.transport - 20);
  while (!rest.empty() && rest[0] != std::byte{0}) {
    if (rest[0] == std::byte{1}) {
      rest = rest.subspan(1);
      continue;
    }
    if (rest.size() < 2) return;
    const auto length = static_cast<std::size_t>(rest[1]);
    if (length < 2 || length > rest.size()) return;
    f(static_cast<unsigned>(rest[0]), rest.first(length));
    rest = rest.subspan(length);
  }
}

inline void blank(MutableByteSpan option) { std::fill(option.begin(), option.end(), std::byte{1}); }

inline constexpr unsigned kMptcp = 30;

/// Takes every MPTCP option away (RFC 8684 §3); checksums are left to the caller.
inline void blank_mptcp(Frame& frame, const Layout& layout) {
  for_each_option(frame, layout, [](unsigned kind, MutableByteSpan option) {
    if (kind == kMptcp) blank(option);
  });
}

}  // namespace sim::box_parts
