#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <tuple>
#include <utility>

#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/system/error_code.hpp>

#include "dataplane/base/time.hpp"

/// What an asynchronous operation is between its start and its handler. Only the runtime and the
/// objects on it use this.
namespace mptcp::api::detail {

using boost::system::error_code;
using dataplane::Instant;
using dataplane::kNever;

class Operation;
class Owner;

/// Frees an operation without calling its handler.
struct Discard {
  inline void operator()(Operation* operation) const noexcept;
};
template <class T>
using OperationPtr = std::unique_ptr<T, Discard>;

/// One operation that was started and whose handler was not called yet.
class Operation {
 public:
  Operation() = default;
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;

  /// Frees the operation and then calls its handler, through the executor that belongs to the
  /// handler.
  virtual void complete() = 0;
  virtual void discard() noexcept = 0;

  error_code error;
  /// Names the operation for its cancellation slot; 0: it has none.
  std::uint64_t serial = 0;
  Owner* owner = nullptr;  ///< Whose queue holds it while it is in the DeadlineHeap.
  Instant deadline = kNever;
  static constexpr std::size_t kNotInHeap = ~std::size_t{0};
  std::size_t heap_index = kNotInHeap;
  Operation* next = nullptr;

 protected:
  ~Operation() = default;
};

void Discard::operator()(Operation* operation) const noexcept { operation->discard(); }

/// Operations in the order in which they came; owns them. The links lie in the operations: nothing
/// is allocated.
template <class T>
class OperationQueue {
 public:
  OperationQueue() = default;
  OperationQueue(OperationQueue&& other) noexcept
      : head_(std::exchange(other.head_, nullptr)), tail_(std::exchange(other.tail_, nullptr)) {}
  OperationQueue& operator=(OperationQueue&&) = delete;
  ~OperationQueue() {
    while (!empty())
      pop();
  }

  bool empty() const { return head_ == nullptr; }
  T* front() const { return static_cast<T*>(head_); }
  void push(OperationPtr<T> operation) {
    Operation* const last = operation.release();
    last->next = nullptr;
    (head_ == nullptr ? head_ : tail_->next) = last;
    tail_ = last;
  }
  OperationPtr<T> pop() { return unlink(nullptr); }
  /// Takes out the operation that `matches`, or nothing.
  template <class Predicate>
  OperationPtr<T> take(Predicate matches) {
    Operation* before = nullptr;
    for (Operation* at = head_; at != nullptr; before = at, at = at->next)
      if (matches(*at)) return unlink(before);
    return nullptr;
  }

 private:
  OperationPtr<T> unlink(Operation* before) {
    Operation*& link = before == nullptr ? head_ : before->next;
    Operation* const taken = link;
    link = taken->next;
    if (tail_ == taken) tail_ = before;
    taken->next = nullptr;
    return OperationPtr<T>(static_cast<T*>(taken));
  }

  Operation* head_ = nullptr;
  Operation* tail_ = nullptr;
};

/// A handler with its results, as one function that keeps the handler's executor and allocator.
template <class Handler, class Executor, class Results>
struct BoundHandler {
  using executor_type = Executor;
  using allocator_type = boost::asio::associated_allocator_t<Handler>;

  executor_type get_executor() const noexcept { return executor; }
  allocator_type get_allocator() const noexcept {
    return boost::asio::get_associated_allocator(handler);
  }
  void operator()() { std::apply(std::move(handler), std::move(results)); }

  Handler handler;
  Executor executor;
  Results results;
};

/// An operation of kind `Base` with the handler that its user gave. `Base::take_results()` is the
/// tuple of the handler's arguments. `Executor` is that of the object, for handlers that have none
/// of their own.
template <class Base, class Handler, class Executor>
class HandlerOperation final : public Base {
 public:
  using HandlerExecutor = boost::asio::associated_executor_t<Handler, Executor>;

  template <class... Arguments>
  static OperationPtr<Base> make(Handler handler, const Executor& executor,
                                 Arguments&&... arguments) {
    auto allocator = Allocator(boost::asio::get_associated_allocator(handler));
    HandlerOperation* const memory = Traits::allocate(allocator, 1);
    // Moving a handler does not throw (a requirement of Boost.Asio), so the memory cannot leak.
    return OperationPtr<Base>(::new (static_cast<void*>(memory)) HandlerOperation(
        std::move(handler), executor, std::forward<Arguments>(arguments)...));
  }

  void complete() override {
    auto work = std::move(work_);
    auto bound = BoundHandler<Handler, HandlerExecutor, decltype(this->take_results())>{
        std::move(handler_), work.get_executor(), this->take_results()};
    destroy(bound.get_allocator());
    boost::asio::dispatch(std::move(bound));
  }

  void discard() noexcept override {
    // The handler may own what owns this operation's owner: it goes last, when the memory is free.
    Handler handler(std::move(handler_));
    destroy(boost::asio::get_associated_allocator(handler));
  }

 private:
  using Allocator = typename std::allocator_traits<
      boost::asio::associated_allocator_t<Handler>>::template rebind_alloc<HandlerOperation>;
  using Traits = std::allocator_traits<Allocator>;

  template <class... Arguments>
  HandlerOperation(Handler&& handler, const Executor& executor, Arguments&&... arguments)
      : Base(std::forward<Arguments>(arguments)...),
        handler_(std::move(handler)),
        work_(boost::asio::get_associated_executor(handler_, executor)) {}
  ~HandlerOperation() = default;

  void destroy(Allocator allocator) noexcept {
    this->~HandlerOperation();
    Traits::deallocate(allocator, this, 1);
  }

  Handler handler_;
  boost::asio::executor_work_guard<HandlerExecutor> work_;
};

}  // namespace mptcp::api::detail
