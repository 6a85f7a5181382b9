#pragma once

#include <cstddef>
#include <vector>

#include "test/lab/network.hpp"

namespace lab {

/// Routers with k ports in three layers (Al-Fares, Loukissas, Vahdat, SIGCOMM 2008): k pods of k/2
/// edge and k/2 aggregation routers, (k/2)^2 core routers, k/2 machines on each edge router. All
/// links are alike; the way up is chosen by a hash of the flow (ECMP), the way down is the only
/// one.
class FatTree {
 public:
  /// `k` is even. All ports of a machine share its one cable.
  FatTree(Network& network, std::size_t k, const LinkConfig& link, const MachineConfig& machine);

  /// Those of a pod follow each other, and of these those of an edge router.
  const std::vector<Machine*>& machines() const { return machines_; }

 private:
  /// Returns the aggregation routers.
  std::vector<Router*> add_pod(const MachineConfig& machine);

  Network& network_;
  std::size_t half_;
  LinkConfig link_;
  std::vector<Machine*> machines_;
};

}  // namespace lab
