#pragma once

#include <cstddef>
#include <vector>

#include "test/sim/rng.hpp"

namespace lab {

/// Who sends to whom, by number.
struct Call {
  std::size_t from;
  std::size_t to;
};

/// Each host sends to one other and receives from one other.
std::vector<Call> permutation(std::size_t hosts, sim::Rng& rng);
/// Each host sends to `destinations` different others.
std::vector<Call> one_to_many(std::size_t hosts, std::size_t destinations, sim::Rng& rng);
/// This part of the hosts, chosen at random, send to another one each.
std::vector<Call> sparse(std::size_t hosts, double part, sim::Rng& rng);

}  // namespace lab
