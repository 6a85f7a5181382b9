#include "mptcp/api/deadline_heap.hpp"

#include "dataplane/base/assert.hpp"

namespace mptcp::api::detail {

void DeadlineHeap::insert(Operation& operation) {
  if (operation.deadline == kNever) return;
  ASSERT(operation.heap_index == Operation::kNotInHeap);
  operation.heap_index = heap_.size();
  heap_.push_back(&operation);
  sift_up(operation.heap_index);
}

void DeadlineHeap::erase(Operation& operation) {
  const std::size_t index = operation.heap_index;
  if (index == Operation::kNotInHeap) return;
  operation.heap_index = Operation::kNotInHeap;
  Operation* const last = heap_.back();
  heap_.pop_back();
  if (last == &operation) return;
  place(index, last);
  sift_up(index);
  sift_down(last->heap_index);
}

void DeadlineHeap::place(std::size_t index, Operation* operation) {
  heap_[index] = operation;
  operation->heap_index = index;
}

void DeadlineHeap::sift_up(std::size_t index) {
  Operation* const moving = heap_[index];
  while (index > 0) {
    const std::size_t parent = (index - 1) / 2;
    if (heap_[parent]->deadline <= moving->deadline) break;
    place(index, heap_[parent]);
    index = parent;
  }
  place(index, moving);
}

void DeadlineHeap::sift_down(std::size_t index) {
  Operation* const moving = heap_[index];
  for (;;) {
    std::size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->deadline < heap_[child]->deadline) ++child;
    if (moving->deadline <= heap_[child]->deadline) break;
    place(index, heap_[child]);
    index = child;
  }
  place(index, moving);
}

}  // namespace mptcp::api::detail
