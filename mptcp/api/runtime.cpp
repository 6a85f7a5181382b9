#include "mptcp/api/runtime.hpp"

#include <optional>

#include "dataplane/base/assert.hpp"
#include "mptcp/api/owner.hpp"
#include "mptcp/api/socket_state.hpp"

namespace mptcp::api {

using detail::Operation;
using detail::OperationPtr;
using detail::SocketState;

namespace {

/// Handlers of one kind that run before those of the other get their turn.
constexpr std::size_t kSlice = 16;

/// Marks the thread that is inside poll(), also when a handler throws.
class PollScope {
 public:
  explicit PollScope(std::atomic<std::thread::id>& polling) : polling_(polling) {
    polling_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  }
  PollScope(const PollScope&) = delete;
  PollScope& operator=(const PollScope&) = delete;
  ~PollScope() { polling_.store({}, std::memory_order_relaxed); }

 private:
  std::atomic<std::thread::id>& polling_;
};

}  // namespace

Runtime::Runtime(Core& core, const RuntimeOptions& options)
    : core_(core),
      options_(options),
      link_(std::make_shared<detail::RuntimeLink>(detail::RuntimeLink{this})),
      work_(boost::asio::make_work_guard(context_)) {}

Runtime::~Runtime() {
  // From here on a stream or a timer that a freed handler owned finds no runtime and leaves it
  // alone.
  link_->runtime = nullptr;
  while (Operation* const operation = deadlines_.earliest()) {
    deadlines_.erase(*operation);
    const auto owner = operation->owner->shared_from_this();
    owner->drop(*operation);
  }
  const auto sockets = std::move(sockets_);
  for (const auto& [id, socket] : sockets)
    socket->drop_all();
  // Operations count as work of the io_context, so they go before it.
  while (!finished_.empty())
    finished_.pop();
}

bool Runtime::poll(Instant now) {
  ASSERT(!is_running_here());
  const PollScope scope(polling_);
  if (wake_called_.load(std::memory_order_acquire)) {
    wake_called_.exchange(false, std::memory_order_acq_rel);
    is_context_due_ = true;
  }
  if (now >= next_context_poll_) {
    next_context_poll_ = now + kContextInterval;
    is_context_due_ = true;
  }
  now_ = now;
  completions_ = 0;
  octets_ = 0;
  bool busy = expire();
  busy = take_events() || busy;
  busy = run_handlers() || busy;
  return busy;
}

bool Runtime::expire() {
  std::size_t expired = 0;
  for (; expired < options_.max_completions && deadlines_.next_deadline() <= now_; ++expired) {
    Operation& operation = *deadlines_.earliest();
    deadlines_.erase(operation);
    const auto owner = operation.owner->shared_from_this();
    owner->on_expired(operation);
  }
  return expired > 0;
}

bool Runtime::take_events() {
  std::size_t events = 0;
  for (; events < options_.max_events && has_budget(); ++events) {
    const std::optional<Event> event = core_.next_event();
    if (!event) break;
    const auto found = sockets_.find(event->socket);
    if (found == sockets_.end()) continue;
    const std::shared_ptr<SocketState> socket = found->second;
    socket->on_event(*event);
  }
  return events > 0;
}

bool Runtime::run_handlers() {
  const std::size_t before = completions_;
  for (bool more = true; more && has_budget();) {
    more = false;
    for (std::size_t i = 0; i < kSlice && has_budget() && is_context_due_; ++i) {
      is_context_due_ = context_.poll_one() > 0;
      if (!is_context_due_) break;
      ++completions_;
      more = true;
    }
    for (std::size_t i = 0; i < kSlice && has_budget() && !finished_.empty(); ++i) {
      ++completions_;
      more = true;
      finished_.pop().release()->complete();
    }
  }
  // What is left over counts as work, so that the loop does not sleep on it.
  return completions_ > before || !finished_.empty();
}

void Runtime::wake() {
  if (!wake_called_.exchange(true, std::memory_order_acq_rel) && wake_) wake_();
}

void Runtime::finish(OperationPtr<Operation> operation) { finished_.push(std::move(operation)); }

void Runtime::add(SocketId id, std::shared_ptr<SocketState> socket) {
  sockets_.insert_or_assign(id, std::move(socket));
}

}  // namespace mptcp::api
