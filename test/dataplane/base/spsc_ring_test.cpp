#include "dataplane/base/spsc_ring.hpp"

#include <array>
#include <memory>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

using dataplane::SpscRing;

TEST_CASE("a ring takes its capacity and gives it back in order", "[base][spsc_ring]") {
  SpscRing<int> ring(4);
  int out = 0;
  CHECK_FALSE(ring.pop(out));
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 4; ++i)
      CHECK(ring.push(round * 4 + i));
    CHECK_FALSE(ring.push(99));
    CHECK(ring.size_estimate() == 4);
    for (int i = 0; i < 4; ++i) {
      REQUIRE(ring.pop(out));
      CHECK(out == round * 4 + i);
    }
    CHECK_FALSE(ring.pop(out));
  }
}

TEST_CASE("a batch is taken as far as there is room", "[base][spsc_ring]") {
  SpscRing<int> ring(8);
  std::array<int, 6> in{1, 2, 3, 4, 5, 6};
  std::array<int, 10> out{};
  CHECK(ring.push_batch(in) == 6);
  CHECK(ring.push_batch(in) == 2);
  CHECK(ring.push_batch({}) == 0);
  CHECK(ring.pop_batch(out) == 8);
  CHECK(out == std::array<int, 10>{1, 2, 3, 4, 5, 6, 1, 2, 0, 0});
  CHECK(ring.pop_batch(out) == 0);
}

TEST_CASE("an element that does not fit stays with the caller", "[base][spsc_ring]") {
  SpscRing<std::unique_ptr<int>> ring(1);
  CHECK(ring.push(std::make_unique<int>(1)));
  auto second = std::make_unique<int>(2);
  CHECK_FALSE(ring.push(std::move(second)));
  REQUIRE(second != nullptr);  // NOLINT(bugprone-use-after-move): that is the promise.
  std::unique_ptr<int> out;
  CHECK(ring.pop(out));
  CHECK(*out == 1);
}

TEST_CASE("two threads lose, repeat and reorder nothing", "[base][spsc_ring]") {
  constexpr std::uint32_t kCount = 200'000;
  SpscRing<std::uint32_t> ring(64);
  std::thread producer([&] {
    std::array<std::uint32_t, 13> batch{};
    std::uint32_t next = 0;
    while (next < kCount) {
      const std::uint32_t want = std::min<std::uint32_t>(batch.size(), kCount - next);
      for (std::uint32_t i = 0; i < want; ++i)
        batch.at(i) = next + i;
      const auto pushed = ring.push_batch(std::span(batch).first(want));
      if (pushed == 0) std::this_thread::yield();
      next += static_cast<std::uint32_t>(pushed);
    }
  });
  std::uint32_t expected = 0;
  bool in_order = true;
  std::array<std::uint32_t, 7> out{};
  while (expected < kCount) {
    const auto popped = ring.pop_batch(out);
    if (popped == 0) std::this_thread::yield();
    for (std::size_t i = 0; i < popped; ++i)
      in_order = in_order && out.at(i) == expected++;
  }
  producer.join();
  CHECK(in_order);
  CHECK(ring.size_estimate() == 0);
}
