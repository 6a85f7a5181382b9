#pragma once

#include <cstdint>
#include <queue>
#include <vector>

#include "test/sim/world.hpp"

namespace lab {

using sim::Actor;
using sim::Duration;
using sim::Instant;
using sim::kNever;
using sim::kStart;
using namespace std::chrono_literals;

/// The virtual clock of a large network: a heap, where sim::World looks at each of a few actors.
/// Whoever makes an actor's next event earlier says so by touch().
class Timeline {
 public:
  /// Actors keep their number for good; of two that are due at one time the one added first runs.
  std::size_t add(Actor& actor) {
    actors_.push_back({&actor, kNever});
    return actors_.size() - 1;
  }
  void touch(std::size_t number) {
    Entry& entry = actors_[number];
    const Instant at = entry.actor->next_event();
    if (at >= entry.planned) return;
    entry.planned = at;
    queue_.push({at, number});
  }
  /// Runs what is due until `end`.
  void run_until(Instant end) {
    while (!queue_.empty() && queue_.top().at <= end)
      step();
    now_ = end;
  }
  Instant now() const { return now_; }
  std::uint64_t events() const { return events_; }

 private:
  struct Entry {
    Actor* actor;
    Instant planned;  ///< The earliest time in the queue at which it is looked at.
  };
  struct Due {
    Instant at;
    std::size_t number;
    bool operator<(const Due& other) const {
      return at != other.at ? at > other.at : number > other.number;
    }
  };

  void step() {
    const Due due = queue_.top();
    queue_.pop();
    Entry& entry = actors_[due.number];
    if (entry.planned != due.at) return;  // It was planned earlier, and has run.
    entry.planned = kNever;
    if (entry.actor->next_event() <= due.at) {
      now_ = due.at;
      ++events_;
      entry.actor->run(now_);
    }
    touch(due.number);
  }

  std::vector<Entry> actors_;
  std::priority_queue<Due> queue_;
  Instant now_ = kStart;
  std::uint64_t events_ = 0;
};

}  // namespace lab
