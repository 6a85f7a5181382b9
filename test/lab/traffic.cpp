#include "test/lab/traffic.hpp"

#include <numeric>
#include <utility>

namespace lab {

namespace {

/// The first `count` of the numbers below `all`, after they were shuffled.
std::vector<std::size_t> draw(std::size_t all, std::size_t count, sim::Rng& rng) {
  std::vector<std::size_t> out(all);
  std::iota(out.begin(), out.end(), std::size_t{0});
  for (std::size_t i = 0; i < count; ++i)
    std::swap(out[i], out[i + rng.below(all - i)]);
  out.resize(count);
  return out;
}

}  // namespace

std::vector<Call> permutation(std::size_t hosts, sim::Rng& rng) {
  // One ring through all of them: nobody sends to itself.
  const std::vector<std::size_t> ring = draw(hosts, hosts, rng);
  std::vector<Call> out;
  for (std::size_t i = 0; i < hosts; ++i)
    out.push_back({ring[i], ring[(i + 1) % hosts]});
  return out;
}

std::vector<Call> one_to_many(std::size_t hosts, std::size_t destinations, sim::Rng& rng) {
  std::vector<Call> out;
  for (std::size_t from = 0; from < hosts; ++from)
    for (const std::size_t other : draw(hosts - 1, destinations, rng))
      out.push_back({from, other + (other >= from ? 1 : 0)});
  return out;
}

std::vector<Call> sparse(std::size_t hosts, double part, sim::Rng& rng) {
  std::vector<Call> out;
  const auto senders = static_cast<std::size_t>(part * static_cast<double>(hosts));
  for (const std::size_t from : draw(hosts, senders, rng)) {
    const std::size_t other = rng.below(hosts - 1);
    out.push_back({from, other + (other >= from ? 1 : 0)});
  }
  return out;
}

}  // namespace lab
