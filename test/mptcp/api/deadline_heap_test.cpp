#include "mptcp/api/deadline_heap.hpp"

#include <memory>
#include <vector>

#include <catch2/catch.hpp>

#include "dataplane/base/rng.hpp"

namespace mptcp::api::detail {
namespace {

struct Waiting final : Operation {
  explicit Waiting(Instant when) { deadline = when; }
  void complete() override {}
  void discard() noexcept override {}
};

TEST_CASE("operations leave the heap in the order of their deadlines", "[api][deadline_heap]") {
  dataplane::Rng rng(7);
  std::vector<std::unique_ptr<Waiting>> operations;
  DeadlineHeap heap;
  for (int i = 0; i < 1'000; ++i) {
    const Instant when{std::chrono::nanoseconds(rng.below(500))};
    heap.insert(*operations.emplace_back(std::make_unique<Waiting>(when)));
  }
  for (std::size_t i = 0; i < operations.size(); i += 3)
    heap.erase(*operations[i]);
  heap.erase(*operations[0]);  // A second time: nothing happens.

  std::size_t left = 0;
  Instant before{};
  while (Operation* const earliest = heap.earliest()) {
    CHECK(heap.next_deadline() == earliest->deadline);
    REQUIRE(earliest->deadline >= before);
    before = earliest->deadline;
    heap.erase(*earliest);
    ++left;
  }
  CHECK(left == 666);
  CHECK(heap.next_deadline() == kNever);
}

TEST_CASE("an operation without a deadline is not kept", "[api][deadline_heap]") {
  DeadlineHeap heap;
  Waiting forever(kNever);
  heap.insert(forever);
  CHECK(heap.empty());
  heap.erase(forever);
}

}  // namespace
}  // namespace mptcp::api::detail
