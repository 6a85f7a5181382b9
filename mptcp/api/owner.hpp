#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/cancellation_type.hpp>

#include "mptcp/api/operation.hpp"
#include "mptcp/api/runtime.hpp"

namespace mptcp::api::detail {

/// How an object finds its runtime, and learns that it is gone.
struct RuntimeLink {
  Runtime* runtime;
};

/// What holds pending operations: the state behind a stream, an acceptor or a timer. Lives on the
/// core's thread, except where a function says otherwise.
class Owner : public std::enable_shared_from_this<Owner> {
 public:
  explicit Owner(Runtime& runtime) : link_(runtime.link()) {}
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;
  virtual ~Owner() = default;

  /// A pending operation has reached its deadline, and was taken out of the heap.
  virtual void on_expired(Operation& operation) = 0;
  /// Ends the pending operation with this serial, if it is still there.
  virtual void cancel(std::uint64_t serial) = 0;
  /// Takes the operation out and frees it: the runtime ends.
  virtual void drop(Operation& operation) = 0;

  /// nullptr once the runtime is gone. Any thread.
  Runtime* runtime() const { return link_->runtime; }
  /// Any thread.
  std::uint64_t next_serial() { return 1 + serials_.fetch_add(1, std::memory_order_relaxed); }

 private:
  std::shared_ptr<RuntimeLink> link_;
  std::atomic<std::uint64_t> serials_{0};
};

/// What a cancellation slot calls. It may outlive the operation and the runtime.
class Canceller {
 public:
  Canceller(std::weak_ptr<Owner> owner, std::uint64_t serial)
      : owner_(std::move(owner)), serial_(serial) {}

  void operator()(boost::asio::cancellation_type type) const {
    if (type == boost::asio::cancellation_type::none) return;
    const std::shared_ptr<Owner> owner = owner_.lock();
    if (owner == nullptr || owner->runtime() == nullptr) return;
    owner->runtime()->run([owner, serial = serial_] { owner->cancel(serial); });
  }

 private:
  std::weak_ptr<Owner> owner_;
  std::uint64_t serial_;
};

/// Makes an operation of kind `Base` that calls `handler`, and ties it to the handler's
/// cancellation slot. Any thread.
template <class Base, class Handler, class Executor, class... Arguments>
OperationPtr<Base> make_operation(Owner& owner, Handler handler, const Executor& executor,
                                  Arguments&&... arguments) {
  auto slot = boost::asio::get_associated_cancellation_slot(handler);
  OperationPtr<Base> operation = HandlerOperation<Base, Handler, Executor>::make(
      std::move(handler), executor, std::forward<Arguments>(arguments)...);
  operation->owner = &owner;
  if (slot.is_connected()) {
    operation->serial = owner.next_serial();
    slot.template emplace<Canceller>(owner.weak_from_this(), operation->serial);
  }
  return operation;
}

}  // namespace mptcp::api::detail
