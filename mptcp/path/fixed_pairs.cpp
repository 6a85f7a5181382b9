#include "mptcp/path/fixed_pairs.hpp"

#include <optional>

#include "mptcp/path/plan.hpp"

namespace mptcp::fixed_pairs {
namespace {

class Pairing {
 public:
  explicit Pairing(const PathView& view) : view_(view), plan_(view), v4_(family_of_first(view)) {}

  Joins run() {
    // Neighbours first, so that nobody else takes their place.
    join_idle(true, true);
    // A peer that may still announce addresses is given the time, or a port would be paired with
    // the only address known so far.
    if (!view_.settled) return plan_.joins();
    join_idle(false, true);
    join_idle(true, false);
    join_idle(false, false);
    for (const RemoteAddress& remote : view_.remotes)
      if (is_main(remote.endpoint.address) && subflows_to(remote) == 0) join_from_best(remote);
    return plan_.joins();
  }

 private:
  static bool family_of_first(const PathView& view) {
    for (const AddressPair& pair : view.subflows)
      for (const LocalAddress& local : view.locals)
        if (local.id == pair.local) return local.address.is_v4();
    return view.locals.empty() || view.locals.front().address.is_v4();
  }
  /// The family of the first subflow. The other one serves ports that have no way in this one, as
  /// most ports have both.
  bool is_main(const IpAddress& address) const { return address.is_v4() == v4_; }

  std::optional<PortIndex> port_of(const AddressPair& pair) const {
    for (const LocalAddress& local : view_.locals)
      if (local.id == pair.local) return local.port;
    return std::nullopt;
  }
  std::size_t subflows_of(PortIndex port) const {
    return plan_.count([&](const AddressPair& pair) { return port_of(pair) == port; });
  }
  std::size_t subflows_to(const RemoteAddress& remote) const {
    return plan_.count([&](const AddressPair& pair) { return pair.remote == remote.id; });
  }
  bool is_idle(PortIndex port) const { return subflows_of(port) == 0; }
  /// A port that still waits for the answer of an address beyond its link, which may have no way to
  /// it, is free for a neighbour that was announced meanwhile.
  bool is_idle_for_neighbours(PortIndex port) const {
    std::size_t waiting = 0;
    for (const AddressPair& pair : view_.attempts)
      if (port_of(pair) == port && !are_neighbours(pair)) ++waiting;
    return subflows_of(port) == waiting;
  }

  static bool are_neighbours(const LocalAddress& local, const RemoteAddress& remote) {
    return local.prefix_length != 0 &&
           local.address.same_subnet(remote.endpoint.address, local.prefix_length);
  }

  bool are_neighbours(const AddressPair& pair) const {
    for (const LocalAddress& local : view_.locals)
      for (const RemoteAddress& remote : view_.remotes)
        if (pair == AddressPair{local.id, remote.id}) return are_neighbours(local, remote);
    return false;
  }

  void join_idle(bool main_family, bool neighbours_only) {
    for (const LocalAddress& local : view_.locals) {
      const bool idle = neighbours_only ? is_idle_for_neighbours(local.port) : is_idle(local.port);
      if (idle && is_main(local.address) == main_family) join_best(local, neighbours_only);
    }
  }

  /// Pairs an address of ours with the peer's that has the fewest subflows.
  void join_best(const LocalAddress& local, bool neighbours_only) {
    if (plan_.is_full()) return;
    const RemoteAddress* best = nullptr;
    for (const RemoteAddress& remote : view_.remotes) {
      if (!plan_.may_join(local, remote)) continue;
      if (neighbours_only && !are_neighbours(local, remote)) continue;
      if (best == nullptr || subflows_to(remote) < subflows_to(*best)) best = &remote;
    }
    if (best != nullptr) plan_.join(local, *best);
  }

  /// Pairs an address of the peer with our neighbour of it, else with the port that has the fewest
  /// subflows.
  void join_from_best(const RemoteAddress& remote) {
    if (plan_.is_full()) return;
    const LocalAddress* best = nullptr;
    const auto is_better = [&](const LocalAddress& a, const LocalAddress& b) {
      const bool neighbour = are_neighbours(a, remote);
      if (neighbour != are_neighbours(b, remote)) return neighbour;
      return subflows_of(a.port) < subflows_of(b.port);
    };
    for (const LocalAddress& local : view_.locals) {
      if (!plan_.may_join(local, remote)) continue;
      if (best == nullptr || is_better(local, *best)) best = &local;
    }
    if (best != nullptr) plan_.join(*best, remote);
  }

  const PathView& view_;
  Plan plan_;
  bool v4_;
};

}  // namespace

Joins next_joins(const PathView& view) { return Pairing(view).run(); }

}  // namespace mptcp::fixed_pairs
