#pragma once

#include <array>
#include <cstdint>

namespace dataplane {

/// Reproducible randomness from a seed: xoshiro256**, its state filled by splitmix64. For
/// simulators, ports, jitter and hash seeds; never for keys.
class Rng {
 public:
  explicit Rng(std::uint64_t seed);

  std::uint64_t next();
  /// Uniform in [0, n); n is not zero.
  std::uint64_t below(std::uint64_t n);
  /// Uniform in [0, 1), with 53 bits.
  double unit();
  /// A generator of its own stream, so that a new consumer does not shift the draws of the others.
  Rng fork();

 private:
  std::array<std::uint64_t, 4> state_;
};

}  // namespace dataplane
