#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "dataplane/base/byte_io.hpp"

/// What a fuzzer calls; in a plain build replay.cpp does. Returns 0.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace fuzz {

/// Ends the run; both drivers report the input that did it.
inline void require(bool fact) {
  if (!fact) std::abort();
}

/// Takes decisions from the octets of a fuzz input, in order; zeros after its end, so that each
/// prefix of an input does what the input does, up to there.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size)
      : octets_(dataplane::ByteSpan(std::as_bytes(std::span(data, size)))) {}

  bool empty() const { return octets_.empty(); }
  std::uint8_t u8() {
    if (octets_.empty()) return 0;
    const auto value = std::to_integer<std::uint8_t>(octets_.front());
    octets_ = octets_.subspan(1);
    return value;
  }
  std::uint16_t u16() { return static_cast<std::uint16_t>(u8() << 8 | u8()); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(u16()) << 16 | u16(); }
  /// In [0, n); n is 1 to 65,536.
  std::uint32_t below(std::uint32_t n) { return (n <= 256 ? u8() : u16()) % n; }
  bool flag() { return (u8() & 1) != 0; }
  /// Mostly small, of either sign, seldom large: a distance from something interesting.
  std::int32_t distance() {
    const std::uint8_t shape = u8();
    const auto value = static_cast<std::int8_t>(u8());
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(value) << (shape % 25));
  }
  /// Octets as they stand, at most `length`.
  dataplane::ByteSpan bytes(std::size_t length) {
    const auto head = octets_.first(std::min(length, octets_.size()));
    octets_ = octets_.subspan(head.size());
    return head;
  }

 private:
  dataplane::ByteSpan octets_;
};

}  // namespace fuzz
