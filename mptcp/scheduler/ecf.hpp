#pragma once

#include "mptcp/scheduler/candidates.hpp"

namespace mptcp {

/// Earliest completion first (Lim, Nahum, Towsley, Gibbens: "ECF", CoNEXT 2017): what waits goes to
/// the slow subflow only when it would not be done earlier by waiting for the fast one.
class Ecf {
 public:
  std::optional<Grant> next(std::span<const SubflowView> views, const Demand& demand);

  bool is_waiting() const { return waiting_; }

 private:
  bool is_better_to_wait(const SubflowView& slow, const SubflowView& fast, const Demand& demand);

  bool waiting_ = false;
};

}  // namespace mptcp
