#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "dataplane/base/assert.hpp"

namespace dataplane {

using ByteSpan = std::span<const std::byte>;
using MutableByteSpan = std::span<std::byte>;

/// Loads a big-endian integer from octets that need not be aligned.
template <std::unsigned_integral T>
inline T load_be(const std::byte* at) {
  T raw;
  std::memcpy(&raw, at, sizeof raw);
  if constexpr (sizeof(T) == 2) return __builtin_bswap16(raw);
  if constexpr (sizeof(T) == 4) return __builtin_bswap32(raw);
  if constexpr (sizeof(T) == 8) return __builtin_bswap64(raw);
  return raw;
}

template <std::unsigned_integral T>
inline void store_be(std::byte* at, T value) {
  if constexpr (sizeof(T) == 2) value = __builtin_bswap16(value);
  if constexpr (sizeof(T) == 4) value = __builtin_bswap32(value);
  if constexpr (sizeof(T) == 8) value = __builtin_bswap64(value);
  std::memcpy(at, &value, sizeof value);
}

/// Reads big-endian fields in order. A read past the end yields zero and makes ok() false for good,
/// so that a parser checks once at its end instead of at each field.
class Reader {
 public:
  explicit Reader(ByteSpan octets) : rest_(octets) {}

  std::uint8_t u8() { return integer<std::uint8_t>(); }
  std::uint16_t u16() { return integer<std::uint16_t>(); }
  std::uint32_t u32() { return integer<std::uint32_t>(); }
  std::uint64_t u64() { return integer<std::uint64_t>(); }

  /// The next `length` octets; empty when there are not so many.
  ByteSpan bytes(std::size_t length) {
    if (length > rest_.size()) {
      fail();
      return {};
    }
    const ByteSpan head = rest_.first(length);
    rest_ = rest_.subspan(length);
    return head;
  }
  void skip(std::size_t length) { bytes(length); }

  ByteSpan rest() const { return rest_; }
  std::size_t remaining() const { return rest_.size(); }
  bool ok() const { return ok_; }

 private:
  template <std::unsigned_integral T>
  T integer() {
    if (sizeof(T) > rest_.size()) {
      fail();
      return 0;
    }
    const T value = load_be<T>(rest_.data());
    rest_ = rest_.subspan(sizeof(T));
    return value;
  }
  void fail() {
    ok_ = false;
    rest_ = {};
  }

  ByteSpan rest_;
  bool ok_ = true;
};

/// Writes big-endian fields in order. Its size is our own arithmetic, so a write past the end is
/// asserted.
class Writer {
 public:
  explicit Writer(MutableByteSpan octets) : rest_(octets) {}

  void u8(std::uint8_t value) { integer(value); }
  void u16(std::uint16_t value) { integer(value); }
  void u32(std::uint32_t value) { integer(value); }
  void u64(std::uint64_t value) { integer(value); }
  void bytes(ByteSpan octets) {
    ASSERT(octets.size() <= rest_.size());
    if (!octets.empty()) std::memcpy(rest_.data(), octets.data(), octets.size());
    rest_ = rest_.subspan(octets.size());
  }

  std::size_t remaining() const { return rest_.size(); }

 private:
  template <std::unsigned_integral T>
  void integer(T value) {
    ASSERT(sizeof(T) <= rest_.size());
    store_be(rest_.data(), value);
    rest_ = rest_.subspan(sizeof(T));
  }

  MutableByteSpan rest_;
};

}  // namespace dataplane
