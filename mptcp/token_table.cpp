#include "mptcp/token_table.hpp"

#include <algorithm>
#include <bit>

#include "dataplane/base/assert.hpp"

namespace mptcp {

TokenTable::TokenTable(std::size_t most)
    : slots_(std::bit_ceil(std::max<std::size_t>(2 * most, 2))),
      mask_(slots_.size() - 1),
      most_(most) {}

std::size_t TokenTable::slot_of(Token token) const {
  std::size_t at = home_of(token);
  while (slots_[at].place != kFree && slots_[at].token != token)
    at = (at + 1) & mask_;
  return at;
}

bool TokenTable::insert(Token token, std::uint32_t place) {
  ASSERT(place != kFree);
  Slot& slot = slots_[slot_of(token)];
  if (slot.place != kFree || size_ == most_) return false;
  slot = {token, place};
  ++size_;
  return true;
}

std::optional<std::uint32_t> TokenTable::find(Token token) const {
  const Slot& slot = slots_[slot_of(token)];
  if (slot.place == kFree) return std::nullopt;
  return slot.place;
}

void TokenTable::erase(Token token) {
  std::size_t hole = slot_of(token);
  ASSERT(slots_[hole].place != kFree);
  // What follows moves up, as far as its home allows, so that no search ends at the hole.
  for (std::size_t at = (hole + 1) & mask_; slots_[at].place != kFree; at = (at + 1) & mask_) {
    const std::size_t from_home = (at - home_of(slots_[at].token)) & mask_;
    if (from_home < ((at - hole) & mask_)) continue;
    slots_[hole] = slots_[at];
    hole = at;
  }
  slots_[hole].place = kFree;
  --size_;
}

}  // namespace mptcp
