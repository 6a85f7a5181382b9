#pragma once

#include <cstdint>
#include <limits>

#include "cc/window.hpp"

namespace cc {

/// HyStart++ (RFC 9406): the first slow start, which ends before it loses a window of segments. A
/// round trip time that has grown says that a queue builds up; then the window grows by a quarter
/// only, for some rounds, and goes on as before when that was a mistake.
class HyStart {
 public:
  /// An ACK while the window is in slow start: grows it. Later slow starts, which know a threshold,
  /// grow without looking at the round trip time (§4.3).
  void on_ack(Window& window, const AckSample& ack);
  /// The window was not what limited the sender: the queue of a slowed down start gets shorter by
  /// the pause, and that is no sign of a mistake.
  void on_pause() { paused_ = is_conservative(); }
  /// A new first slow start begins.
  void restart() { *this = {}; }
  /// Whether growth is slowed down (§4.2, Conservative Slow Start).
  bool is_conservative() const { return baseline_us_ != kNone; }

 private:
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  void start_round(Window& window, std::uint64_t delivered);
  void look_at_delay();

  std::uint32_t round_end_ = 0;  ///< Low half of the octets delivered when the round began.
  std::uint32_t last_min_us_ = kNone;
  std::uint32_t current_min_us_ = kNone;
  std::uint32_t baseline_us_ = kNone;  ///< cssBaselineMinRtt.
  std::uint8_t samples_ = 0;
  std::uint8_t conservative_rounds_ = 0;
  bool paused_ = false;
};

}  // namespace cc
