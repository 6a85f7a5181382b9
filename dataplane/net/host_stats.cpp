#include "dataplane/net/host_stats.hpp"

namespace dataplane::net {
namespace {

// Beside name_of(Error), because a view needs text that lasts.
constexpr std::array<std::string_view, kErrorCount> kRefusedNames{
    "refused_bad_checksum",     "refused_bad_length",  "refused_bad_version", "refused_bad_address",
    "refused_bad_header",       "refused_bad_option",  "refused_fragment",    "refused_no_buffers",
    "refused_no_route",         "refused_not_for_us",  "refused_queue_full",  "refused_truncated",
    "refused_unknown_protocol", "refused_unknown_vlan"};

}  // namespace

std::vector<Counter> counters_of(const HostStats& s) {
  std::vector<Counter> all{
      {"frames_received", s.frames_received},
      {"tcp_segments_received", s.tcp_segments_received},
      {"tcp_segments_sent", s.tcp_segments_sent},
      {"tcp_checksums_verified", s.tcp_checksums_verified},
      {"arp_received", s.arp_received},
      {"ndp_received", s.ndp_received},
      {"router_messages_ignored", s.router_messages_ignored},
      {"icmp_errors_received", s.icmp_errors_received},
      {"echo_requests_answered", s.echo_requests_answered},
      {"echo_requests_limited", s.echo_requests_limited},
      {"echo_replies_received", s.echo_replies_received},
      {"solicitations_sent", s.solicitations_sent},
      {"advertisements_sent", s.advertisements_sent},
      {"neighbors_failed", s.neighbors_failed},
      {"neighbors_evicted", s.neighbors_evicted},
      {"unresolved_frames_dropped", s.unresolved_frames_dropped},
      {"address_conflicts", s.address_conflicts},
  };
  for (std::size_t i = 0; i < kErrorCount; ++i)
    all.push_back({kRefusedNames[i], s.refused[i]});
  return all;
}

}  // namespace dataplane::net
