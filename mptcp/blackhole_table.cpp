#include "mptcp/blackhole_table.hpp"

#include <algorithm>

namespace mptcp {

void BlackholeTable::add(const dataplane::IpAddress& destination, dataplane::Instant until) {
  auto entry = std::ranges::find(entries_, destination, &Entry::destination);
  if (entry == entries_.end()) entry = std::ranges::min_element(entries_, {}, &Entry::until);
  *entry = {destination, until};
}

bool BlackholeTable::has(const dataplane::IpAddress& destination, dataplane::Instant now) const {
  return std::ranges::any_of(entries_, [&](const Entry& entry) {
    return entry.until > now && entry.destination == destination;
  });
}

}  // namespace mptcp
