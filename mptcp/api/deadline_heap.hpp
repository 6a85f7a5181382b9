#pragma once

#include <cstddef>
#include <vector>

#include "mptcp/api/operation.hpp"

namespace mptcp::api::detail {

/// Pending operations by deadline, earliest first: a binary heap in which each operation knows its
/// place, so that taking one out costs no search. It does not own them.
class DeadlineHeap {
 public:
  bool empty() const { return heap_.empty(); }
  Operation* earliest() const { return heap_.empty() ? nullptr : heap_.front(); }
  /// kNever if there is none.
  Instant next_deadline() const { return heap_.empty() ? kNever : heap_.front()->deadline; }

  /// Does nothing for an operation without a deadline.
  void insert(Operation& operation);
  /// Does nothing for an operation that is not in it.
  void erase(Operation& operation);

 private:
  void place(std::size_t index, Operation* operation);
  void sift_up(std::size_t index);
  void sift_down(std::size_t index);

  std::vector<Operation*> heap_;
};

}  // namespace mptcp::api::detail
