#include "mptcp/path/rest_table.hpp"

#include <algorithm>

namespace mptcp {

RestTable::Entry& RestTable::entry_for(AddressPair pair) {
  const auto at = std::ranges::find(entries(), pair, &Entry::pair);
  if (at != entries().end()) return *at;
  if (count_ == kMost) {
    // More pairs than subflows: the one that is due first loses the least.
    Entry& oldest = *std::ranges::min_element(entries(), {}, &Entry::until);
    oldest = {pair, {}, {}};
    return oldest;
  }
  entries_[count_] = {pair, {}, {}};
  return entries_[count_++];
}

template <class Fits>
void RestTable::forget(Fits fits) {
  const auto kept = std::remove_if(entries().begin(), entries().end(), fits);
  count_ = static_cast<std::size_t>(kept - entries().begin());
}

void RestTable::on_failed(AddressPair pair, Instant now) {
  Entry& entry = entry_for(pair);
  if (entry.until == dataplane::kNever) return;
  entry.rest = entry.rest == Duration::zero() ? kFirst : std::min(entry.rest * 2, kLongest);
  entry.until = now + entry.rest;
}

void RestTable::bar(AddressPair pair) { entry_for(pair).until = dataplane::kNever; }

void RestTable::on_established(AddressPair pair) {
  forget([&](const Entry& entry) { return entry.pair == pair; });
}

void RestTable::on_local_revived(AddressId local) {
  forget([&](const Entry& entry) {
    return entry.pair.local == local && entry.until != dataplane::kNever;
  });
}

void RestTable::on_remote_revived(AddressId remote) {
  forget([&](const Entry& entry) {
    return entry.pair.remote == remote && entry.until != dataplane::kNever;
  });
}

std::span<const AddressPair> RestTable::resting(Instant now) {
  std::size_t count = 0;
  for (const Entry& entry : entries())
    if (entry.until > now) resting_[count++] = entry.pair;
  return {resting_.data(), count};
}

std::optional<Instant> RestTable::next_deadline(Instant now) const {
  std::optional<Instant> first;
  for (const Entry& entry : entries())
    if (entry.until > now && (!first || entry.until < *first)) first = entry.until;
  return first;
}

bool RestTable::is_full(Instant now) const {
  const auto rests = [now](const Entry& entry) { return entry.until > now; };
  const std::optional<Instant> rested = next_deadline(now);
  return std::ranges::count_if(entries(), rests) == kMost && rested != dataplane::kNever;
}

}  // namespace mptcp
