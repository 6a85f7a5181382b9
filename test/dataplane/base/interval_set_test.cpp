#include "dataplane/base/interval_set.hpp"

#include <vector>

#include <catch2/catch.hpp>

#include "dataplane/base/rng.hpp"

using namespace dataplane;

namespace {

using Set = IntervalSet<SeqNum>;

/// Every edge case is tried on both sides of the wrap.
SeqNum generate_base() {
  return SeqNum(GENERATE(0U, 1000U, 0x7fff'ff80U, 0xffff'fff0U, 0xffff'ffffU));
}

std::vector<std::pair<std::uint32_t, std::uint32_t>> offsets(const Set& set, SeqNum base) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> out;
  for (const auto& range : set)
    out.emplace_back(range.begin - base, range.end - base);
  return out;
}
using Offsets = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

}  // namespace

TEST_CASE("ranges that overlap or touch become one", "[base][interval_set]") {
  const SeqNum base = generate_base();
  const auto p = [&](std::uint32_t offset) { return base + offset; };
  Set set;
  CHECK(set.insert(p(10), p(20)) == 10);
  CHECK(set.insert(p(30), p(40)) == 10);
  CHECK(set.insert(p(50), p(60)) == 10);
  CHECK(offsets(set, base) == Offsets{{10, 20}, {30, 40}, {50, 60}});

  SECTION("touching the one before") {
    CHECK(set.insert(p(20), p(25)) == 5);
    CHECK(offsets(set, base) == Offsets{{10, 25}, {30, 40}, {50, 60}});
  }
  SECTION("touching the one behind") {
    CHECK(set.insert(p(25), p(30)) == 5);
    CHECK(offsets(set, base) == Offsets{{10, 20}, {25, 40}, {50, 60}});
  }
  SECTION("filling a hole exactly") {
    CHECK(set.insert(p(20), p(30)) == 10);
    CHECK(offsets(set, base) == Offsets{{10, 40}, {50, 60}});
  }
  SECTION("over several") {
    CHECK(set.insert(p(15), p(55)) == 20);
    CHECK(offsets(set, base) == Offsets{{10, 60}});
  }
  SECTION("over all and more") {
    CHECK(set.insert(p(5), p(70)) == 35);
    CHECK(offsets(set, base) == Offsets{{5, 70}});
  }
  SECTION("inside one") {
    CHECK(set.insert(p(32), p(38)) == 0);
    CHECK(offsets(set, base) == Offsets{{10, 20}, {30, 40}, {50, 60}});
  }
  SECTION("between, touching none") {
    CHECK(set.insert(p(22), p(28)) == 6);
    CHECK(offsets(set, base) == Offsets{{10, 20}, {22, 28}, {30, 40}, {50, 60}});
  }
  SECTION("before all") {
    CHECK(set.insert(p(0), p(5)) == 5);
    CHECK(offsets(set, base) == Offsets{{0, 5}, {10, 20}, {30, 40}, {50, 60}});
  }
  SECTION("an empty range") {
    CHECK(set.insert(p(25), p(25)) == 0);
    CHECK(set.size() == 3);
  }
}

TEST_CASE("what lies below a position can be forgotten", "[base][interval_set]") {
  const SeqNum base = generate_base();
  const auto p = [&](std::uint32_t offset) { return base + offset; };
  Set set;
  set.insert(p(10), p(20));
  set.insert(p(30), p(40));
  CHECK(set.erase_below(p(10)) == 0);
  CHECK(set.erase_below(p(15)) == 5);
  CHECK(set.covered() == 15);
  CHECK(set.erase_below(p(30)) == 5);
  CHECK(offsets(set, base) == Offsets{{30, 40}});
  CHECK(set.erase_below(p(100)) == 10);
  CHECK(set.empty());
  set.release_memory();
  CHECK(set.insert(p(200), p(201)) == 1);
}

TEST_CASE("gaps and coverage are found by position", "[base][interval_set]") {
  const SeqNum base = generate_base();
  const auto p = [&](std::uint32_t offset) { return base + offset; };
  Set set;
  CHECK(set.first_gap(p(5)) == p(5));
  CHECK(set.covered_from(p(5)) == 0);
  set.insert(p(10), p(20));
  set.insert(p(30), p(40));
  CHECK(set.first_gap(p(9)) == p(9));
  CHECK(set.first_gap(p(10)) == p(20));
  CHECK(set.first_gap(p(19)) == p(20));
  CHECK(set.first_gap(p(20)) == p(20));
  CHECK(set.covered_from(p(0)) == 20);
  CHECK(set.covered_from(p(15)) == 15);
  CHECK(set.covered_from(p(20)) == 10);
  CHECK(set.covered_from(p(40)) == 0);
  CHECK(set.contains(p(10)));
  CHECK_FALSE(set.contains(p(20)));
  CHECK(set.contains(p(10), p(20)));
  CHECK_FALSE(set.contains(p(10), p(21)));
  CHECK_FALSE(set.contains(p(9), p(11)));
  CHECK(set.contains(p(25), p(25)));
  CHECK(set.find(p(20))->begin == p(30));
  CHECK(set.find(p(40)) == set.end());
}

TEST_CASE("an interval set behaves like an array of flags", "[base][interval_set]") {
  Rng rng(GENERATE(1U, 2U, 3U));
  constexpr std::uint32_t kSpace = 256;
  const SeqNum base(static_cast<std::uint32_t>(rng.next()));
  std::vector<bool> model(kSpace + 1, false);
  Set set;
  std::uint32_t floor = 0;
  for (int step = 0; step < 3000; ++step) {
    if (rng.below(8) == 0) {
      const auto to = static_cast<std::uint32_t>(floor + rng.below(16));
      floor = to >= kSpace ? 0 : to;  // The window starts anew.
      if (floor == 0) {
        set.clear();
        model.assign(kSpace + 1, false);
      }
      set.erase_below(base + floor);
      std::fill_n(model.begin(), floor, false);
    } else {
      const auto begin = static_cast<std::uint32_t>(floor + rng.below(kSpace - floor));
      const auto end =
          static_cast<std::uint32_t>(begin + rng.below(std::min(kSpace - begin, 24U) + 1));
      const auto before = std::count(model.begin(), model.end(), true);
      std::fill(model.begin() + begin, model.begin() + end, true);
      const auto after = std::count(model.begin(), model.end(), true);
      REQUIRE(set.insert(base + begin, base + end) == static_cast<std::uint32_t>(after - before));
    }
    REQUIRE(set.covered() ==
            static_cast<std::uint32_t>(std::count(model.begin(), model.end(), true)));
    const auto probe = static_cast<std::uint32_t>(rng.below(kSpace));
    REQUIRE(set.contains(base + probe) == model[probe]);
    const auto gap = std::find(model.begin() + probe, model.end(), false) - model.begin();
    REQUIRE(set.first_gap(base + probe) == base + static_cast<std::uint32_t>(gap));
    for (auto range = set.begin(); range != set.end(); ++range) {
      REQUIRE(range->begin < range->end);
      if (std::next(range) != set.end()) REQUIRE(range->end < std::next(range)->begin);
    }
  }
}
