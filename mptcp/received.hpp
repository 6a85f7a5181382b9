#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <variant>

#include "mptcp/connection.hpp"
#include "mptcp/wire/option.hpp"

namespace mptcp {

/// What is kept of a received segment while TCP has it: its header, and its MPTCP options as
/// values.
struct Connection::Received {
  /// Of options that are not padding no more fit in a header.
  static constexpr std::size_t kMostOptions = 8;

  Received(const wire::TcpSegment& segment, Stats& stats)
      : header(segment.header), payload(segment.payload_length()) {
    OptionReader reader(header.options.mptcp);
    while (const auto next = reader.next()) {
      if (!*next) {
        ++stats.options_refused;
        continue;
      }
      if (const auto* capable = std::get_if<MpCapable>(&**next))
        is_third = capable->sender_key && capable->receiver_key;
      if (count < kMostOptions) options[count++] = **next;
    }
  }

  /// Without payload and with an option that is no DSS (RFC 8684 §3).
  bool is_signal() const {
    const auto is_other = [](const Option& each) { return !std::holds_alternative<Dss>(each); };
    return payload == 0 && std::any_of(options.begin(), options.begin() + count, is_other);
  }

  template <class T>
  const T* find() const {
    for (std::size_t i = 0; i < count; ++i)
      if (const T* found = std::get_if<T>(&options[i])) return found;
    return nullptr;
  }

  wire::TcpHeader header;  ///< Its raw options are gone with the packet.
  std::uint32_t payload = 0;
  std::array<Option, kMostOptions> options{};
  std::size_t count = 0;
  bool is_third = false;  ///< MP_CAPABLE with both keys.
};

}  // namespace mptcp
