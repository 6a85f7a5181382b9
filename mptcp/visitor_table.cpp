#include "mptcp/visitor_table.hpp"

namespace mptcp {

VisitorTable::VisitorTable(std::size_t most, std::uint64_t seed)
    : places_(most, seed), visitors_(most) {
  free_.reserve(most);
  for (std::size_t i = most; i > 0; --i)
    free_.push_back(static_cast<std::uint32_t>(i - 1));
}

void VisitorTable::add(const dataplane::FourTuple& flow, std::uint16_t home,
                       dataplane::Instant now) {
  const std::uint32_t known = places_.find(flow);
  const std::uint32_t place = known != dataplane::net::FlowTable::kNone ? known : free_place();
  visitors_[place] = {flow, now, home};
  places_.insert(flow, place);
}

std::uint32_t VisitorTable::free_place() {
  if (free_.empty()) {
    std::size_t silent = hand_;
    for (std::size_t i = 0; i < kLooks; ++i, hand_ = (hand_ + 1) % visitors_.size())
      if (visitors_[hand_].last < visitors_[silent].last) silent = hand_;
    erase(visitors_[silent].flow);
  }
  const std::uint32_t place = free_.back();
  free_.pop_back();
  return place;
}

std::optional<std::uint16_t> VisitorTable::find(const dataplane::FourTuple& flow,
                                                dataplane::Instant now) {
  const std::uint32_t place = places_.find(flow);
  if (place == dataplane::net::FlowTable::kNone) return std::nullopt;
  visitors_[place].last = now;
  return visitors_[place].home;
}

void VisitorTable::erase(const dataplane::FourTuple& flow) {
  const std::uint32_t place = places_.find(flow);
  if (place == dataplane::net::FlowTable::kNone) return;
  // A copy: the caller's may be the one that goes.
  const dataplane::FourTuple gone = flow;
  places_.erase(gone);
  visitors_[place] = {};
  free_.push_back(place);
}

}  // namespace mptcp
