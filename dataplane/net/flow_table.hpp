#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/base/address.hpp"
#include "dataplane/wire/segment.hpp"

namespace dataplane::net {

/// Four-tuple to a small number, such as the index of a connection.
///
/// Open addressing with linear probing, at most half full; what is erased leaves no trace, so
/// lookups do not get slower with age. All memory is taken at construction. The hash is keyed:
/// without the key nobody can choose tuples that collide.
class FlowTable {
 public:
  static constexpr std::uint32_t kNone = 0xffff'ffff;

  FlowTable(std::size_t max_flows, std::uint64_t seed);

  std::uint32_t hash_of(const FourTuple& tuple) const;

  /// The value of a tuple, or kNone.
  std::uint32_t find(const FourTuple& tuple) const { return find(tuple, hash_of(tuple)); }
  std::uint32_t find(const FourTuple& tuple, std::uint32_t hash) const;
  /// Looks up a burst in passes, so that its cache misses overlap. `values` is as long as
  /// `segments`.
  void find_all(std::span<const wire::ReceivedSegment> segments,
                std::span<std::uint32_t> values) const;

  /// False: the table is full, or has the tuple. `value` is not kNone.
  bool insert(const FourTuple& tuple, std::uint32_t value);
  /// False: the table does not have it.
  bool erase(const FourTuple& tuple);

  std::size_t size() const { return size_; }
  std::size_t max_size() const { return max_flows_; }

 private:
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t value = kNone;  ///< kNone: free.
  };
  static constexpr std::size_t kWords = sizeof(FourTuple) / 4;
  static_assert(sizeof(FourTuple) == 36);

  std::size_t index_of(const FourTuple& tuple, std::uint32_t hash) const;

  std::size_t max_flows_;
  std::size_t size_ = 0;
  std::size_t mask_;
  std::vector<Slot> slots_;
  std::vector<FourTuple> keys_;  ///< keys_[i] belongs to slots_[i].
  std::array<std::uint64_t, kWords + 1> secret_{};
};

}  // namespace dataplane::net
