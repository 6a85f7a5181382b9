#pragma once

#include <algorithm>

#include "mptcp/path/path_view.hpp"

namespace mptcp {

/// What path managers ask of a view while they add joins to it.
class Plan {
 public:
  explicit Plan(const PathView& view) : view_(view) {}

  bool is_full() const {
    return joins_.size() == Joins::kMost ||
           view_.subflows.size() + joins_.size() >= view_.max_subflows;
  }
  /// Whether a subflow between the two could be tried at all.
  bool may_join(const LocalAddress& local, const RemoteAddress& remote) const {
    const AddressPair pair{local.id, remote.id};
    return local.usable && !local.withdrawn && remote.joinable &&
           local.address.is_v4() == remote.endpoint.address.is_v4() && !has(view_.resting, pair) &&
           !has(view_.subflows, pair) && !has(joins_.pairs(), pair);
  }
  void join(const LocalAddress& local, const RemoteAddress& remote) {
    joins_.add({local.id, remote.id});
  }

  /// Subflows, there and planned, for whose pair `fits` holds.
  template <class Fits>
  std::size_t count(Fits fits) const {
    const auto in = [&](std::span<const AddressPair> pairs) {
      return static_cast<std::size_t>(std::ranges::count_if(pairs, fits));
    };
    return in(view_.subflows) + in(joins_.pairs());
  }

  const Joins& joins() const { return joins_; }

 private:
  static bool has(std::span<const AddressPair> pairs, const AddressPair& pair) {
    return std::ranges::find(pairs, pair) != pairs.end();
  }

  const PathView& view_;
  Joins joins_;
};

}  // namespace mptcp
