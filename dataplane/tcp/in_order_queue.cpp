#include "dataplane/tcp/in_order_queue.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace dataplane::tcp {

bool absorb(Packet& into, const Packet& payload) {
  constexpr std::uint32_t kSmall = 512;
  if (payload.size() > kSmall || payload.size() > into.tailroom()) return false;
  std::memcpy(into.append(payload.size()), payload.begin(), payload.size());
  return true;
}

void InOrderQueue::append(Packet payload) {
  if (payload.size() == 0) return;
  readable_ += payload.size();
  if (!packets_.empty() && absorb(packets_.back(), payload)) return;
  hold(payload);
  packets_.push_back(std::move(payload));
}

void InOrderQueue::hold(const Packet& packet) {
  held_ += packet.footprint();
  budget_->take(packet.footprint());
}

void InOrderQueue::let_go(const Packet& packet) {
  held_ -= packet.footprint();
  budget_->give_back(packet.footprint());
}

std::size_t InOrderQueue::read(MutableByteSpan out) {
  std::size_t copied = 0;
  while (copied < out.size() && !packets_.empty()) {
    Packet& packet = packets_.front();
    const auto count =
        static_cast<std::uint32_t>(std::min<std::size_t>(packet.size(), out.size() - copied));
    std::memcpy(out.data() + copied, packet.begin(), count);
    copied += count;
    packet.trim_front(count);
    if (packet.size() != 0) break;
    let_go(packet);
    packets_.pop_front();
  }
  readable_ -= copied;
  return copied;
}

Packet InOrderQueue::take_packet() {
  if (packets_.empty()) return {};
  Packet packet = packets_.take_front();
  let_go(packet);
  readable_ -= packet.size();
  return packet;
}

void InOrderQueue::clear() {
  packets_.clear();
  readable_ = 0;
  budget_->give_back(held_);
  held_ = 0;
}

}  // namespace dataplane::tcp
