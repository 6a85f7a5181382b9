#pragma once

#include <cstdint>
#include <span>

#include "dataplane/base/rng.hpp"
#include "dataplane/base/time.hpp"

namespace sim {

/// The only source of chance in a run. Everything follows from its seed; a fork has a name and is
/// independent of what its parent draws, so that one more draw in one place does not shift all
/// others.
class Rng {
 public:
  explicit Rng(std::uint64_t seed) : seed_(seed), engine_(seed) {}
  Rng fork(std::uint64_t name) const {
    return Rng((seed_ + 1) * 0x9e37'79b9'7f4a'7c15 ^ (name + 1) * 0xd1b5'4a32'd192'ed03);
  }

  std::uint64_t next() { return engine_.next(); }
  /// Uniform in [0, bound); 0 for a bound of 0.
  std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : engine_.below(bound); }
  /// Uniform in [low, high].
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return low + below(high - low + 1);
  }
  dataplane::Duration between(dataplane::Duration low, dataplane::Duration high) {
    return low + dataplane::Duration(below(static_cast<std::uint64_t>((high - low).count()) + 1));
  }
  /// Every power of two between low and high is as likely as every other. `low` is not zero.
  std::uint64_t log_between(std::uint64_t low, std::uint64_t high) {
    unsigned octaves = 0;
    while ((low << octaves) < high)
      ++octaves;
    const std::uint64_t floor = low << below(octaves);
    const std::uint64_t value = floor + below(floor + 1);
    return value > high ? high : value;
  }
  dataplane::Duration log_between(dataplane::Duration low, dataplane::Duration high) {
    return dataplane::Duration(log_between(static_cast<std::uint64_t>(low.count()),
                                           static_cast<std::uint64_t>(high.count())));
  }
  double real(double low, double high) { return low + (high - low) * engine_.unit(); }
  bool chance(double probability) { return probability > 0 && engine_.unit() < probability; }
  template <class T, std::size_t N>
  const T& pick(const T (&choices)[N]) {
    return choices[below(N)];
  }

 private:
  std::uint64_t seed_;
  dataplane::Rng engine_;
};

}  // namespace sim
