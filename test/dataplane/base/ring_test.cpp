#include "dataplane/base/ring.hpp"

#include <cstddef>
#include <memory>
#include <vector>

#include <catch2/catch.hpp>

using namespace dataplane;

namespace {

std::vector<int> elements(const Ring<int>& ring) {
  std::vector<int> out;
  for (std::size_t i = 0; i < ring.size(); ++i)
    out.push_back(ring[i]);
  return out;
}

/// 0, 10, ... `count` elements, which begin in the middle of the array.
Ring<int> turned(int count) {
  Ring<int> ring;
  for (int i = 0; i < 5; ++i)
    ring.push_back(-1);
  for (int i = 0; i < count; ++i) {
    ring.push_back(i * 10);
    if (i < 5) ring.pop_front();
  }
  return ring;
}

TEST_CASE("a ring keeps its order while it turns and grows") {
  const Ring<int> ring = turned(20);
  REQUIRE(ring.size() == 20);
  for (int i = 0; i < 20; ++i)
    CHECK(ring[static_cast<std::size_t>(i)] == i * 10);
  CHECK(ring.front() == 0);
  CHECK(ring.back() == 190);
}

TEST_CASE("a ring takes elements in its middle and gives them back") {
  Ring<int> ring = turned(6);
  ring.insert(2, 15);
  CHECK(elements(ring) == std::vector{0, 10, 15, 20, 30, 40, 50});
  ring.insert(0, -5);
  ring.insert(ring.size(), 60);
  CHECK(elements(ring) == std::vector{-5, 0, 10, 15, 20, 30, 40, 50, 60});
  ring.erase(1, 3);
  CHECK(elements(ring) == std::vector{-5, 20, 30, 40, 50, 60});
  ring.erase(4, 2);
  CHECK(elements(ring) == std::vector{-5, 20, 30, 40});
}

TEST_CASE("a ring finds the first element from which on something holds") {
  for (const int count : {5, 6, 7, 8, 9, 31}) {
    const Ring<int> ring = turned(count);
    for (int wanted = -5; wanted <= count * 10; wanted += 5) {
      std::size_t first = 0;
      while (first < ring.size() && ring[first] <= wanted)
        ++first;
      CHECK(ring.first_where([wanted](int element) { return element > wanted; }) == first);
    }
  }
  CHECK(Ring<int>().first_where([](int) { return true; }) == 0);
}

TEST_CASE("what leaves a ring is not kept alive by it") {
  const auto shared = std::make_shared<int>(1);
  Ring<std::shared_ptr<int>> ring;
  for (int i = 0; i < 4; ++i)
    ring.push_back(shared);
  ring.pop_front();
  ring.pop_back();
  CHECK(shared.use_count() == 3);
  ring.erase(0, 1);
  CHECK(shared.use_count() == 2);
  ring.clear();
  CHECK(shared.use_count() == 1);
  ring.release_memory();
  CHECK(ring.empty());
}

TEST_CASE("a ring keeps what it has when room is reserved", "[base][ring]") {
  Ring<int> ring;
  ring.reserve(20);
  for (int i = 0; i < 10; ++i)
    ring.push_back(i);
  for (int i = 0; i < 5; ++i)
    CHECK(ring.take_front() == i);
  ring.reserve(100);
  for (int i = 10; i < 110; ++i)
    ring.push_back(i);
  for (int i = 5; i < 110; ++i)
    CHECK(ring.take_front() == i);
}

}  // namespace
