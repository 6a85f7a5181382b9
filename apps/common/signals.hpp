#pragma once

#include <optional>

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

  /// The signal that came since the last call.
  std::optional<int> poll();

 private:
  int fd_ = -1;
};

}  // namespace apps
