#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "dataplane/base/result.hpp"

namespace dataplane::net {

/// What a host counted since its start. All counts only grow.
struct HostStats {
  /// Frames refused when received, and segments refused by send(), each under its reason.
  std::array<std::uint64_t, kErrorCount> refused{};

  std::uint64_t frames_received = 0;
  std::uint64_t tcp_segments_received = 0;
  std::uint64_t tcp_segments_sent = 0;
  std::uint64_t tcp_checksums_verified = 0;  ///< In software; the device did the others.
  std::uint64_t arp_received = 0;
  std::uint64_t ndp_received = 0;
  std::uint64_t router_messages_ignored = 0;
  std::uint64_t icmp_errors_received = 0;
  std::uint64_t echo_requests_answered = 0;
  std::uint64_t echo_requests_limited = 0;
  std::uint64_t echo_replies_received = 0;
  std::uint64_t solicitations_sent = 0;   ///< ARP requests and neighbour solicitations.
  std::uint64_t advertisements_sent = 0;  ///< ARP replies, announcements, neighbour advertisements.
  std::uint64_t neighbors_failed = 0;
  std::uint64_t neighbors_evicted = 0;
  std::uint64_t unresolved_frames_dropped = 0;  ///< That waited for a next hop.
  std::uint64_t address_conflicts = 0;          ///< Another host says it has an address of ours.

  std::uint64_t& of(Error error) { return refused[static_cast<std::size_t>(error)]; }
  std::uint64_t of(Error error) const { return refused[static_cast<std::size_t>(error)]; }
};

struct Counter {
  std::string_view name;
  std::uint64_t value = 0;
};

/// Every counter with its name, for reports. Refusals are named "refused_" and their error.
std::vector<Counter> counters_of(const HostStats& stats);

}  // namespace dataplane::net
