#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "apps/common/report.hpp"
#include "dataplane/base/time.hpp"

namespace apps {

/// What becomes of the paths of a command, from what its connections say now and then.
class PathWatch {
 public:
  struct Change {
    PathSample path;
    std::string_view what;        ///< "joined", "is stale", "lives again", "is gone".
    dataplane::Duration after{};  ///< Since it joined, or since it went stale.
  };
  /// Takes the paths as they are now and returns what changed. A command that never had two paths
  /// at once has nothing to tell.
  std::vector<Change> look(dataplane::Instant now, std::span<const PathSample> paths);
  /// Every path that there ever was, as it was seen last.
  std::vector<PathSample> all() const;

 private:
  struct Known {
    PathSample path;
    dataplane::Instant since{};  ///< When it joined or its state changed.
    bool is_there = true;
  };
  std::vector<Known> known_;
  bool has_several_ = false;
};

}  // namespace apps
