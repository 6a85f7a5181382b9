#include <array>
#include <exception>
#include <string>
#include <tuple>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>

#include "mptcp/api/timer.hpp"
#include "test/mptcp/api/connected.hpp"

namespace mptcp::api::test {
namespace {

using asio::awaitable;
using asio::use_awaitable;

/// How a coroutine ended; an exception is thrown where the test looks.
struct Ended {
  bool done = false;
  std::exception_ptr failure;

  auto handler() {
    return [this](std::exception_ptr why) {
      done = true;
      failure = std::move(why);
    };
  }
  void check() const {
    REQUIRE(done);
    if (failure) std::rethrow_exception(failure);
  }
};

awaitable<void> echo_once(Acceptor& acceptor) {
  Stream stream = co_await acceptor.async_accept(use_awaitable);
  std::string line(5, 0);
  co_await asio::async_read(stream, asio::buffer(line), use_awaitable);
  co_await asio::async_write(stream, asio::buffer(line), use_awaitable);
}

awaitable<void> ask(Runtime& runtime, std::string& answer) {
  Stream stream(runtime);
  co_await stream.async_connect(kServer, use_awaitable);
  co_await asio::async_write(stream, asio::buffer("hello", 5), use_awaitable);
  answer.resize(5);
  co_await asio::async_read(stream, asio::buffer(answer), use_awaitable);
  std::array<char, 1> more{};
  const auto [why, octets] =
      co_await stream.async_read_some(asio::buffer(more), asio::as_tuple(use_awaitable));
  CHECK(why == asio::error::eof);
  CHECK(octets == 0);
}

TEST_CASE("coroutines on the core's thread accept, connect, read and write", "[api][coroutine]") {
  TwoNodes nodes;
  Acceptor acceptor(nodes.b.runtime);
  error_code refused;
  acceptor.listen(kServer, refused);
  REQUIRE(!refused);
  Ended served;
  Ended asked;
  std::string answer;
  asio::co_spawn(nodes.b.runtime.get_executor(), echo_once(acceptor), served.handler());
  asio::co_spawn(nodes.a.runtime.get_executor(), ask(nodes.a.runtime, answer), asked.handler());
  REQUIRE(nodes.run_until([&] { return served.done && asked.done; }));
  served.check();
  asked.check();
  CHECK(answer == "hello");
}

TEST_CASE("a failure is thrown into the coroutine", "[api][coroutine]") {
  TwoNodes nodes;
  Ended ended;
  std::string answer;
  asio::co_spawn(nodes.a.runtime.get_executor(), ask(nodes.a.runtime, answer), ended.handler());
  REQUIRE(nodes.run_until([&] { return ended.done; }));
  REQUIRE_THROWS_AS(ended.check(), boost::system::system_error);
}

TEST_CASE("what comes first ends the other: a read and a timer", "[api][coroutine]") {
  using namespace asio::experimental::awaitable_operators;
  Connected nodes;
  Ended ended;
  const bool octets_come = GENERATE(false, true);
  const auto race = [&]() -> awaitable<void> {
    Timer timer(nodes.b.runtime);
    timer.expires_after(1s);
    std::array<char, 8> buffer{};
    const auto first = co_await (timer.async_wait(use_awaitable) ||
                                 nodes.server.async_read_some(asio::buffer(buffer), use_awaitable));
    CHECK((first.index() == 1) == octets_come);
    CHECK(nodes.server.is_open());
  };
  asio::co_spawn(nodes.b.runtime.get_executor(), race(), ended.handler());
  nodes.run_for(500ms);
  if (octets_come) nodes.client.async_write_some(asio::buffer("x", 1), asio::detached);
  REQUIRE(nodes.run_until([&] { return ended.done; }));
  ended.check();
}

using DefaultStream = asio::use_awaitable_t<>::as_default_on_t<Stream>;

TEST_CASE("a default completion token can be set for the stream", "[api][coroutine]") {
  Connected nodes;
  Ended ended;
  const auto connect = [&]() -> awaitable<void> {
    DefaultStream stream(nodes.a.runtime);
    co_await stream.async_connect(kServer);
    CHECK(co_await stream.async_write_some(asio::buffer("x", 1)) == 1);
  };
  asio::co_spawn(nodes.a.runtime.get_executor(), connect(), ended.handler());
  REQUIRE(nodes.run_until([&] { return ended.done; }));
  ended.check();
}

}  // namespace
}  // namespace mptcp::api::test
