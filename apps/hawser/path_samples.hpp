#pragma once

#include <string>
#include <vector>

#include <boost/json/array.hpp>

#include "apps/common/report.hpp"
#include "mptcp/core.hpp"

namespace apps::hawser {

/// The paths of a connection as they are now: its subflows, or itself where it is plain TCP.
std::vector<PathSample> path_samples(const mptcp::SocketInfo& info);

/// Paths between the same two addresses as one, without ports: what a link carried.
std::vector<PathSample> by_addresses(const std::vector<PathSample>& paths);

/// What each of them carried in a test of this length: a line each for people, with what share of
/// all that is; nothing for no path.
std::string format_links(const std::vector<PathSample>& links, dataplane::Duration elapsed);
/// The same of any paths for programs.
boost::json::array path_array(const std::vector<PathSample>& paths, dataplane::Duration elapsed);

}  // namespace apps::hawser
