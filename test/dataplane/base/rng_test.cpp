#include "dataplane/base/rng.hpp"

#include <array>
#include <cmath>
#include <set>

#include <catch2/catch.hpp>

using dataplane::Rng;

TEST_CASE("a generator with the same seed draws the same numbers", "[base][rng]") {
  Rng a(7);
  Rng b(7);
  Rng c(8);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const auto drawn = a.next();
    REQUIRE(drawn == b.next());
    differs = differs || drawn != c.next();
  }
  CHECK(differs);
}

TEST_CASE("a seed of zero gives a generator that works", "[base][rng]") {
  Rng rng(0);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i)
    seen.insert(rng.next());
  CHECK(seen.size() == 1000);
}

TEST_CASE("numbers below a bound are evenly spread", "[base][rng]") {
  Rng rng(1);
  std::array<int, 7> count{};
  constexpr int kDraws = 70'000;
  for (int i = 0; i < kDraws; ++i)
    ++count.at(rng.below(count.size()));
  for (const int n : count)
    CHECK(std::abs(n - 10'000) < 500);
  CHECK(rng.below(1) == 0);
  const std::uint64_t huge = (1ULL << 63) + 1;  // Half of all draws are refused.
  for (int i = 0; i < 100; ++i)
    CHECK(rng.below(huge) < huge);
}

TEST_CASE("unit draws lie in [0, 1) around one half", "[base][rng]") {
  Rng rng(2);
  double sum = 0;
  for (int i = 0; i < 10'000; ++i) {
    const double u = rng.unit();
    REQUIRE(u >= 0.0);
    REQUIRE(u < 1.0);
    sum += u;
  }
  CHECK(std::abs(sum / 10'000 - 0.5) < 0.02);
}

TEST_CASE("a fork does not repeat its parent", "[base][rng]") {
  Rng parent(3);
  Rng child = parent.fork();
  for (int i = 0; i < 100; ++i)
    CHECK(parent.next() != child.next());
}
