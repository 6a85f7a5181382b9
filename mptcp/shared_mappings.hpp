#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/base/ring.hpp"
#include "mptcp/wire/option.hpp"

namespace mptcp {

/// A mapping that stands on several segments, which left together. All that is sent again of them
/// carries it too: a receiver that has a mapping need not take another one for the same octets.
struct SharedMapping {
  std::uint64_t position = 0;  ///< As Mapping::position.
  std::uint64_t end = 0;
  DssMapping mapping;
  bool data_fin = false;
};

/// Those of one subflow, of what is in flight.
class SharedMappings {
 public:
  /// `mapping` starts at or behind the end of the last.
  void push_back(const SharedMapping& mapping) { list_.push_back(mapping); }

  /// The one that holds `position`, or nullptr.
  const SharedMapping* find(std::uint64_t position) const {
    // What is sent for the first time lies behind all of them.
    if (list_.empty() || list_.back().end <= position) return nullptr;
    const std::size_t at =
        list_.first_where([position](const SharedMapping& each) { return each.end > position; });
    return list_[at].position <= position ? &list_[at] : nullptr;
  }

  /// Forgets those that end at or before `position`.
  void release_below(std::uint64_t position) {
    while (!list_.empty() && list_.front().end <= position)
      list_.pop_front();
  }
  void clear() { list_.clear(); }

 private:
  dataplane::Ring<SharedMapping> list_;
};

}  // namespace mptcp
