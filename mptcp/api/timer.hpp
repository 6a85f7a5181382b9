#pragma once

#include <concepts>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include <boost/asio/async_result.hpp>

#include "mptcp/api/error.hpp"
#include "mptcp/api/owner.hpp"
#include "mptcp/api/runtime.hpp"

namespace mptcp::api {

namespace detail {

class TimerOperation : public Operation {
 public:
  std::tuple<error_code> take_results() const { return {error}; }

 protected:
  ~TimerOperation() = default;
};

/// What a timer is on the core's thread.
class TimerState final : public Owner {
 public:
  explicit TimerState(Runtime& runtime) : Owner(runtime) {}

  void expires_at(Instant deadline);
  void wait(OperationPtr<TimerOperation> operation);
  void cancel_all();

  void on_expired(Operation& operation) override;
  void cancel(std::uint64_t serial) override;
  void drop(Operation& operation) override;

 private:
  void finish(OperationPtr<TimerOperation> operation, error_code why);

  Instant deadline_ = kNever;
  OperationQueue<TimerOperation> waits_;
};

/// Cancels what waits on a timer that goes away. Any thread.
void release(const std::shared_ptr<TimerState>& timer) noexcept;

}  // namespace detail

/// As asio::steady_timer, but in engine time: right under a virtual clock, and known to a poll loop
/// that wants to sleep.
template <class Executor = Runtime::Executor>
class BasicTimer {
 public:
  using executor_type = Executor;
  template <class Other>
  struct rebind_executor {  // NOLINT(readability-identifier-naming): Boost.Asio's name.
    using other = BasicTimer<Other>;
  };

  explicit BasicTimer(Runtime& runtime) requires(
      std::constructible_from<Executor, Runtime::Executor>)
      : BasicTimer(runtime, Executor(runtime.get_executor())) {}
  BasicTimer(Runtime& runtime, const Executor& executor)
      : executor_(executor), state_(std::make_shared<detail::TimerState>(runtime)) {}
  BasicTimer(BasicTimer&&) noexcept = default;
  BasicTimer& operator=(BasicTimer&&) = delete;
  ~BasicTimer() { detail::release(state_); }

  executor_type get_executor() noexcept { return executor_; }

  /// Counts from the turn in which it takes effect, and cancels what waits already.
  void expires_after(dataplane::Duration time) {
    run([state = state_, time] { state->expires_at(state->runtime()->now() + time); });
  }
  void cancel() {
    run([state = state_] { state->cancel_all(); });
  }
  /// void(error_code). No error when the time has come, asio::error::operation_aborted when
  /// cancelled.
  template <class Token = boost::asio::default_completion_token_t<Executor>>
  auto async_wait(Token&& token = Token()) {
    return boost::asio::async_initiate<Token, void(error_code)>(Initiation{this}, token);
  }

 private:
  struct Initiation {
    using executor_type = Executor;
    executor_type get_executor() const noexcept { return self->executor_; }
    template <class Handler>
    void operator()(Handler&& handler) const {
      auto operation = detail::make_operation<detail::TimerOperation>(
          *self->state_, std::decay_t<Handler>(std::forward<Handler>(handler)), self->executor_);
      self->run([state = self->state_, operation = std::move(operation)]() mutable {
        state->wait(std::move(operation));
      });
    }
    BasicTimer* self;
  };
  template <class Function>
  void run(Function function) {
    // A handler that the runtime's end frees may still ask for something.
    if (Runtime* const runtime = state_->runtime()) runtime->run(std::move(function));
  }

  Executor executor_;
  std::shared_ptr<detail::TimerState> state_;
};

using Timer = BasicTimer<>;

}  // namespace mptcp::api
