#include <algorithm>

#include <fmt/format.h>

#include "test/sim/scenario.hpp"

namespace sim {

namespace {

void describe_links(std::string& out, const LinkConfig& up, const LinkConfig& down) {
  for (const LinkConfig* link : {&up, &down}) {
    const Faults& f = link->faults;
    out += fmt::format(
        "  {}: {:.3g} Mbit/s, {} us + {} us jitter, queue {}; loss {:.3f}, burst "
        "{:.3f}/{:.2f}/{:.2f}, reorder {:.3f} "
        "by {} us, duplicate {:.3f}, corrupt {:.3f}, deface {:.3f}, {} cuts{}\n",
        link == &up ? "up" : "down", static_cast<double>(link->rate_bps) / 1e6, link->delay / 1us,
        link->jitter / 1us, link->queue_frames, f.loss, f.burst.good_to_bad, f.burst.bad_to_good,
        f.burst.loss_in_bad, f.reorder, f.reorder_delay / 1us, f.duplicate, f.corrupt, f.deface,
        f.cuts.size(),
        link->mark_octets != 0 ? fmt::format(", marks above {}", link->mark_octets) : "");
  }
}

}  // namespace

std::string describe(const Scenario& s) {
  std::string out = fmt::format("{}{}: IPv{}, MTU {}/{}, {} client(s)\n", s.name,
                                s.about.empty() ? "" : " (" + s.about + ")", s.v6 ? 6 : 4,
                                s.client.mtu, s.server.mtu, s.clients);
  describe_links(out, s.up, s.down);
  for (const BoxSpec& box : s.boxes)
    out += fmt::format("  box {} {}\n", name_of(box.kind), box.parameter);
  for (const ConnectionPlan& plan : s.connections) {
    out += fmt::format("  client {} to port {} x{}{}: up {} octets, down {} octets{}\n",
                       plan.client, plan.server_port, plan.count,
                       plan.simultaneous ? " simultaneous" : "", plan.client_app.octets,
                       plan.server_app.octets, plan.is_cut_short() ? ", aborted" : "");
  }
  for (const auto* station : {&s.client, &s.server}) {
    if (!station->mptcp.enabled) continue;
    out += fmt::format(
        "  {} speaks MPTCP {}: {}, {}{}\n", station == &s.client ? "client" : "server",
        static_cast<int>(station->mptcp.version), name_of(station->mptcp.scheduler),
        name_of(station->mptcp.path_manager), station->mptcp.checksum ? ", checksums" : "");
  }
  for (const ConnectionPlan& plan : s.connections) {
    const Duration pause = std::max(plan.client_app.path_pause, plan.server_app.path_pause);
    if (pause > Duration::zero())
      out += fmt::format("  port {}: a program drives the paths, each {} us\n", plan.server_port,
                         pause / 1us);
  }
  for (const PathPlan& path : s.more_paths) {
    out += "  a further path\n";
    describe_links(out, path.up, path.down);
    for (const BoxSpec& box : path.boxes)
      out += fmt::format("  box {} {}\n", name_of(box.kind), box.parameter);
  }
  if (s.attack.is_on()) {
    out += fmt::format("  attack: flood {}, garbage {}, blind {}, scan {}, {:.0f} frames/s\n",
                       s.attack.syn_flood, s.attack.garbage, s.attack.blind, s.attack.scan,
                       s.attack.frames_per_second);
  }
  return out;
}

}  // namespace sim
