#pragma once

#include <type_traits>
#include <utility>

#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/require.hpp>

namespace mptcp::api {

/// Runs functions in the turns of one Runtime: the executor of its io_context, plus the wake of a
/// poll loop that sleeps.
///
/// Within Runtime::poll() a dispatched function runs at once; everywhere else, and when posted, it
/// waits for the next turn.
template <class Runtime, class Inner>
class BasicExecutor {
 public:
  BasicExecutor(Runtime& runtime, const Inner& inner) noexcept
      : runtime_(&runtime), inner_(inner) {}

  Runtime& runtime() const noexcept { return *runtime_; }

  template <class Property>
  requires(boost::asio::can_query<const Inner&, Property>::value) decltype(auto)
      query(const Property& property) const
      noexcept(boost::asio::is_nothrow_query<const Inner&, Property>::value) {
    return boost::asio::query(inner_, property);
  }

  template <class Property>
  requires(boost::asio::can_require<const Inner&, Property>::value) auto require(
      const Property& property) const {
    auto inner = boost::asio::require(inner_, property);
    return BasicExecutor<Runtime, decltype(inner)>(*runtime_, inner);
  }

  template <class Function>
  void execute(Function&& function) const {
    namespace execution = boost::asio::execution;
    const bool inside = runtime_->is_running_here();
    if (inside && boost::asio::query(inner_, execution::blocking) == execution::blocking.possibly) {
      std::decay_t<Function> local(std::forward<Function>(function));
      local();
      return;
    }
    inner_.execute(std::forward<Function>(function));
    if (inside) {
      runtime_->on_posted_inside();
    } else {
      runtime_->wake();
    }
  }

  friend bool operator==(const BasicExecutor& a, const BasicExecutor& b) noexcept {
    return a.inner_ == b.inner_;
  }

 private:
  Runtime* runtime_;
  Inner inner_;
};

}  // namespace mptcp::api
