#include "mptcp/api/timer.hpp"

#include <boost/asio/error.hpp>

namespace mptcp::api::detail {

void TimerState::expires_at(Instant deadline) {
  cancel_all();
  deadline_ = deadline;
}

void TimerState::wait(OperationPtr<TimerOperation> operation) {
  if (deadline_ <= runtime()->now()) return finish(std::move(operation), {});
  operation->deadline = deadline_;
  runtime()->deadlines().insert(*operation);
  waits_.push(std::move(operation));
}

void TimerState::cancel_all() {
  while (!waits_.empty())
    finish(waits_.pop(), boost::asio::error::operation_aborted);
}

void TimerState::on_expired(Operation& operation) {
  finish(waits_.take([&](const Operation& other) { return &other == &operation; }), {});
}

void TimerState::cancel(std::uint64_t serial) {
  auto taken = waits_.take([&](const Operation& other) { return other.serial == serial; });
  if (taken != nullptr) finish(std::move(taken), boost::asio::error::operation_aborted);
}

void TimerState::drop(Operation& operation) {
  waits_.take([&](const Operation& other) { return &other == &operation; }).reset();
}

void TimerState::finish(OperationPtr<TimerOperation> operation, error_code why) {
  runtime()->deadlines().erase(*operation);
  operation->error = why;
  runtime()->finish(std::move(operation));
}

void release(const std::shared_ptr<TimerState>& timer) noexcept {
  if (timer == nullptr || timer->runtime() == nullptr) return;
  try {
    timer->runtime()->run([timer] { timer->cancel_all(); });
  } catch (...) {
    // No memory to tell the core's thread: what waits is cancelled by its deadline.
    return;
  }
}

}  // namespace mptcp::api::detail
