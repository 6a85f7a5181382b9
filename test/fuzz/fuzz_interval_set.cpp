// IntervalSet against an array of flags, anywhere in the sequence space.

#include <algorithm>
#include <bitset>

#include "dataplane/base/interval_set.hpp"
#include "test/fuzz/input.hpp"

using namespace dataplane;

namespace {

constexpr std::uint32_t kSpace = 512;
using Flags = std::bitset<kSpace>;

std::uint32_t count_from(const Flags& flags, std::uint32_t from) {
  return static_cast<std::uint32_t>((flags >> from).count());
}

void check_invariants(const IntervalSet<SeqNum>& set) {
  for (auto range = set.begin(); range != set.end(); ++range) {
    fuzz::require(range->begin < range->end);
    if (std::next(range) != set.end()) fuzz::require(range->end < std::next(range)->begin);
  }
}

void check_probe(const IntervalSet<SeqNum>& set, const Flags& model, SeqNum base,
                 std::uint32_t probe) {
  std::uint32_t gap = probe;
  while (gap < kSpace && model[gap])
    ++gap;
  fuzz::require(set.first_gap(base + probe) == base + gap);
  fuzz::require(set.contains(base + probe) == model[probe]);
  fuzz::require(set.covered_from(base + probe) == count_from(model, probe));
  fuzz::require(set.covered() == model.count());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const SeqNum base(input.u32());
  IntervalSet<SeqNum> set;
  Flags model;
  std::uint32_t floor = 0;
  while (!input.empty() && floor < kSpace) {
    const std::uint8_t what = input.u8();
    if (what % 8 == 0) {
      floor = std::min(kSpace, floor + input.below(64));
      const Flags before = model;
      model = floor == kSpace ? Flags() : model >> floor << floor;
      fuzz::require(set.erase_below(base + floor) == (before & ~model).count());
    } else {
      const std::uint32_t begin = floor + input.below(kSpace - floor);
      const std::uint32_t end = std::min(kSpace, begin + input.below(what % 8 == 1 ? kSpace : 24U));
      const std::size_t before = model.count();
      for (std::uint32_t i = begin; i < end; ++i)
        model.set(i);
      fuzz::require(set.insert(base + begin, base + end) == model.count() - before);
      fuzz::require(set.contains(base + begin, base + end));
    }
    check_invariants(set);
    check_probe(set, model, base, input.below(kSpace));
  }
  return 0;
}
