#include "apps/common/path_watch.hpp"

#include <algorithm>

namespace apps {

std::vector<PathWatch::Change> PathWatch::look(dataplane::Instant now,
                                               std::span<const PathSample> paths) {
  std::vector<Change> changes;
  const auto change = [&](Known& known, std::string_view what) {
    changes.push_back({known.path, what, now - known.since});
    known.since = now;
  };
  for (Known& known : known_) {
    const auto seen = std::ranges::find(paths, known.path.tuple, &PathSample::tuple);
    if (seen != paths.end() || !known.is_there) continue;
    known.is_there = false;
    change(known, "is gone");
  }
  for (const PathSample& path : paths) {
    const auto old = std::ranges::find_if(
        known_, [&](const Known& known) { return known.path.tuple == path.tuple; });
    if (old == known_.end()) {
      known_.push_back({path, now});
      change(known_.back(), "joined");
      continue;
    }
    const bool was_stale = old->path.state == PathState::Stale;
    const bool is_stale = path.state == PathState::Stale;
    old->path = path;
    if (!old->is_there) change(*old, "joined");
    old->is_there = true;
    if (is_stale != was_stale) change(*old, is_stale ? "is stale" : "lives again");
  }
  const bool had_several = has_several_;
  has_several_ = has_several_ || paths.size() > 1;
  if (!has_several_) changes.clear();
  // The first path was there before there was anything to tell it from.
  if (!had_several && has_several_)
    std::erase_if(changes,
                  [&](const Change& c) { return c.path.tuple == known_.front().path.tuple; });
  return changes;
}

std::vector<PathSample> PathWatch::all() const {
  std::vector<PathSample> paths;
  for (const Known& known : known_)
    paths.push_back(known.path);
  return paths;
}

}  // namespace apps
