#pragma once

#include <concepts>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <boost/asio/async_result.hpp>

#include "mptcp/api/asio_stream.hpp"

namespace mptcp::api {

/// Takes connections that peers make. Used from threads as BasicStream is.
template <class Executor = Runtime::Executor>
class BasicAcceptor {
 public:
  using executor_type = Executor;
  using endpoint_type = Endpoint;
  using stream_type = BasicStream<Executor>;
  template <class Other>
  struct rebind_executor {  // NOLINT(readability-identifier-naming): Boost.Asio's name.
    using other = BasicAcceptor<Other>;
  };

  /// `runtime` outlives the acceptor's use.
  explicit BasicAcceptor(Runtime& runtime) requires(
      std::constructible_from<Executor, Runtime::Executor>)
      : BasicAcceptor(runtime, Executor(runtime.get_executor())) {}
  BasicAcceptor(Runtime& runtime, const Executor& executor)
      : executor_(executor), state_(std::make_shared<detail::SocketState>(runtime)) {}
  BasicAcceptor(BasicAcceptor&&) noexcept = default;
  BasicAcceptor& operator=(BasicAcceptor&& other) noexcept {
    if (this != &other) {
      detail::release(state_);
      executor_ = std::move(other.executor_);
      state_ = std::move(other.state_);
    }
    return *this;
  }
  BasicAcceptor(const BasicAcceptor&) = delete;
  BasicAcceptor& operator=(const BasicAcceptor&) = delete;
  ~BasicAcceptor() { detail::release(state_); }

  executor_type get_executor() noexcept { return executor_; }

  /// Listens on an address of this node; 0.0.0.0 or `::` is every address. `tcp` and
  /// `mptcp` are for the connections that come. On the core's thread, or on any before the poll
  /// loop starts.
  void listen(const Endpoint& local, error_code& error,
              const std::optional<dataplane::tcp::Config>& tcp = std::nullopt,
              const std::optional<Config>& mptcp = std::nullopt) {
    error = state_->listen(local, tcp, mptcp);
  }
  /// void(error_code). The same from any thread.
  template <class Token = boost::asio::default_completion_token_t<Executor>>
  auto async_listen(const Endpoint& local, const std::optional<dataplane::tcp::Config>& tcp,
                    Token&& token = Token()) {
    return async_listen(local, tcp, std::optional<Config>(), std::forward<Token>(token));
  }
  template <class Token = boost::asio::default_completion_token_t<Executor>>
  auto async_listen(const Endpoint& local, const std::optional<dataplane::tcp::Config>& tcp,
                    const std::optional<Config>& mptcp, Token&& token = Token()) {
    return initiate<void(error_code), Token>(
        [](BasicAcceptor& self, auto handler, const Endpoint& where, const auto& how,
           const auto& paths) {
          auto operation = detail::make_operation<ListenOperation>(*self.state_, std::move(handler),
                                                                   self.executor_);
          self.run(
              [state = self.state_, where, how, paths, operation = std::move(operation)]() mutable {
                operation->error = state->listen(where, how, paths);
                state->runtime()->finish(std::move(operation));
              });
        },
        token, local, tcp, mptcp);
  }

  /// void(error_code, BasicStream). Takes any completion token and heeds its cancellation slot.
  template <class Token = boost::asio::default_completion_token_t<Executor>>
  auto async_accept(Token&& token = Token()) {
    return initiate<void(error_code, stream_type), Token>(
        [](BasicAcceptor& self, auto handler) {
          auto operation = detail::make_operation<AcceptOperation>(*self.state_, std::move(handler),
                                                                   self.executor_, self);
          self.run([state = self.state_, operation = std::move(operation)]() mutable {
            state->start(detail::Direction::Read, std::move(operation));
          });
        },
        token);
  }

  /// Ends what is pending with asio::error::operation_aborted; it goes on listening.
  void cancel() {
    run([state = state_] { state->cancel_all(); });
  }
  /// Cancels and stops listening.
  void close() {
    run([state = state_] { state->close(); });
  }
  bool is_open() const { return state_ != nullptr && state_->is_open(); }
  Endpoint local_endpoint() const { return state_->local(); }

 private:
  class ListenOperation : public detail::Operation {
   public:
    std::tuple<error_code> take_results() const { return {error}; }

   protected:
    ~ListenOperation() = default;
  };

  class AcceptOperation : public detail::AcceptOperationBase {
   public:
    explicit AcceptOperation(const BasicAcceptor& acceptor)
        : runtime_(*acceptor.state_->runtime()), executor_(acceptor.executor_) {}
    std::tuple<error_code, stream_type> take_results() {
      return {this->error, this->accepted != nullptr
                               ? stream_type(executor_, std::move(this->accepted))
                               : stream_type(runtime_, executor_)};
    }

   protected:
    ~AcceptOperation() = default;

   private:
    Runtime& runtime_;
    Executor executor_;
  };

  template <class Start>
  struct Initiation {
    using executor_type = Executor;
    executor_type get_executor() const noexcept { return self->executor_; }
    template <class Handler, class... Arguments>
    void operator()(Handler&& handler, Arguments&&... arguments) const {
      start(*self, std::decay_t<Handler>(std::forward<Handler>(handler)),
            std::forward<Arguments>(arguments)...);
    }
    BasicAcceptor* self;
    Start start;
  };
  /// `Token` is named by the caller: a reference says that the handler must be copied, not moved.
  template <class Signature, class Token, class Start, class... Arguments>
  auto initiate(Start start, std::remove_reference_t<Token>& token, Arguments&&... arguments) {
    return boost::asio::async_initiate<Token, Signature>(Initiation<Start>{this, start}, token,
                                                         std::forward<Arguments>(arguments)...);
  }
  template <class Function>
  void run(Function function) {
    // A handler that the runtime's end frees may still ask for something.
    if (Runtime* const runtime = state_->runtime()) runtime->run(std::move(function));
  }

  Executor executor_;
  std::shared_ptr<detail::SocketState> state_;
};

using Acceptor = BasicAcceptor<>;

}  // namespace mptcp::api
