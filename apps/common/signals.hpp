#pragma once

#include <optional>

#include "dataplane/base/time.hpp"

namespace apps {

/// SIGINT and SIGTERM as something to look at once per turn instead of something that interrupts.
/// To be made before other threads are: they inherit that the signals are blocked. SIGPIPE is
/// ignored from then on.
class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  /// The signal that came since the last look. A look is a system call, so there is one in a
  /// millisecond, however often it is asked for.
  std::optional<int> poll(dataplane::Instant now);

 private:
  dataplane::Instant next_look_{};
  int fd_ = -1;
};

}  // namespace apps
