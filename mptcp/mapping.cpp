#include "mptcp/mapping.hpp"

#include <algorithm>

namespace mptcp {
namespace {

bool continues(const Mapping& first, const Mapping& next) {
  return first.end() == next.position && first.dsn_end() == next.dsn && !first.checksum &&
         !next.checksum;
}

}  // namespace

void MappingList::append(const Mapping& mapping) {
  if (!list_.empty() && continues(list_.back(), mapping)) {
    list_.back().length += mapping.length;
  } else {
    list_.push_back(mapping);
  }
}

std::size_t MappingList::first_ending_after(std::uint64_t position) const {
  // New mappings usually come last: look there before searching.
  if (list_.empty() || list_.back().end() <= position) return list_.size();
  return list_.first_where([position](const Mapping& each) { return each.end() > position; });
}

const Mapping* MappingList::find(std::uint64_t position) const {
  const std::size_t at = first_ending_after(position);
  return at < list_.size() && list_[at].position <= position ? &list_[at] : nullptr;
}

std::uint64_t MappingList::covered_until(std::uint64_t position) const {
  for (std::size_t at = first_ending_after(position);
       at < list_.size() && list_[at].position <= position; ++at)
    position = list_[at].end();
  return position;
}

void MappingList::place(std::size_t at, const Mapping& mapping) {
  if (at > 0 && continues(list_[at - 1], mapping)) {
    list_[at - 1].length += mapping.length;
  } else {
    list_.insert(at, mapping);
  }
}

MappingList::Added MappingList::insert(Mapping mapping) {
  bool is_new = false;
  while (mapping.length != 0) {
    const std::size_t at = first_ending_after(mapping.position);
    const bool known = at < list_.size() && list_[at].position <= mapping.position;
    if (known && list_[at].dsn_at(mapping.position) != mapping.dsn) return Added::Contradiction;
    std::uint64_t count = mapping.length;
    if (known) {
      count = std::min(count, list_[at].end() - mapping.position);
    } else if (at < list_.size()) {
      count = std::min(count, list_[at].position - mapping.position);
    }
    Mapping part = mapping;
    part.length = static_cast<std::uint32_t>(count);
    // The checksum is of the whole, so it says nothing about a part.
    if (part.length != mapping.length) part.checksum.reset();
    if (!known) {
      if (list_.size() >= kMost) return Added::Full;
      place(at, part);
      is_new = true;
    }
    mapping.position += count;
    mapping.dsn += count;
    mapping.length -= part.length;
    if (count != 0 && mapping.length != 0) mapping.checksum.reset();
  }
  return is_new ? Added::New : Added::Known;
}

}  // namespace mptcp
