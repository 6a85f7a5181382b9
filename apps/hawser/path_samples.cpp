#include "apps/hawser/path_samples.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "apps/common/units.hpp"

namespace apps::hawser {
namespace {

using dataplane::Duration;

double rate_of(const PathSample& path, Duration elapsed) {
  return static_cast<double>(path.bytes) * 8 / std::max(to_seconds(elapsed), 1e-9);
}

}  // namespace

std::vector<PathSample> path_samples(const mptcp::SocketInfo& info) {
  if (info.subflows.empty())
    return {{info.tuple, info.bytes_received + info.bytes_acked, info.segments_retransmitted,
             info.srtt, info.cwnd}};
  std::vector<PathSample> samples;
  for (const mptcp::SubflowInfo& subflow : info.subflows) {
    // One that is still being opened is no path yet.
    if (subflow.state.starts_with("SYN")) continue;
    const PathState state = subflow.stale    ? PathState::Stale
                            : subflow.backup ? PathState::Backup
                                             : PathState::Up;
    samples.push_back({subflow.tuple, subflow.bytes_received + subflow.bytes_acked,
                       subflow.segments_retransmitted, subflow.srtt, subflow.cwnd, state});
  }
  return samples;
}

std::vector<PathSample> by_addresses(const std::vector<PathSample>& paths) {
  std::vector<PathSample> links;
  for (const PathSample& path : paths) {
    const auto same = std::ranges::find_if(links, [&](const PathSample& link) {
      return link.tuple.local.address == path.tuple.local.address &&
             link.tuple.remote.address == path.tuple.remote.address;
    });
    if (same == links.end()) {
      links.push_back(path);
      links.back().tuple.local.port = links.back().tuple.remote.port = 0;
      continue;
    }
    same->bytes += path.bytes;
    same->retransmitted += path.retransmitted;
    same->srtt = std::max(same->srtt, path.srtt);
    same->cwnd += path.cwnd;
    same->state = std::min(same->state, path.state);
  }
  return links;
}

std::string format_links(const std::vector<PathSample>& links, Duration elapsed) {
  std::uint64_t all = 0;
  for (const PathSample& link : links)
    all += link.bytes;
  std::string text;
  for (const PathSample& link : links) {
    const double share = all == 0 ? 0 : static_cast<double>(link.bytes) / static_cast<double>(all);
    text += fmt::format("\npath {} > {}: {}, {}, {:.0f} %, rtt {}, {} retransmitted",
                        link.tuple.local.address.to_string(), link.tuple.remote.address.to_string(),
                        format_size(link.bytes), format_rate(rate_of(link, elapsed)), share * 100,
                        format_short(link.srtt), link.retransmitted);
    if (link.state != PathState::Up) text += fmt::format(", {}", name_of(link.state));
  }
  return text;
}

boost::json::array path_array(const std::vector<PathSample>& paths, Duration elapsed) {
  boost::json::array out;
  for (const PathSample& path : paths)
    out.push_back(path_fields(path, rate_of(path, elapsed)));
  return out;
}

}  // namespace apps::hawser
