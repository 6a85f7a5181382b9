#pragma once

#include <cstdint>
#include <string_view>

#include "dataplane/base/address.hpp"
#include "dataplane/base/time.hpp"

namespace mptcp {

/// What a subflow does now; for SocketInfo.
struct SubflowInfo {
  dataplane::FourTuple tuple;
  dataplane::PortIndex port{};
  std::string_view state;        ///< RFC 9293 §3.3.2
  bool backup = false;           ///< By either side's word (RFC 8684 §3.3.8).
  bool stale = false;            ///< It timed out and acknowledges nothing.
  std::uint64_t bytes_sent = 0;  ///< Payload octets, each counted once for this subflow.
  std::uint64_t bytes_acked = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t segments_sent = 0;
  std::uint64_t segments_received = 0;
  std::uint64_t segments_retransmitted = 0;
  dataplane::Duration srtt{};
  dataplane::Duration rto{};
  std::uint64_t cwnd = 0;
  std::uint64_t in_flight = 0;
  std::uint32_t mss = 0;
};

}  // namespace mptcp
