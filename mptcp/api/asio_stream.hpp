#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/async_result.hpp>
#include <boost/asio/socket_base.hpp>

#include "mptcp/api/error.hpp"
#include "mptcp/api/resolver.hpp"
#include "mptcp/api/runtime.hpp"
#include "mptcp/api/socket_state.hpp"

namespace mptcp::api {

/// A connection of the engine as an AsyncStream of Boost.Asio: asio::async_read and async_write,
/// asio::ssl::stream, Boost.Beast, coroutines and futures work on it as on asio::ip::tcp::socket.
///
/// It may be used inside the turns of its Runtime and from any other thread, by one thread at a
/// time. A handler runs on its associated executor; without one, on the stream's. Calls without a
/// handler take effect in the order in which they were made, in the next turn when made from
/// outside. Destruction closes the connection.
template <class Executor = Runtime::Executor>
class BasicStream {
 public:
  using executor_type = Executor;
  using lowest_layer_type = BasicStream;
  using endpoint_type = Endpoint;
  template <class Other>
  struct rebind_executor {  // NOLINT(readability-identifier-naming): Boost.Asio's name.
    using other = BasicStream<Other>;
  };

  /// `runtime` outlives the stream's use.
  explicit BasicStream(Runtime& runtime) requires(
      std::constructible_from<Executor, Runtime::Executor>)
      : BasicStream(runtime, Executor(runtime.get_executor())) {}
  /// Handlers without an executor of their own run on `executor`, which may belong to another
  /// thread.
  BasicStream(Runtime& runtime, const Executor& executor)
      : BasicStream(executor, std::make_shared<detail::SocketState>(runtime)) {}
  /// What an acceptor hands out.
  BasicStream(const Executor& executor, std::shared_ptr<detail::SocketState> state)
      : executor_(executor), state_(std::move(state)) {}

  BasicStream(BasicStream&&) noexcept = default;
  BasicStream& operator=(BasicStream&& other) noexcept {
    if (this != &other) {
      detail::release(state_);
      executor_ = std::move(other.executor_);
      state_ = std::move(other.state_);
    }
    return *this;
  }
  BasicStream(const BasicStream&) = delete;
  BasicStream& operator=(const BasicStream&) = delete;
  ~BasicStream() { detail::release(state_); }

  executor_type get_executor() noexcept { return executor_; }
  lowest_layer_type& lowest_layer() { return *this; }
  const lowest_layer_type& lowest_layer() const { return *this; }

  // Operations. All take any completion token, heed its cancellation slot, and end with
  // asio::error::operation_aborted when they are cancelled, beast::error::timeout when they outlast
  // expires_after().

  /// void(error_code). Connects to options.remote; options.local and options.tcp say how.
  template <class Token = boost::asio::default_completion_token_t<Executor>>
  auto async_connect(const Core::ConnectOptions& options, Token&& token = Token()) {
    return initiate<void(error_code), Token>(
        [](BasicStream& self, auto handler, const Core::ConnectOptions& chosen) {
          self.start_connect(self.template make<detail::ConnectOperation>(
              std::move(handler), chosen, std::vector<Endpoint>{}));
        },
        token, options);
  }
  /// void(error_code).
  template <class Token = boost::asio::default_completion_token_t<Executor>>
  auto async_connect(const Endpoint& remote, Token&& token = Token()) {
    return async_connect(Core::ConnectOptions{.remote = remote, .local = {}, .tcp = {}},
                         std::forward<Token>(token));
  }
  /// void(error_code, Endpoint). Tries what the resolver gave, in order, and says which one
  /// answered.
  template <class Token = boost::asio::default_completion_token_t<Executor>>
  auto async_connect(const ResolverResults& remotes, Token&& token = Token()) {
    return initiate<void(error_code, Endpoint), Token>(
        [](BasicStream& self, auto handler, const ResolverResults& chosen) {
          self.start_connect(self.template make<RangeConnectOperation>(std::move(handler), chosen));
        },
        token, remotes);
  }

