#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "dataplane/base/time.hpp"
#include "mptcp/path/path_view.hpp"

namespace mptcp {

using dataplane::Duration;
using dataplane::Instant;

/// When pairs of addresses whose subflow failed may be tried again: for ever, ever less often, yet
/// often enough that a path that comes back is used within seconds.
class RestTable {
 public:
  static constexpr std::size_t kMost = 32;
  static constexpr Duration kFirst = std::chrono::milliseconds(250);
  static constexpr Duration kLongest = std::chrono::seconds(4);

  /// A join failed, or a subflow died.
  void on_failed(AddressPair pair, Instant now);
  /// The program ended it: nobody tries again until something is established there.
  void bar(AddressPair pair);
  /// A subflow was established: a later failure starts anew.
  void on_established(AddressPair pair);
  /// A port has its link again, or the peer announced the address anew: all may be tried at once.
  void on_local_revived(AddressId local);
  void on_remote_revived(AddressId remote);

  /// The pairs that rest at `now`, valid until the next call.
  std::span<const AddressPair> resting(Instant now);
  /// The end of the first rest after `now`.
  std::optional<Instant> next_deadline(Instant now) const;
  /// Whether one more failure would make it forget a rest that goes on and will end.
  bool is_full(Instant now) const;

 private:
  struct Entry {
    AddressPair pair;
    Duration rest{};
    Instant until{};
  };

  std::span<Entry> entries() { return {entries_.data(), count_}; }
  std::span<const Entry> entries() const { return {entries_.data(), count_}; }
  Entry& entry_for(AddressPair pair);
  template <class Fits>
  void forget(Fits fits);

  std::array<Entry, kMost> entries_{};
  std::size_t count_ = 0;
  std::array<AddressPair, kMost> resting_{};
};

}  // namespace mptcp
