#include "apps/hawser/perf_pattern.hpp"

#include <algorithm>
#include <cstring>

namespace apps::hawser {

PerfPattern::PerfPattern() : table_(2 * kPeriod) {
  // A multiplicative generator modulo 2^32: its high octets repeat far later than the table ends.
  std::uint32_t state = 1;
  for (std::size_t i = 0; i < kPeriod; ++i) {
    state = state * 1'664'525U + 1'013'904'223U;
    table_[i] = table_[i + kPeriod] = static_cast<std::byte>(state >> 24);
  }
}

std::uint64_t PerfPattern::count_mismatches(std::uint64_t position, ByteSpan octets) const {
  std::uint64_t wrong = 0;
  while (!octets.empty()) {
    const ByteSpan expected = from(position);
    const std::size_t length = std::min(octets.size(), expected.size());
    if (std::memcmp(octets.data(), expected.data(), length) != 0)
      for (std::size_t i = 0; i < length; ++i)
        wrong += octets[i] != expected[i] ? 1U : 0U;
    octets = octets.subspan(length);
    position += length;
  }
  return wrong;
}

void PerfReceiver::accept(ByteSpan octets) {
  if (pattern_ != nullptr) mismatches_ += pattern_->count_mismatches(payload_, octets);
  payload_ += octets.size();
}

void PerfReceiver::on_octets(ByteSpan octets) {
  if (!has_tail_) return accept(octets);
  if (octets.size() >= kTail) {
    accept(tail());
    accept(octets.first(octets.size() - kTail));
    std::ranges::copy(octets.last(kTail), tail_.begin());
    tail_size_ = kTail;
    return;
  }
  // Fewer octets than the tail holds: as many as do not fit leave it at its front.
  const std::size_t sum = tail_size_ + octets.size();
  const std::size_t leaving = sum > kTail ? sum - kTail : 0;
  accept(ByteSpan(tail_).first(leaving));
  std::copy(tail_.begin() + static_cast<std::ptrdiff_t>(leaving),
            tail_.begin() + static_cast<std::ptrdiff_t>(tail_size_), tail_.begin());
  std::ranges::copy(octets, tail_.begin() + static_cast<std::ptrdiff_t>(tail_size_ - leaving));
  tail_size_ = sum - leaving;
}

}  // namespace apps::hawser
