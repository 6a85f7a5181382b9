// TimerWheel against a plain array of deadlines: nothing fires early, nothing is late by a tick,
// nothing is lost, and next_deadline() never lets a caller sleep too long.

#include <array>

#include "dataplane/base/timer_wheel.hpp"
#include "test/fuzz/input.hpp"

using namespace dataplane;

namespace {

constexpr std::uint32_t kTimers = 24;

class Run {
 public:
  explicit Run(fuzz::Input input)
      : input_(input),
        now_(input_.u32() * 1'000'000'000LL * 1ns),
        shift_(10 + input_.below(16)),
        wheel_(now_, shift_) {
    wheel_.resize(kTimers);
    model_.fill(kNever);
  }

  void go() {
    while (!input_.empty()) {
      const std::uint8_t what = input_.u8();
      const std::uint32_t id = input_.below(kTimers);
      switch (what % 4) {
        case 0:
          wheel_.disarm(id);
          model_.at(id) = kNever;
          break;
        case 1:
          advance(span());
          break;
        default:
          model_.at(id) =
              what % 32 == 2 ? now_ - std::min(span(), now_.time_since_epoch()) : now_ + span();
          wheel_.arm(id, model_.at(id));
      }
      check();
    }
    advance(std::chrono::hours(24 * 365 * 20));
    check();
    fuzz::require(wheel_.armed_count() == 0);
  }

 private:
  Duration tick() const { return Duration(1LL << shift_); }
  /// From a nanosecond to some days.
  Duration span() {
    const std::uint32_t shape = input_.below(42);
    return Duration((1LL << shape) +
                    static_cast<std::int64_t>(input_.u8()) * ((1LL << shape) / 64));
  }
  void advance(Duration span) {
    now_ += span;
    // A caller whose limit is small, in as many turns as it takes.
    for (unsigned turns = 0; wheel_.next_deadline() <= now_; ++turns) {
      fuzz::require(turns < 1'000);
      for (unsigned limit = 3; limit > 0; --limit) {
        const auto fired = wheel_.pop_expired(now_);
        if (!fired) break;
        fuzz::require(model_.at(*fired) <= now_);
        model_.at(*fired) = kNever;
      }
    }
    fuzz::require(!wheel_.pop_expired(now_));
    for (const Instant deadline : model_)
      fuzz::require(deadline == kNever || deadline + tick() > now_);
  }
  void check() {
    std::uint32_t armed = 0;
    for (std::uint32_t id = 0; id < kTimers; ++id) {
      const Instant deadline = model_.at(id);
      fuzz::require(wheel_.armed(id).value_or(kNever) == deadline);
      if (deadline == kNever) continue;
      ++armed;
      // Only a timer that is due already may have its tick in the past.
      fuzz::require(wheel_.next_deadline() < std::max(deadline, now_) + tick());
    }
    fuzz::require(wheel_.armed_count() == armed);
    if (armed == 0) fuzz::require(wheel_.next_deadline() == kNever);
  }

  fuzz::Input input_;
  Instant now_;
  unsigned shift_;
  TimerWheel wheel_;
  std::array<Instant, kTimers> model_{};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Run(fuzz::Input(data, size)).go();
  return 0;
}
