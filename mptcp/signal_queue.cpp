#include "mptcp/signal_queue.hpp"

namespace mptcp {

bool SignalQueue::push(const Option& option) {
  const auto* priority = std::get_if<MpPrio>(&option);
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    if (waiting_[i] == option) return true;
    auto* other = std::get_if<MpPrio>(&waiting_[i]);
    if (priority == nullptr || other == nullptr || other->address_id != priority->address_id)
      continue;
    *other = *priority;
    return true;
  }
  if (waiting_.size() >= kMost) return false;
  waiting_.push_back(option);
  return true;
}

void SignalQueue::push_last(const Option& option) {
  waiting_.clear();
  waiting_.push_back(option);
  in_row_ = 0;
}

const Option* SignalQueue::next(Instant now, dataplane::SeqNum ack) const {
  if (waiting_.empty()) return nullptr;
  const bool rests = !may_go() && ack == ack_ && now < rests_until_;
  return rests ? nullptr : &waiting_.front();
}

void SignalQueue::pop(Instant now, dataplane::SeqNum ack, std::size_t acks, Duration pause) {
  waiting_.pop_front();
  if (ack != ack_ || now >= rests_until_) in_row_ = 0;
  ack_ = ack;
  in_row_ += acks;
  rests_until_ = now + pause;
}

}  // namespace mptcp
