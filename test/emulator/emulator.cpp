#include "test/emulator/emulator.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace emulator {
namespace {

constexpr std::size_t kLargestFrame = 9216;

}  // namespace

void Emulator::Exit::take(Instant /*now*/, sim::Frame frame) {
  Packet packet = pool.alloc();
  if (!packet || packet.tailroom() < frame.size()) {
    ++refused;
    return;
  }
  std::ranges::copy(frame.data(), packet.append(static_cast<std::uint32_t>(frame.size())));
  if (!queue.push(std::move(packet))) ++refused;
}

Emulator::Emulator(const Plan& plan, PacketPool& pool) : frames_(kLargestFrame) {
  const sim::Rng chances(plan.seed);
  for (const PathPlan& path : plan.paths) {
    changes_.push_back(path.changes);
    exits_.push_back(std::make_unique<Exit>(pool));
    exits_.push_back(std::make_unique<Exit>(pool));
    for (std::size_t way : {0U, 1U}) {
      const std::size_t from = links_.size();
      links_.push_back(std::make_unique<sim::Link>(path.ways[way], frames_, chances.fork(from),
                                                   *exits_[from ^ 1U]));
    }
  }
}

void Emulator::on_frames(Instant now, PortIndex port, std::span<Packet> frames) {
  sim::Link& link = *links_[dataplane::index_of(port)];
  for (Packet& frame : frames) {
    const Packet mine = std::move(frame);
    if (mine.size() <= kLargestFrame) link.take(in_plan(now), frames_.copy(mine.data()));
  }
}

void Emulator::on_deadline(Instant now) {
  for (std::size_t path = 0; path < changes_.size(); ++path) {
    std::vector<Change>& changes = changes_[path];
    while (!changes.empty() && start_ + changes.front().at <= now) {
      for (std::size_t way : {0U, 1U})
        links_[2 * path + way]->change(changes.front().ways[way]);
      changes.erase(changes.begin());
    }
  }
  for (const auto& link : links_)
    link->run(in_plan(now));
}

Instant Emulator::next_deadline() const {
  Instant next = dataplane::kNever;
  for (const auto& link : links_)
    if (const Instant at = link->next_event(); at != dataplane::kNever)
      next = std::min(next, start_ + (at - sim::kStart));
  for (const auto& changes : changes_)
    if (!changes.empty()) next = std::min(next, start_ + changes.front().at);
  return next;
}

bool Emulator::has_pending_transmit() const {
  return std::ranges::any_of(exits_, [](const auto& exit) { return !exit->queue.empty(); });
}

std::vector<std::string> Emulator::report() const {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < links_.size(); ++i) {
    const sim::LinkStats& stats = links_[i]->stats();
    lines.push_back(fmt::format(
        R"({{"path": {}, "way": "{}", "frames": {}, "octets": {}, "queue_drops": {}, "losses": {}, )"
        R"("cut_losses": {}, "corrupted": {}, "duplicated": {}, "reordered": {}, )"
        R"("peak_queue_octets": {}, "refused": {}}})",
        i / 2, i % 2 == 0 ? "there" : "back", stats.frames, stats.octets, stats.queue_drops,
        stats.losses, stats.cut_losses, stats.corrupted, stats.duplicated, stats.reordered,
        stats.peak_queue_octets, exits_[i ^ 1U]->refused));
  }
  return lines;
}

}  // namespace emulator
