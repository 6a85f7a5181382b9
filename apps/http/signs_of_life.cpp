#include "apps/http/signs_of_life.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>

namespace apps::http {
namespace {

constexpr std::chrono::seconds kInterval{5};
constexpr std::string_view kProcessing = "HTTP/1.1 102 Processing\r\n\r\n";

}  // namespace

struct SignsOfLife::State {
  State(const asio::any_io_executor& executor, std::chrono::milliseconds time)
      : timer(executor), limit(time) {}

  asio::awaitable<void> wait(std::chrono::steady_clock::time_point until) {
    timer.expires_at(until);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }

  asio::steady_timer timer;
  std::chrono::milliseconds limit;
  bool is_over = false;  ///< stop() was called.
  bool is_done = true;   ///< Nothing runs.
};

SignsOfLife::SignsOfLife(Connection& connection, std::chrono::milliseconds limit)
    : connection_(connection), state_(std::make_shared<State>(connection.executor(), limit)) {}

void SignsOfLife::start() {
  state_->is_over = false;
  state_->is_done = false;
  auto work = [](Connection& connection, std::shared_ptr<State> state) -> asio::awaitable<void> {
    while (!state->is_over) {
      co_await state->wait(std::chrono::steady_clock::now() + kInterval);
      if (state->is_over) break;
      connection.watchdog().arm(state->limit);
      const error_code error = co_await connection.write_all(kProcessing);
      connection.watchdog().disarm();
      if (error) break;
    }
    state->is_done = true;
    state->timer.cancel();
  };
  asio::co_spawn(connection_.executor(), work(connection_, state_), asio::detached);
}

asio::awaitable<void> SignsOfLife::stop() {
  state_->is_over = true;
  state_->timer.cancel();
  while (!state_->is_done)
    co_await state_->wait(std::chrono::steady_clock::time_point::max());
}

}  // namespace apps::http
