#include "apps/http/range.hpp"

#include <algorithm>
#include <optional>

#include "apps/http/text.hpp"
#include "dataplane/base/decimal.hpp"

namespace apps::http {
namespace {

/// One range-spec: nothing if it is malformed, an empty range if it lies outside the file.
std::optional<ByteRange> parse_spec(std::string_view spec, std::uint64_t size) {
  const std::size_t dash = spec.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const std::string_view first_text = spec.substr(0, dash);
  const std::string_view last_text = spec.substr(dash + 1);
  const auto first = dataplane::parse_decimal<std::uint64_t>(first_text);
  const auto last = dataplane::parse_decimal<std::uint64_t>(last_text);
  if (first_text.empty()) {  // "-500": the last 500 octets.
    if (!last) return std::nullopt;
    const std::uint64_t length = std::min(*last, size);
    return ByteRange{size - length, length};
  }
  if (!first || (!last && !last_text.empty())) return std::nullopt;
  if (last && *last < *first) return std::nullopt;
  if (*first >= size) return ByteRange{};
  const std::uint64_t end = last ? std::min(*last, size - 1) + 1 : size;
  return ByteRange{*first, end - *first};
}

bool overlap(std::vector<ByteRange> ranges) {
  std::ranges::sort(ranges, {}, &ByteRange::offset);
  const auto touches = [](const ByteRange& a, const ByteRange& b) {
    return a.offset + a.length > b.offset;
  };
  return std::ranges::adjacent_find(ranges, touches) != ranges.end();
}

}  // namespace

RangeSelection select_ranges(std::string_view field, std::uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  if (!field.starts_with(kUnit)) return {};
  field.remove_prefix(kUnit.size());
  RangeSelection selection{RangeSelection::Kind::Partial, {}};
  std::size_t count = 0;
  while (!field.empty()) {
    const std::string_view spec = next_item(field, ',');
    if (spec.empty()) continue;  // RFC 9110 §5.6.1.2: empty list elements are ignored.
    const auto range = parse_spec(spec, size);
    if (!range || ++count > kMaxRanges) return {};
    if (range->length > 0) selection.ranges.push_back(*range);
  }
  if (count == 0 || overlap(selection.ranges)) return {};
  if (selection.ranges.empty()) selection.kind = RangeSelection::Kind::Unsatisfiable;
  return selection;
}

}  // namespace apps::http
