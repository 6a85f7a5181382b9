#include "dataplane/dpdk/idle.hpp"

#include <algorithm>
#include <ctime>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "dataplane/base/assert.hpp"

namespace dataplane::dpdk {
namespace {

/// A sleep shorter than this costs more than it saves.
constexpr Duration kShortestUsefulSleep = 3us;

}  // namespace

Doorbell::Doorbell() : event_fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  ASSERT(event_fd_ >= 0);
}

Doorbell::~Doorbell() { ::close(event_fd_); }

void Doorbell::write_event() {
  const std::uint64_t one = 1;
  // It fails only when the counter is full, and then the event is there already.
  [[maybe_unused]] const ssize_t written = ::write(event_fd_, &one, sizeof one);
}

void Doorbell::sleep(Duration longest) {
  asleep_.store(true, std::memory_order_seq_cst);
  if (!rung_.load(std::memory_order_seq_cst)) {
    pollfd about{event_fd_, POLLIN, 0};
    const auto nanoseconds = longest.count();
    const timespec timeout{nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
    if (::ppoll(&about, 1, &timeout, nullptr) > 0) {
      std::uint64_t count = 0;
      [[maybe_unused]] const ssize_t got = ::read(event_fd_, &count, sizeof count);
    }
  }
  asleep_.store(false, std::memory_order_seq_cst);
  rung_.exchange(false, std::memory_order_seq_cst);
}

bool Idler::sleep_until(Instant now, Instant deadline) {
  const Duration longest =
      deadline > now ? std::min<Duration>(sleep_, deadline - now) : Duration::zero();
  if (longest < kShortestUsefulSleep) {
    rte_pause();
    return false;
  }
  doorbell_.sleep(longest);
  sleep_ = std::min(sleep_ * 2, config_.longest_sleep);
  return true;
}

void sharpen_sleeps_of_this_thread() { ::prctl(PR_SET_TIMERSLACK, 1'000UL); }

}  // namespace dataplane::dpdk
