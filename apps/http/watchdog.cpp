#include "apps/http/watchdog.hpp"

#include <utility>

#include <boost/asio/steady_timer.hpp>

namespace apps::http {
namespace {

using Clock = std::chrono::steady_clock;
constexpr Clock::time_point kNever = Clock::time_point::max();

}  // namespace

struct Watchdog::State {
  State(const boost::asio::any_io_executor& executor, std::function<void()> action)
      : timer(executor), bite(std::move(action)) {}

  boost::asio::steady_timer timer;
  std::function<void()> bite;  ///< Empty once the watchdog is gone.
  Clock::time_point deadline = kNever;
  Clock::time_point fires = kNever;  ///< When the timer looks next; kNever: it does not run.
  Duration limit{};
  std::size_t minimum = 0;  ///< 0: progress does not help.
  std::size_t moved = 0;
  bool has_bitten = false;
};

Watchdog::Watchdog(const boost::asio::any_io_executor& executor, std::function<void()> bite)
    : state_(std::make_shared<State>(executor, std::move(bite))) {}

Watchdog::~Watchdog() {
  state_->bite = nullptr;
  state_->timer.cancel();
}

void Watchdog::arm(Duration limit) {
  state_->minimum = 0;
  state_->moved = 0;
  state_->limit = limit;
  state_->deadline = Clock::now() + limit;
  // A timer that looks early enough will see the new deadline by itself.
  if (state_->fires > state_->deadline) wait(state_);
}

void Watchdog::arm_stall(Duration limit, std::size_t minimum) {
  arm(limit);
  state_->minimum = minimum;
}

void Watchdog::disarm() { state_->deadline = kNever; }

void Watchdog::on_progress(std::size_t octets) {
  if (state_->minimum == 0) return;
  state_->moved += octets;
  if (state_->moved < state_->minimum) return;
  state_->moved = 0;
  state_->deadline = Clock::now() + state_->limit;
}

bool Watchdog::has_bitten() const { return state_->has_bitten; }

std::chrono::milliseconds Watchdog::limit() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(state_->limit);
}

void Watchdog::wait(const std::shared_ptr<State>& state) {
  state->fires = state->deadline;
  state->timer.expires_at(state->fires);
  state->timer.async_wait([state](const boost::system::error_code& error) {
    if (error || !state->bite) return;  // Set anew, or over.
    state->fires = kNever;
    if (state->deadline == kNever) return;
    if (state->deadline > Clock::now()) return wait(state);
    state->deadline = kNever;
    state->has_bitten = true;
    state->bite();
  });
}

}  // namespace apps::http
