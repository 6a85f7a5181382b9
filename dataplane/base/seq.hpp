#pragma once

#include <concepts>
#include <cstdint>
#include <type_traits>

namespace dataplane {

/// A position in a sequence space that wraps.
///
/// Two positions compare only if they lie less than half the space apart (RFC 9293 §3.4). So `<` is
/// not transitive: it serves windows, never sorting, and never as the key of an ordered container.
template <class Space, std::unsigned_integral Rep>
class Serial {
 public:
  using rep = Rep;

  constexpr Serial() = default;
  constexpr explicit Serial(Rep raw) : raw_(raw) {}

  constexpr Rep raw() const { return raw_; }

  friend constexpr bool operator==(Serial, Serial) = default;
  friend constexpr bool operator<(Serial a, Serial b) {
    return static_cast<std::make_signed_t<Rep>>(static_cast<Rep>(a.raw_ - b.raw_)) < 0;
  }
  friend constexpr bool operator>(Serial a, Serial b) { return b < a; }
  friend constexpr bool operator<=(Serial a, Serial b) { return !(b < a); }
  friend constexpr bool operator>=(Serial a, Serial b) { return !(a < b); }

  /// The position `octets` further on.
  friend constexpr Serial operator+(Serial at, std::unsigned_integral auto octets) {
    return Serial(static_cast<Rep>(at.raw_ + static_cast<Rep>(octets)));
  }
  /// The position `octets` before.
  friend constexpr Serial operator-(Serial at, std::unsigned_integral auto octets) {
    return Serial(static_cast<Rep>(at.raw_ - static_cast<Rep>(octets)));
  }
  constexpr Serial& operator+=(std::unsigned_integral auto octets) {
    return *this = *this + octets;
  }
  /// Octets in [begin, end). The caller knows that begin does not lie after end.
  friend constexpr Rep operator-(Serial end, Serial begin) {
    return static_cast<Rep>(end.raw_ - begin.raw_);
  }
  /// begin <= *this < end, in one subtraction and no case analysis.
  constexpr bool in(Serial begin, Serial end) const {
    return static_cast<Rep>(raw_ - begin.raw_) < static_cast<Rep>(end.raw_ - begin.raw_);
  }

  friend constexpr Serial max(Serial a, Serial b) { return a < b ? b : a; }
  friend constexpr Serial min(Serial a, Serial b) { return b < a ? b : a; }

 private:
  Rep raw_ = 0;
};

using SeqNum = Serial<struct SubflowSpace, std::uint32_t>;  ///< RFC 9293 §3.4
using Dsn = Serial<struct DataSpace, std::uint64_t>;        ///< RFC 8684 §3.3.1

static_assert(SeqNum(0xffff'fff0) < SeqNum(0x10));

}  // namespace dataplane