  /// void(error_code, std::size_t). Completes when at least one octet was read; asio::error::eof
  /// after the peer's last.
  template <class Buffers, class Token = boost::asio::default_completion_token_t<Executor>>
  auto async_read_some(const Buffers& buffers, Token&& token = Token()) {
    return initiate<void(error_code, std::size_t), Token>(
        [](BasicStream& self, auto handler, const Buffers& chosen) {
          self.start(detail::Direction::Read, self.template make<detail::ReadOperation<Buffers>>(
                                                  std::move(handler), chosen));
        },
        token, buffers);
  }
  /// void(error_code, std::size_t). Completes when the send buffer took at least one octet.
  template <class Buffers, class Token = boost::asio::default_completion_token_t<Executor>>
  auto async_write_some(const Buffers& buffers, Token&& token = Token()) {
    return initiate<void(error_code, std::size_t), Token>(
        [](BasicStream& self, auto handler, const Buffers& chosen) {
          self.start(detail::Direction::Write, self.template make<detail::WriteOperation<Buffers>>(
                                                   std::move(handler), chosen));
        },
        token, buffers);
  }
  /// void(error_code). Completes when a read (wait_read) or a write (wait_write) would not have to
  /// wait; then socket() can be used without a copy, on the core's thread.
  template <class Token = boost::asio::default_completion_token_t<Executor>>
  auto async_wait(boost::asio::socket_base::wait_type what, Token&& token = Token()) {
    return initiate<void(error_code), Token>(
        [](BasicStream& self, auto handler, detail::Direction direction) {
          self.start(direction,
                     self.template make<detail::WaitOperation>(std::move(handler), direction));
        },
        token,
        what == boost::asio::socket_base::wait_write ? detail::Direction::Write
                                                     : detail::Direction::Read);
  }
  /// void(error_code, SocketInfo), from any thread.
  template <class Token = boost::asio::default_completion_token_t<Executor>>
  auto async_info(Token&& token = Token()) {
    return initiate<void(error_code, SocketInfo), Token>(
        [](BasicStream& self, auto handler) {
          auto operation = self.template make<detail::InfoOperation>(std::move(handler));
          self.run([state = self.state_, operation = std::move(operation)]() mutable {
            operation->look(*state);
            state->runtime()->finish(std::move(operation));
          });
        },
        token);
  }
  /// void(error_code), from any thread. Opens, closes or ranks paths of this connection, announces
  /// or withdraws addresses; an Errc or a code of Boost.Asio says why not.
  template <class Token = boost::asio::default_completion_token_t<Executor>>
  auto async_command(PathCommand command, Token&& token = Token()) {
    return initiate<void(error_code), Token>(
        [](BasicStream& self, auto handler, PathCommand chosen) {
          auto operation = self.template make<detail::PathCommandOperation>(std::move(handler),
                                                                            std::move(chosen));
          self.run([state = self.state_, operation = std::move(operation)]() mutable {
            operation->carry_out(*state);
            state->runtime()->finish(std::move(operation));
          });
        },
        token, std::move(command));
  }
  /// void(error_code, PathChange). Completes with the next thing that becomes of a path, in order;
  /// asio::error::eof when the connection is over. No deadline is set for it.
  template <class Token = boost::asio::default_completion_token_t<Executor>>
  auto async_path_change(Token&& token = Token()) {
    return initiate<void(error_code, PathChange), Token>(
        [](BasicStream& self, auto handler) {
          self.start(detail::Direction::Paths,
                     self.template make<detail::PathChangeOperation>(std::move(handler)));
        },
        token);
  }

  /// Operations that start from now on and do not end within `time` end with beast::error::timeout,
  /// and the connection with them (it is reset): a deadline for a whole exchange, set once, as with
  /// beast::tcp_stream.
  void expires_after(dataplane::Duration time) {
    run([state = state_, time] { state->expires_at(state->runtime()->now() + time); });
  }
  void expires_never() {
    run([state = state_] { state->expires_at(dataplane::kNever); });
  }

