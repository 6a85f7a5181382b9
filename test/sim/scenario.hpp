#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/tcp/config.hpp"
#include "test/sim/attacker.hpp"
#include "test/sim/box.hpp"
#include "test/sim/link.hpp"
#include "test/sim/session.hpp"

namespace sim {

/// Connections from one client to one port of the server.
struct ConnectionPlan {
  std::size_t client = 0;
  std::uint16_t server_port = 8000;
  std::size_t count = 1;  ///< So many alike.
  Duration after{};       ///< From the start of the run.
  Duration spacing{};     ///< Between those alike.
  bool simultaneous =
      false;  ///< Both ends call each other from the same port (RFC 9293 §3.5, Figure 7).
  AppPlan client_app;
  AppPlan server_app;

  bool is_cut_short() const {
    return client_app.abort_at != kNeverReached || server_app.abort_at != kNeverReached;
  }
};

/// One host's side of a scenario.
struct Station {
  dataplane::tcp::Config tcp;
  mptcp::Config mptcp;
  std::uint16_t mtu = 1500;
  std::size_t pool_packets = 4096;
  std::size_t burst = 32;
  Duration turn_interval{};
  bool back_pressure = true;
};

/// A path beside the first, from the client's port to the server's port of the same number.
struct PathPlan {
  LinkConfig up;
  LinkConfig down;
  std::vector<BoxSpec> boxes;
};

/// What a throughput scenario is measured by.
struct Goal {
  /// Of the rates of all links, headers counted; 0: the figures are printed only.
  double utilisation = 0;
  Duration queue_at_most{};  ///< At the fullest of any queue; zero: any.
  bool resends_nothing = false;
  bool wants_marks = false;                    ///< Some frame was marked, or the run shows nothing.
  Duration within{};                           ///< By then all is over; zero: only Scenario::bound.
  Duration silence{};                          ///< The longest time between two reads; zero: any.
  std::optional<std::uint64_t> most_resent{};  ///< Octets sent again.
  std::uint64_t least_undone = 0;              ///< Timeouts found to be spurious.
  bool quick = false;                          ///< Cheap enough to run with each change.
};

/// Everything that a run follows from.
struct Scenario {
  std::string name;
  std::string about;  ///< One sentence.
  std::uint64_t seed = 0;
  bool v6 = false;
  std::optional<std::uint16_t> vlan;
  std::size_t clients = 1;
  Station client;
  Station server;
  LinkConfig up;               ///< From each client.
  LinkConfig down;             ///< To each client.
  std::vector<BoxSpec> boxes;  ///< From left to right, between each client's link and the server.
  /// Further ports of client and server, each with a path of its own; for one client.
  std::vector<PathPlan> more_paths;
  std::vector<ConnectionPlan> connections;
  AttackPlan attack;
  std::size_t syn_table_size = 1024;
  std::size_t accept_backlog = 1024;
  std::size_t send_memory = 16UL << 20;
  bool timeouts_allowed = false;
  bool late_acks_allowed = false;
  Duration bound = 300s;  ///< By then all connections are over.
  std::optional<Goal> goal;
};

/// Anything that can happen, from a seed; costs little time to run.
Scenario random_scenario(std::uint64_t seed);
/// The fixed ones.
std::vector<Scenario> named_scenarios();
/// Those of them with several paths.
std::vector<Scenario> multipath_scenarios();
/// Those with links that mark.
std::vector<Scenario> ecn_scenarios();
/// Those that are about the recovery of losses and of what seemed to be one.
std::vector<Scenario> recovery_scenarios();
/// The kernel's simult_flows.sh: how well two paths add up.
std::vector<Scenario> simult_flows();
std::optional<Scenario> find_scenario(std::string_view name);
/// The seed, the sizes and the faults, in a few lines.
std::string describe(const Scenario& scenario);

}  // namespace sim
