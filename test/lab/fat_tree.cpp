#include "test/lab/fat_tree.hpp"

namespace lab {

FatTree::FatTree(Network& network, std::size_t k, const LinkConfig& link,
                 const MachineConfig& machine)
    : network_(network), half_(k / 2), link_(link) {
  ASSERT(k % 2 == 0);
  std::vector<Router*> cores;
  for (std::size_t i = 0; i < half_ * half_; ++i)
    cores.push_back(&network_.add_router());
  for (std::size_t pod = 0; pod < k; ++pod) {
    const std::size_t first = machines_.size();
    const std::vector<Router*> aggregation = add_pod(machine);
    for (std::size_t i = 0; i < cores.size(); ++i) {
      Router& below = *aggregation[i / half_];
      const Network::Cable cable = network_.join(below, *cores[i], link_);
      below.add_default(cable.there);
      cores[i]->add_route(*machines_[first], *machines_.back(), cable.back);
    }
  }
}

std::vector<Router*> FatTree::add_pod(const MachineConfig& machine) {
  std::vector<Router*> aggregation;
  for (std::size_t i = 0; i < half_; ++i)
    aggregation.push_back(&network_.add_router());
  for (std::size_t i = 0; i < half_; ++i) {
    Router& edge = network_.add_router();
    for (std::size_t j = 0; j < half_; ++j) {
      machines_.push_back(&network_.add_machine(machine));
      network_.join(*machines_.back(), edge, link_);
    }
    for (Router* above : aggregation) {
      const Network::Cable cable = network_.join(edge, *above, link_);
      edge.add_default(cable.there);
      above->add_route(*machines_[machines_.size() - half_], *machines_.back(), cable.back);
    }
  }
  return aggregation;
}

}  // namespace lab
