#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <unordered_map>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "mptcp/api/deadline_heap.hpp"
#include "mptcp/api/executor.hpp"
#include "mptcp/api/operation.hpp"
#include "mptcp/core.hpp"

namespace mptcp::api {

namespace detail {
class SocketState;
struct RuntimeLink;
}  // namespace detail

/// How much one call of Runtime::poll() does, so that the ports are served again before their
/// queues overflow.
struct RuntimeOptions {
  std::size_t max_events = 256;       ///< Events taken from the core.
  std::size_t max_completions = 128;  ///< Handlers called.
  std::size_t max_octets =
      1UL << 20;  ///< Copied between streams and their users' buffers; one operation may exceed it.
};

/// Runs the asynchronous operations of one core: an io_context that is polled in the core's turn,
/// the operations that wait for the core's events, and their deadlines in engine time.
///
/// poll() is called by one thread, the core's. Streams, acceptors and timers may be used from that
/// thread and from others. The core outlives the runtime; the runtime outlives the use of whatever
/// was made with it. What is still pending when it ends is freed without a call of its handlers, as
/// with an io_context.
class Runtime {
 public:
  using Executor = BasicExecutor<Runtime, boost::asio::io_context::executor_type>;
  using executor_type = Executor;

  explicit Runtime(Core& core, const RuntimeOptions& options = {});
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  /// The application's part of a core's turn: takes the core's events, completes operations, runs
  /// handlers. Returns whether there was anything to do; if not, the loop may sleep until
  /// next_deadline() or until `wake` is called.
  bool poll(Instant now);
  /// When poll() has to time out an operation; kNever if there is none.
  Instant next_deadline() const { return deadlines_.next_deadline(); }
  /// `wake` ends the sleep of the loop that calls poll(). Other threads call it, at most once per
  /// poll(). Set it before they start.
  void set_wake(std::function<void()> wake) { wake_ = std::move(wake); }

  Executor get_executor() noexcept { return Executor(*this, context_.get_executor()); }
  /// For objects of Boost.Asio that want an io_context. What is posted to it directly does not wake
  /// a loop that sleeps, and waits up to kContextInterval of a loop that does not.
  boost::asio::io_context& context() { return context_; }
  Core& core() { return core_; }
  /// The time of the turn. On the core's thread only.
  const Instant& now() const { return now_; }
  /// Whether the caller runs inside poll().
  bool is_running_here() const noexcept {
    return polling_.load(std::memory_order_relaxed) == std::this_thread::get_id();
  }
  /// Something was posted to the io_context: from outside of poll(), or from within.
  void wake();
  void on_posted_inside() { is_context_due_ = true; }

  // For the objects on this runtime.

  /// Calls `function` at once inside poll(), in the next turn otherwise.
  template <class Function>
  void run(Function function) {
    if (is_running_here()) {
      function();
      return;
    }
    boost::asio::post(context_, std::move(function));
    wake();
  }
  /// The operation is over: its handler is called in this turn or the next, never from within this
  /// call.
  void finish(detail::OperationPtr<detail::Operation> operation);
  void add(SocketId id, std::shared_ptr<detail::SocketState> socket);
  void remove(SocketId id) { sockets_.erase(id); }
  detail::DeadlineHeap& deadlines() { return deadlines_; }
  void count_octets(std::size_t octets) { octets_ += octets; }
  const std::shared_ptr<detail::RuntimeLink>& link() const { return link_; }
  std::size_t socket_count() const { return sockets_.size(); }

 private:
  bool has_budget() const {
    return completions_ < options_.max_completions && octets_ < options_.max_octets;
  }
  /// The io_context's lock costs more than the rest of an idle turn, so nobody looks there without
  /// a reason.
  static constexpr dataplane::Duration kContextInterval = std::chrono::microseconds(10);

  bool take_events();
  bool expire();
  bool run_handlers();

  Core& core_;
  RuntimeOptions options_;
  std::function<void()> wake_;
  std::atomic<bool> wake_called_{false};
  std::atomic<std::thread::id> polling_{};
  Instant now_{};
  std::shared_ptr<detail::RuntimeLink> link_;
  std::unordered_map<SocketId, std::shared_ptr<detail::SocketState>> sockets_;
  detail::DeadlineHeap deadlines_;
  detail::OperationQueue<detail::Operation> finished_;
  bool is_context_due_ = true;  ///< Something was posted, or more than one turn could run.
  Instant next_context_poll_{};
  // What this turn has used of its RuntimeOptions.
  std::size_t completions_ = 0;
  std::size_t octets_ = 0;
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
};

}  // namespace mptcp::api
