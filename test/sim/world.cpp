#include "test/sim/world.hpp"

namespace sim {

World::Next World::earliest() const {
  Next out;
  for (Actor* actor : actors_) {
    const Instant at = actor->next_event();
    if (at < out.at) out = {actor, at};
  }
  return out;
}

Instant World::next_event() const { return earliest().at; }

bool World::step(Instant limit) {
  const Next next = earliest();
  if (next.actor == nullptr || next.at > limit) return false;
  if (next.at > now_) now_ = next.at;
  ++events_;
  next.actor->run(now_);
  return true;
}

}  // namespace sim
