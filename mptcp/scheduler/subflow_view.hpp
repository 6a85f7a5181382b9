#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/base/time.hpp"

namespace mptcp {

using dataplane::Duration;
using dataplane::Instant;

/// Subflows of one connection, so that a set of them is one word.
inline constexpr std::size_t kMaxSubflows = 32;

/// What a scheduler may know of one subflow. The caller renews it after each grant.
struct SubflowView {
  /// The subflow's place in its connection, below kMaxSubflows; stays while the subflow lives.
  std::uint8_t id = 0;
  bool backup = false;  ///< By either side's word (RFC 8684 §3.3.8).
  bool stale = false;   ///< It was given octets and acknowledges none.
  std::uint32_t mss = 536;
  Duration srtt{};    ///< RFC 6298 §2; zero: not measured yet.
  Duration rttvar{};  ///< RFC 6298 §2
  std::uint64_t cwnd = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t queued = 0;  ///< Granted and not sent.
  std::uint64_t room = 0;    ///< The largest grant that it takes now; 0: none.
  /// Octets of the connection that are in flight, that others were given and this one was not:
  /// from the later of DATA_ACK and its own last grant on. Only a redundant scheduler looks at it.
  std::uint64_t behind = 0;
};

/// What there is to send.
struct Demand {
  Instant now{};
  std::uint64_t waiting = 0;      ///< Octets written and not granted to any subflow.
  std::uint64_t window_room = 0;  ///< Octets beyond those granted that the peer's window admits.
  /// Octets that can be under way at a time, counted from DATA_ACK: the peer's whole window, or the
  /// send buffer where that is smaller.
  std::uint64_t window = 0;
  /// How often so far one of these, and nothing else, kept octets from a subflow that had room.
  std::uint64_t stalls = 0;
  std::uint64_t burst = 65'536;  ///< No grant is larger.
};

/// So many octets for one subflow. The caller maps them as one run where it can.
struct Grant {
  std::uint8_t subflow = 0;  ///< SubflowView::id
  /// From where SubflowView::behind counts, instead of the octets that wait.
  bool again = false;
  std::uint64_t octets = 0;

  friend bool operator==(const Grant&, const Grant&) = default;
};

}  // namespace mptcp
