#include "dataplane/tcp/syn_table.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "dataplane/base/assert.hpp"
#include "dataplane/base/siphash.hpp"

namespace dataplane::tcp {

SynTable::SynTable(std::size_t slots, std::uint64_t key0, std::uint64_t key1)
    : slots_(std::bit_ceil(std::max(slots, kWays))), key0_(key0), key1_(key1) {}

std::size_t SynTable::bucket_of(const FourTuple& tuple) const {
  std::array<std::byte, 36> input;
  std::memcpy(input.data(), tuple.local.address.octets().data(), 16);
  std::memcpy(input.data() + 16, tuple.remote.address.octets().data(), 16);
  store_be(input.data() + 32, tuple.local.port);
  store_be(input.data() + 34, tuple.remote.port);
  return siphash24(key0_, key1_, input) & (slots_.size() / kWays - 1);
}

HalfOpen* SynTable::find(const FourTuple& tuple) {
  if (size_ == 0) return nullptr;
  HalfOpen* bucket = &slots_[bucket_of(tuple) * kWays];
  for (std::size_t i = 0; i < kWays; ++i)
    if (bucket[i].deadline != kNever && bucket[i].tuple == tuple) return &bucket[i];
  return nullptr;
}

HalfOpen* SynTable::add(const FourTuple& tuple) {
  HalfOpen* bucket = &slots_[bucket_of(tuple) * kWays];
  for (std::size_t i = 0; i < kWays; ++i) {
    if (bucket[i].deadline != kNever) continue;
    bucket[i] = HalfOpen{};
    bucket[i].tuple = tuple;
    return &bucket[i];
  }
  return nullptr;
}

void SynTable::set_deadline(HalfOpen& entry, Instant deadline) {
  ASSERT(deadline != kNever);
  if (entry.deadline == kNever) ++size_;
  entry.deadline = deadline;
  next_deadline_ = std::min(next_deadline_, deadline);
}

void SynTable::remove(HalfOpen& entry) {
  entry.deadline = kNever;
  if (--size_ == 0) next_deadline_ = kNever;
}

void SynTable::remove_listener(std::uint32_t listener) {
  for (HalfOpen& entry : slots_)
    if (entry.deadline != kNever && entry.listener == listener) remove(entry);
}

HalfOpen* SynTable::next_expired(Instant now) {
  if (now < next_deadline_) return nullptr;
  for (; scan_ < slots_.size(); ++scan_)
    if (slots_[scan_].deadline <= now) return &slots_[scan_];
  // One whole pass found nothing more: the next one starts at the earliest deadline that is left.
  scan_ = 0;
  next_deadline_ = kNever;
  for (const HalfOpen& entry : slots_)
    next_deadline_ = std::min(next_deadline_, entry.deadline);
  return nullptr;
}

}  // namespace dataplane::tcp
