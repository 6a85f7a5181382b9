#include "dataplane/tcp/in_order_queue.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace dataplane::tcp {
namespace {

/// A payload that is cheaper to copy than to keep.
constexpr std::uint32_t kSmall = 512;

}  // namespace

bool absorb(Packet& into, const Packet& payload) {
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

void InOrderQueue::append_run(std::span<Packet> run, std::size_t octets) {
  if (run.empty()) return;
  if (run.front().size() <= kSmall) {
    for (Packet& packet : run)
      append(std::move(packet));
    return;
  }
  std::size_t memory = 0;
  for (Packet& packet : run) {
    memory += packet.footprint();
    packets_.push_back(std::move(packet));
  }
  readable_ += octets;
  held_ += memory;
  budget_->take(memory);
}

void InOrderQueue::append_held(Ring<Packet>& from, std::size_t octets) {
  readable_ += octets;
  while (!from.empty())
    packets_.push_back(from.take_front());
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
  // What waited behind a hole has long left the caches.
  constexpr std::size_t kAhead = 4;
  if (packets_.size() > kAhead) packets_[kAhead].prefetch();
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
