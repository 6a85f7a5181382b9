#pragma once

#include <atomic>
#include <cstdint>

#include <rte_pause.h>

#include "dataplane/base/time.hpp"
#include "dataplane/dpdk/node_config.hpp"

namespace dataplane::dpdk {

/// Wakes a sleeping core. Costs two writes to memory when the core is awake, a system call when it
/// sleeps.
class Doorbell {
 public:
  Doorbell();
  ~Doorbell();
  Doorbell(const Doorbell&) = delete;
  Doorbell& operator=(const Doorbell&) = delete;

  /// From any thread and from signal handlers. A ring while the core is awake makes its next sleep
  /// return at once.
  void ring() {
    rung_.store(true, std::memory_order_seq_cst);
    if (asleep_.load(std::memory_order_seq_cst)) write_event();
  }
  /// By the owner only: until ring(), or for as long as asked.
  void sleep(Duration longest);

 private:
  void write_event();

  int event_fd_;
  alignas(64) std::atomic<bool> rung_ = false;
  alignas(64) std::atomic<bool> asleep_ = false;
};

/// When a core that found no work sleeps, and for how long.
class Idler {
 public:
  Idler(const IdleConfig& config, Doorbell& doorbell)
      : config_(config), doorbell_(doorbell), sleep_(config.shortest_sleep) {}

  /// A turn that found work ended at `end`.
  void on_work(Instant end) {
    last_work_ = end;
    sleep_ = config_.shortest_sleep;
  }
  /// The turn at `now` found none, and the engine has work at `deadline`. Returns whether it slept.
  bool rest(Instant now, Instant deadline) {
    if (config_.mode == IdleMode::Busy || now - last_work_ < config_.spin) {
      rte_pause();
      return false;
    }
    return sleep_until(now, deadline);
  }

 private:
  bool sleep_until(Instant now, Instant deadline);

  IdleConfig config_;
  Doorbell& doorbell_;
  Instant last_work_{};
  Duration sleep_;
};

/// Lets the calling thread's sleeps end when they should: the kernel's default is up to 50 us late.
void sharpen_sleeps_of_this_thread();

}  // namespace dataplane::dpdk
