#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace apps::http {

struct ByteRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;

  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

/// What a Range field asks of a file of a certain size (RFC 9110 §14.2).
struct RangeSelection {
  enum class Kind : std::uint8_t {
    Whole,          ///< No range, or one that is best ignored: malformed, another unit, too many,
                    ///< overlapping.
    Partial,        ///< `ranges`, at least one, none empty, in the order asked for.
    Unsatisfiable,  ///< None of them lies in the file: 416.
  };
  Kind kind = Kind::Whole;
  std::vector<ByteRange> ranges;
};

/// Ranges beyond this many are a way to make a server work, not to fetch a file.
inline constexpr std::size_t kMaxRanges = 16;

RangeSelection select_ranges(std::string_view field, std::uint64_t size);

}  // namespace apps::http