  /// Ends what is pending with asio::error::operation_aborted. A connection that is being made is
  /// given up.
  void cancel() {
    run([state = state_] { state->cancel_all(); });
  }
  /// No more will be written: the peer reads what was, and then the end. Reading goes on.
  void shutdown() {
    run([state = state_] { state->shutdown(); });
  }
  /// As asio::ip::tcp::socket has it. The receiving side has nothing to shut down.
  void shutdown(boost::asio::socket_base::shutdown_type what, error_code& error) {
    error = is_open() ? error_code() : error_code(boost::asio::error::not_connected);
    if (!error && what != boost::asio::socket_base::shutdown_receive) shutdown();
  }
  /// Cancels and closes. What was written is still delivered; octets that nobody read make it a
  /// reset.
  void close() {
    run([state = state_] { state->close(); });
  }
  /// As asio::ip::tcp::socket has it.
  void close(error_code& error) {
    close();
    error = {};
  }
  /// Cancels and resets the connection.
  void abort() {
    run([state = state_] { state->abort(); });
  }

  /// Whether there is a connection, or one is being made; until close(), also when the peer has
  /// ended it.
  bool is_open() const { return state_ != nullptr && state_->is_open(); }
  /// Of the connection that was made last.
  Endpoint local_endpoint() const { return state_->local(); }
  Endpoint remote_endpoint() const { return state_->remote(); }

  // On the core's thread only.

  /// Empty when it is not open.
  std::optional<SocketInfo> info() const {
    return state_->socket() ? state_->socket().info() : std::nullopt;
  }
  /// The non-blocking socket below. It must not be closed; nor read while a read is pending, nor
  /// written while a write is.
  Socket& socket() { return state_->socket(); }

 private:
  /// Says which of several endpoints answered.
  class RangeConnectOperation : public detail::ConnectOperation {
   public:
    explicit RangeConnectOperation(const ResolverResults& remotes)
        : ConnectOperation({.remote = remotes.front(), .local = {}, .tcp = {}},
                           {remotes.begin() + 1, remotes.end()}) {}
    std::tuple<error_code, Endpoint> take_results() const {
      return {this->error, this->error ? Endpoint{} : this->options().remote};
    }

   protected:
    ~RangeConnectOperation() = default;
  };

  /// What an operation's token is given to start it; knows the executor, as handlers without one
  /// ask for it.
  template <class Start>
  struct Initiation {
    using executor_type = Executor;
    executor_type get_executor() const noexcept { return self->executor_; }
    template <class Handler, class... Arguments>
    void operator()(Handler&& handler, Arguments&&... arguments) const {
      start(*self, std::decay_t<Handler>(std::forward<Handler>(handler)),
            std::forward<Arguments>(arguments)...);
    }
    BasicStream* self;
    Start start;
  };
  /// `Token` is named by the caller: a reference says that the handler must be copied, not moved.
  template <class Signature, class Token, class Start, class... Arguments>
  auto initiate(Start start, std::remove_reference_t<Token>& token, Arguments&&... arguments) {
    return boost::asio::async_initiate<Token, Signature>(Initiation<Start>{this, start}, token,
                                                         std::forward<Arguments>(arguments)...);
  }
  template <class Base, class Handler, class... Arguments>
  detail::OperationPtr<Base> make(Handler handler, Arguments&&... arguments) {
    return detail::make_operation<Base>(*state_, std::move(handler), executor_,
                                        std::forward<Arguments>(arguments)...);
  }
  void start(detail::Direction direction, detail::OperationPtr<detail::IoOperation> operation) {
    run([state = state_, direction, operation = std::move(operation)]() mutable {
      state->start(direction, std::move(operation));
    });
  }
  void start_connect(detail::OperationPtr<detail::ConnectOperation> operation) {
    run([state = state_, operation = std::move(operation)]() mutable {
      state->connect(std::move(operation));
    });
  }
  template <class Function>
  void run(Function function) {
    // A handler that the runtime's end frees may still ask for something.
    if (Runtime* const runtime = state_->runtime()) runtime->run(std::move(function));
  }

  Executor executor_;
  std::shared_ptr<detail::SocketState> state_;
};

using Stream = BasicStream<>;

/// How Boost.Beast closes a stream.
template <class Executor>
void beast_close_socket(BasicStream<Executor>& stream) {
  stream.close();
}

}  // namespace mptcp::api
