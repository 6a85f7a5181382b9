#include "apps/http/validators.hpp"

#include <fmt/format.h>

#include "apps/http/date.hpp"
#include "apps/http/text.hpp"

namespace apps::http {
namespace {

namespace bhttp = boost::beast::http;

std::string_view without_weakness(std::string_view tag) {
  if (tag.starts_with("W/")) tag.remove_prefix(2);
  return tag;
}

/// Whether the list of entity tags names `etag`; "*" names any that exists. Our tags hold no
/// commas, so one inside a quoted tag can only split a tag that is not ours.
bool names(std::string_view list, std::string_view etag, bool is_weak_comparison) {
  if (trim(list) == "*") return !etag.empty();
  while (!list.empty()) {
    std::string_view tag = next_item(list, ',');
    if (is_weak_comparison) tag = without_weakness(tag);
    if (!tag.empty() && tag == etag) return true;
  }
  return false;
}

std::string_view field_of(const bhttp::fields& request, bhttp::field name) {
  const auto value = request[name];
  return {value.data(), value.size()};
}

bool is_newer(const Validators& current, std::string_view date) {
  const auto time = parse_http_date(date);
  return !time || current.modified > *time;
}

}  // namespace

Validators validators_of(const struct stat& info) {
  const auto modified_ns = static_cast<std::uint64_t>(info.st_mtim.tv_sec) * 1'000'000'000U +
                           static_cast<std::uint64_t>(info.st_mtim.tv_nsec);
  return {fmt::format("\"{:x}-{:x}-{:x}\"", info.st_ino, info.st_size, modified_ns),
          info.st_mtim.tv_sec};
}

Precondition check_preconditions(const bhttp::fields& request, const Validators& current,
                                 bool is_read) {
  if (request.count(bhttp::field::if_match) > 0) {
    if (!names(field_of(request, bhttp::field::if_match), current.etag, false)) {
      return Precondition::Fails;
    }
  } else if (const auto date = field_of(request, bhttp::field::if_unmodified_since);
             !date.empty() && parse_http_date(date)) {
    if (!current.exists() || is_newer(current, date)) return Precondition::Fails;
  }
  if (request.count(bhttp::field::if_none_match) > 0) {
    if (names(field_of(request, bhttp::field::if_none_match), current.etag, true)) {
      return is_read ? Precondition::NotModified : Precondition::Fails;
    }
  } else if (const auto date = field_of(request, bhttp::field::if_modified_since);
             is_read && !date.empty() && parse_http_date(date)) {
    if (!is_newer(current, date)) return Precondition::NotModified;
  }
  return Precondition::Holds;
}

bool is_range_current(const bhttp::fields& request, const Validators& current) {
  const std::string_view condition = trim(field_of(request, bhttp::field::if_range));
  if (condition.empty()) return request.count(bhttp::field::if_range) == 0;
  if (condition.front() == '"' || condition.starts_with("W/")) return condition == current.etag;
  const auto time = parse_http_date(condition);
  return time && *time == current.modified;
}

bool is_strong(std::string_view etag) { return etag.size() > 2 && etag.front() == '"'; }

}  // namespace apps::http
