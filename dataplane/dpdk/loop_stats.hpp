#pragma once

#include <cstdint>

namespace dataplane::dpdk {

/// What a core's poll loop did since its start. Cycles are of the time-stamp counter.
struct LoopStats {
  std::uint64_t turns = 0;
  std::uint64_t busy_turns = 0;  ///< Turns that received, sent or let the application do something.
  std::uint64_t sleeps = 0;
  std::uint64_t busy_cycles = 0;
  std::uint64_t idle_cycles = 0;    ///< Of turns that found nothing, and of sleeps.
  std::uint64_t rx_cycles = 0;      ///< Device receive.
  std::uint64_t engine_cycles = 0;  ///< Input, timers and output of the engine.
  std::uint64_t app_cycles = 0;
  std::uint64_t tx_cycles = 0;  ///< Device send.
  std::uint64_t rx_frames = 0;
  std::uint64_t rx_bursts = 0;  ///< Not counting empty ones.
  std::uint64_t tx_frames = 0;
  std::uint64_t tx_bursts = 0;               ///< Not counting those of which nothing went.
  std::uint64_t frames_forwarded = 0;        ///< To the core that owns their flow.
  std::uint64_t frames_forward_dropped = 0;  ///< Because the ring to that core was full.
};

}  // namespace dataplane::dpdk
