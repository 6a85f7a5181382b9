#pragma once

#include <benchmark/benchmark.h>
#include <cstdint>
#include <x86intrin.h>

namespace bench {

/// Counts the items that a benchmark handled, and the TSC cycles that each took. Only what lies
/// between start() and stop() counts, so that preparing the next batch is not measured.
class Meter {
 public:
  void start() { began_ = __rdtsc(); }
  void stop() { cycles_ += __rdtsc() - began_; }
  void report(benchmark::State& state, std::uint64_t items) const {
    state.SetItemsProcessed(static_cast<std::int64_t>(items));
    state.counters["cycles"] =
        items == 0 ? 0.0 : static_cast<double>(cycles_) / static_cast<double>(items);
  }

 private:
  std::uint64_t began_ = 0;
  std::uint64_t cycles_ = 0;
};

}  // namespace bench
