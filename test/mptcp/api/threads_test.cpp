#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/error.hpp>
#include <catch2/catch.hpp>

#include "mptcp/api/timer.hpp"
#include "test/mptcp/api/connected.hpp"

namespace mptcp::api::test {
namespace {

using asio::awaitable;
using asio::use_awaitable;
using asio::use_future;

/// How a read that gets nothing ends. An exception in a future would be counted in the C++ library,
/// where the thread sanitizer does not see how.
error_code end_of_read(Stream& stream) {
  std::array<char, 8> buffer{};
  std::promise<error_code> end;
  stream.async_read_some(asio::buffer(buffer),
                         [&](error_code why, std::size_t) { end.set_value(why); });
  return end.get_future().get();
}

/// The nodes turned by a thread of their own, which sleeps when there is nothing to do and no
/// deadline is near.
class EngineThread {
 public:
  EngineThread() {
    for (Node* node : {&nodes.a, &nodes.b})
      node->runtime.set_wake([this] {
        const std::lock_guard lock(mutex_);
        woken_ = true;
        wakes_.notify_one();
      });
    thread_ = std::thread([this] { run(); });
  }
  EngineThread(const EngineThread&) = delete;
  EngineThread& operator=(const EngineThread&) = delete;
  ~EngineThread() {
    stop_ = true;
    nodes.a.runtime.wake();
    thread_.join();
  }

  std::thread::id id() const { return thread_.get_id(); }

  TwoNodes nodes;

 private:
  void run() {
    // Virtual time runs on while the thread is awake: 10 us a turn.
    for (int idle = 0; !stop_; ++idle) {
      if (nodes.turn()) idle = 0;
      if (idle < 1'000) continue;
      std::unique_lock lock(mutex_);
      wakes_.wait_for(lock, std::chrono::milliseconds(1), [this] { return woken_; });
      woken_ = false;
      idle = 0;
    }
  }

  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::condition_variable wakes_;
  bool woken_ = false;
  std::thread thread_;
};

TEST_CASE("futures: another thread listens, connects, writes and reads", "[api][threads]") {
  EngineThread engine;
  Acceptor acceptor(engine.nodes.b.runtime);
  acceptor.async_listen(kServer, std::nullopt, use_future).get();
  auto accepted = acceptor.async_accept(use_future);
  Stream client(engine.nodes.a.runtime);
  client.async_connect(kServer, use_future).get();
  Stream server = accepted.get();
  CHECK(server.remote_endpoint() == client.local_endpoint());

  const std::string sent = pattern(2UL << 20);
  std::string received(sent.size(), 0);
  auto written = asio::async_write(client, asio::buffer(sent), use_future);
  auto read = asio::async_read(server, asio::buffer(received), use_future);
  CHECK(written.get() == sent.size());
  CHECK(read.get() == sent.size());
  CHECK((received == sent));  // Without printing them.
  CHECK(client.async_info(use_future).get().bytes_sent == sent.size());

  client.close();
  CHECK(end_of_read(server) == asio::error::eof);
}

TEST_CASE("handlers run on their own executor, on another thread", "[api][threads]") {
  EngineThread engine;
  Acceptor acceptor(engine.nodes.b.runtime);
  acceptor.async_listen(kServer, std::nullopt, use_future).get();

  asio::io_context context;
  using AnyStream = BasicStream<asio::any_io_executor>;
  using AnyAcceptor = BasicAcceptor<asio::any_io_executor>;
  const std::string sent = pattern(1UL << 20);
  std::string received(sent.size(), 0);
  bool served = false;
  bool asked = false;
  const auto here = std::this_thread::get_id();
  const auto serve = [&]() -> awaitable<void> {
    Stream stream = co_await acceptor.async_accept(use_awaitable);
    CHECK(std::this_thread::get_id() == here);
    co_await asio::async_read(stream, asio::buffer(received), use_awaitable);
    CHECK(std::this_thread::get_id() == here);
    co_await asio::async_write(stream, asio::buffer(received), use_awaitable);
    stream.shutdown();
    served = true;
  };
  const auto ask = [&]() -> awaitable<void> {
    AnyStream stream(engine.nodes.a.runtime, context.get_executor());
    co_await stream.async_connect(kServer, use_awaitable);
    co_await asio::async_write(stream, asio::buffer(sent), use_awaitable);
    std::string back(sent.size(), 0);
    co_await asio::async_read(stream, asio::buffer(back), use_awaitable);
    CHECK(std::this_thread::get_id() == here);
    CHECK((back == sent));  // Without printing them.
    asked = true;
  };
  asio::co_spawn(context, serve(), asio::detached);
  asio::co_spawn(context, ask(), asio::detached);
  // What is pending on the engine counts as work of this context: run() ends when all is done.
  context.run();
  CHECK(served);
  CHECK(asked);

  // The stream's executor is that of handlers without one.
  context.restart();
  AnyStream stream(engine.nodes.a.runtime, context.get_executor());
  bool refused = false;
  stream.async_connect(*Endpoint::parse("10.0.0.2:81"), [&](error_code why) {
    CHECK(why == asio::error::connection_refused);
    CHECK(std::this_thread::get_id() == here);
    refused = true;
  });
  context.run();
  CHECK(refused);
  const AnyAcceptor unused(engine.nodes.a.runtime, context.get_executor());
  CHECK(!unused.is_open());
}

TEST_CASE("another thread cancels, by slots and by deadlines", "[api][threads]") {
  using namespace asio::experimental::awaitable_operators;
  EngineThread engine;
  Acceptor acceptor(engine.nodes.b.runtime);
  acceptor.async_listen(kServer, std::nullopt, use_future).get();
  auto accepted = acceptor.async_accept(use_future);
  Stream client(engine.nodes.a.runtime);
  client.async_connect(kServer, use_future).get();
  Stream server = accepted.get();

  asio::io_context context;
  const auto race = [&]() -> awaitable<void> {
    std::array<char, 8> buffer{};
    for (int i = 0; i < 50; ++i) {
      Timer timer(engine.nodes.b.runtime);
      timer.expires_after(i * 20us);
      co_await (timer.async_wait(use_awaitable) ||
                server.async_read_some(asio::buffer(buffer), use_awaitable));
    }
  };
  std::exception_ptr failure;
  asio::co_spawn(context, race(), [&](std::exception_ptr why) { failure = std::move(why); });
  context.run();
  CHECK(!failure);
  CHECK(server.is_open());

  server.expires_after(1ms);
  CHECK(end_of_read(server) == boost::beast::error::timeout);
}

TEST_CASE("posting from another thread wakes a loop that sleeps, once a turn", "[api][threads]") {
  TwoNodes nodes;
  int wakes = 0;
  nodes.a.runtime.set_wake([&] { ++wakes; });
  int calls = 0;
  std::thread other([&] {
    for (int i = 0; i < 3; ++i)
      asio::post(nodes.a.runtime.get_executor(), [&] { ++calls; });
  });
  other.join();
  CHECK(wakes == 1);
  CHECK(nodes.a.runtime.poll(nodes.now()));
  CHECK(calls == 3);
  CHECK(!nodes.a.runtime.poll(nodes.now()));
  // Within the turn nobody needs to be woken.
  asio::post(nodes.a.runtime.get_executor(),
             [&] { asio::post(nodes.a.runtime.get_executor(), [&] { ++calls; }); });
  CHECK(wakes == 2);
  CHECK(nodes.a.runtime.poll(nodes.now()));
  CHECK(calls == 4);
  CHECK(wakes == 2);
}

}  // namespace
}  // namespace mptcp::api::test
