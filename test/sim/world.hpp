#pragma once

#include <cstdint>
#include <vector>

#include "dataplane/base/time.hpp"
#include "test/sim/frame.hpp"

namespace sim {

using dataplane::Duration;
using dataplane::Instant;
using dataplane::kNever;
using namespace std::chrono_literals;

/// Time at which every run starts; not zero, so that a forgotten initialisation shows.
inline constexpr Instant kStart = Instant(1000s);

/// Takes frames at their time of arrival.
class FrameSink {
 public:
  FrameSink() = default;
  FrameSink(const FrameSink&) = delete;
  FrameSink& operator=(const FrameSink&) = delete;
  virtual ~FrameSink() = default;
  virtual void take(Instant now, Frame frame) = 0;
};

/// Something that wants to act at a time of its own.
class Actor {
 public:
  Actor() = default;
  Actor(const Actor&) = delete;
  Actor& operator=(const Actor&) = delete;
  virtual ~Actor() = default;
  /// When run() has work next; kNever if there is none.
  virtual Instant next_event() const = 0;
  virtual void run(Instant now) = 0;
};

/// The virtual clock. There are few actors (hosts, directions of links, boxes), each of which keeps
/// its own queue; so the event queue of the world is one look at each of them, and costs no memory.
/// Ties go to the actor that was added first.
class World {
 public:
  explicit World(std::size_t frame_capacity) : frames_(frame_capacity) {}

  void add(Actor& actor) { actors_.push_back(&actor); }
  Instant now() const { return now_; }
  FramePool& frames() { return frames_; }
  std::uint64_t events() const { return events_; }
  /// When anything happens next.
  Instant next_event() const;
  /// Lets the earliest actor run; false when nothing is to happen until `limit`.
  bool step(Instant limit);

 private:
  struct Next {
    Actor* actor = nullptr;
    Instant at = kNever;
  };
  Next earliest() const;

  FramePool frames_;
  std::vector<Actor*> actors_;
  Instant now_ = kStart;
  std::uint64_t events_ = 0;
};

}  // namespace sim
