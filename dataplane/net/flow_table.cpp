#include "dataplane/net/flow_table.hpp"

#include <algorithm>
#include <bit>

#include "dataplane/base/assert.hpp"
#include "dataplane/base/rng.hpp"

namespace dataplane::net {

FlowTable::FlowTable(std::size_t max_flows, std::uint64_t seed)
    : max_flows_(max_flows),
      mask_(std::bit_ceil(std::max<std::size_t>(max_flows, 4) * 2) - 1),
      slots_(mask_ + 1),
      keys_(mask_ + 1) {
  Rng rng(seed);
  for (std::uint64_t& word : secret_)
    word = rng.next();
}

std::uint32_t FlowTable::hash_of(const FourTuple& tuple) const {
  // Multilinear hashing: for any two tuples, all pairs of results are equally likely over the
  // choice of the secret.
  std::array<std::uint32_t, kWords> words{};
  std::memcpy(words.data(), &tuple, sizeof words);
  std::uint64_t sum = secret_[kWords];
  for (std::size_t i = 0; i < kWords; ++i)
    sum += secret_[i] * words[i];
  return static_cast<std::uint32_t>(sum >> 32);
}

std::size_t FlowTable::index_of(const FourTuple& tuple, std::uint32_t hash) const {
  std::size_t at = hash & mask_;
  while (slots_[at].value != kNone && !(slots_[at].hash == hash && keys_[at] == tuple))
    at = (at + 1) & mask_;
  return at;
}

std::uint32_t FlowTable::find(const FourTuple& tuple, std::uint32_t hash) const {
  return slots_[index_of(tuple, hash)].value;
}

void FlowTable::find_all(std::span<const wire::ReceivedSegment> segments,
                         std::span<std::uint32_t> values) const {
  ASSERT(values.size() == segments.size());
  for (std::size_t i = 0; i < segments.size(); ++i) {
    values[i] = hash_of(segments[i].tuple);
    // Here and not in a function of its own, which the compiler takes for one without effect.
    __builtin_prefetch(&slots_[values[i] & mask_]);
    __builtin_prefetch(&keys_[values[i] & mask_]);
  }
  for (std::size_t i = 0; i < segments.size(); ++i)
    values[i] = find(segments[i].tuple, values[i]);
}

bool FlowTable::insert(const FourTuple& tuple, std::uint32_t value) {
  ASSERT(value != kNone);
  if (size_ == max_flows_) return false;
  const std::uint32_t hash = hash_of(tuple);
  const std::size_t at = index_of(tuple, hash);
  if (slots_[at].value != kNone) return false;
  slots_[at] = {hash, value};
  keys_[at] = tuple;
  ++size_;
  return true;
}

bool FlowTable::erase(const FourTuple& tuple) {
  std::size_t hole = index_of(tuple, hash_of(tuple));
  if (slots_[hole].value == kNone) return false;
  --size_;
  // What follows the hole and would not be found across it moves into it, and leaves a hole in
  // turn.
  for (std::size_t at = (hole + 1) & mask_; slots_[at].value != kNone; at = (at + 1) & mask_) {
    const std::size_t from_home = (at - slots_[at].hash) & mask_;
    if (from_home < ((at - hole) & mask_)) continue;
    slots_[hole] = slots_[at];
    keys_[hole] = keys_[at];
    hole = at;
  }
  slots_[hole].value = kNone;
  return true;
}

}  // namespace dataplane::net
