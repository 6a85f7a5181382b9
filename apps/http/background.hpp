#pragma once

#include <type_traits>
#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace apps::http {

namespace asio = boost::asio;

/// Threads for what may wait for a disk or takes long, so that the loop that moves packets does
/// not.
class Background {
 public:
  explicit Background(unsigned threads) : pool_(threads) {}
  ~Background() { pool_.join(); }
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  /// Runs `job`, which must not throw, on a thread of the pool, and resumes the caller on its own
  /// executor.
  template <class Job>
  asio::awaitable<std::invoke_result_t<Job&>> run(Job job) {
    using Value = std::invoke_result_t<Job&>;
    auto start = [this, &job](auto handler) {
      // The caller's loop has work as long as the job runs, or it might end before the answer is
      // there.
      auto home = asio::prefer(asio::get_associated_executor(handler),
                               asio::execution::outstanding_work.tracked);
      asio::post(pool_, [&job, handler = std::move(handler), home = std::move(home)]() mutable {
        Value value = job();
        asio::dispatch(home, [handler = std::move(handler), value = std::move(value)]() mutable {
          std::move(handler)(std::move(value));
        });
      });
    };
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Value)>(
        start, asio::use_awaitable);
  }

  /// Runs `job`, which must not throw, some time; nobody waits for it.
  template <class Job>
  void start(Job job) {
    asio::post(pool_, std::move(job));
  }

  /// Waits for all jobs; none may be given afterwards.
  void join() { pool_.join(); }

 private:
  asio::thread_pool pool_;
};

}  // namespace apps::http
