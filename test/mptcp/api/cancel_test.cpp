#include <array>
#include <string>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/error.hpp>
#include <catch2/catch.hpp>

#include "test/mptcp/api/connected.hpp"

namespace mptcp::api::test {
namespace {

namespace error = boost::asio::error;
const error_code kTimeout = boost::beast::error::timeout;

TEST_CASE("cancel ends what is pending and leaves the connection usable", "[api][cancel]") {
  Connected nodes;
  std::array<char, 8> buffer{};
  Told read;
  nodes.server.async_read_some(asio::buffer(buffer), read.handler());
  nodes.run_for(1s);
  nodes.server.cancel();
  REQUIRE(nodes.run_until([&] { return bool(read); }, 1s));
  CHECK(*read.error == error::operation_aborted);

  Told again;
  nodes.server.async_read_some(asio::buffer(buffer), again.handler());
  nodes.client.async_write_some(asio::buffer("still", 5), asio::detached);
  REQUIRE(nodes.run_until([&] { return bool(again); }));
  CHECK(again.octets == 5);
}

TEST_CASE("a cancellation slot ends its operation and no other", "[api][cancel]") {
  Connected nodes;
  std::array<char, 8> buffer{};
  asio::cancellation_signal signal;
  Told read;
  Told other;
  nodes.server.async_read_some(asio::buffer(buffer),
                               asio::bind_cancellation_slot(signal.slot(), read.handler()));
  nodes.client.async_read_some(asio::buffer(buffer), other.handler());
  SECTION("when it waits") { nodes.run_for(1s); }
  SECTION("before it was started on the core's thread") {}
  const auto type = GENERATE(asio::cancellation_type::terminal, asio::cancellation_type::partial,
                             asio::cancellation_type::total);
  signal.emit(type);
  REQUIRE(nodes.run_until([&] { return bool(read); }, 1s));
  CHECK(*read.error == error::operation_aborted);
  nodes.run_for(1s);
  CHECK(!other);
  CHECK(nodes.server.is_open());
  // The operation is gone: nothing happens.
  signal.emit(type);
  nodes.run_for(1s);
}

TEST_CASE("a slot that is used after its operation ended harms nobody", "[api][cancel]") {
  asio::cancellation_signal signal;
  Told read;
  std::array<char, 8> buffer{};
  {
    Connected nodes;
    nodes.server.async_read_some(asio::buffer(buffer),
                                 asio::bind_cancellation_slot(signal.slot(), read.handler()));
    nodes.client.async_write_some(asio::buffer("x", 1), asio::detached);
    REQUIRE(nodes.run_until([&] { return bool(read); }));
    Told next;
    nodes.server.async_read_some(asio::buffer(buffer), next.handler());
    nodes.run_for(1s);
    signal.emit(asio::cancellation_type::all);
    nodes.run_for(1s);
    CHECK(!next);
  }
  signal.emit(asio::cancellation_type::all);
}

TEST_CASE("composed operations hand the cancellation on", "[api][cancel]") {
  Connected nodes;
  std::string buffer(100, 0);
  asio::cancellation_signal signal;
  Told read;
  asio::async_read(nodes.server, asio::buffer(buffer),
                   asio::bind_cancellation_slot(signal.slot(), read.handler()));
  asio::async_write(nodes.client, asio::buffer("part", 4), asio::detached);
  nodes.run_for(1s);
  REQUIRE(!read);
  signal.emit(asio::cancellation_type::terminal);
  REQUIRE(nodes.run_until([&] { return bool(read); }, 1s));
  CHECK(*read.error == error::operation_aborted);
  CHECK(read.octets == 4);
}

TEST_CASE("a connect that is cancelled is given up", "[api][cancel]") {
  TwoNodes nodes;
  nodes.is_cut = true;
  Stream client(nodes.a.runtime);
  asio::cancellation_signal signal;
  Told told;
  client.async_connect(kServer, asio::bind_cancellation_slot(signal.slot(), told.handler()));
  nodes.run_for(100ms);
  REQUIRE(!told);
  SECTION("through its slot") { signal.emit(asio::cancellation_type::terminal); }
  SECTION("with all that is pending") { client.cancel(); }
  REQUIRE(nodes.run_until([&] { return bool(told); }, 1s));
  CHECK(*told.error == error::operation_aborted);
  CHECK(!client.is_open());
  CHECK(nodes.a.runtime.socket_count() == 0);
}

TEST_CASE("an operation that outlasts its deadline ends, and the connection with it",
          "[api][deadline]") {
  Connected nodes;
  std::array<char, 8> buffer{};
  Told read;
  Told beside;
  Told peer;
  const Instant start = nodes.now();
  nodes.client.expires_after(250ms);
  nodes.client.async_read_some(asio::buffer(buffer), read.handler());
  nodes.client.async_wait(asio::socket_base::wait_error, beside.handler());
  nodes.server.async_read_some(asio::buffer(buffer), peer.handler());
  REQUIRE(nodes.run_until([&] { return read && beside && peer; }));
  CHECK(nodes.now() - start >= 250ms);
  CHECK(nodes.now() - start < 251ms);
  CHECK(*read.error == kTimeout);
  CHECK(*beside.error == error::operation_aborted);
  CHECK(*peer.error == error::connection_reset);
  CHECK(!nodes.client.is_open());
}

TEST_CASE("one deadline holds for all operations until the next is set", "[api][deadline]") {
  Connected nodes;
  std::string buffer(1'000, 0);
  Told told;
  nodes.client.expires_after(1s);
  asio::async_read(nodes.client, asio::buffer(buffer), told.handler());
  // Octets that trickle in do not push it back.
  while (!told) {
    nodes.server.async_write_some(asio::buffer("x", 1), asio::detached);
    nodes.run_for(100ms);
  }
  CHECK(*told.error == kTimeout);
  CHECK(told.octets >= 9);
  CHECK(told.octets <= 11);
}

TEST_CASE("a deadline that has passed refuses what starts later", "[api][deadline]") {
  Connected nodes;
  Told told;
  nodes.client.expires_after(1s);
  nodes.run_for(2s);
  CHECK(nodes.client.is_open());
  nodes.client.async_write_some(asio::buffer("x", 1), told.handler());
  REQUIRE(nodes.run_until([&] { return bool(told); }, 1s));
  CHECK(*told.error == kTimeout);
}

TEST_CASE("a deadline that was lifted does not come", "[api][deadline]") {
  Connected nodes;
  std::array<char, 8> buffer{};
  Told told;
  nodes.client.expires_after(1s);
  nodes.client.expires_never();
  nodes.client.async_read_some(asio::buffer(buffer), told.handler());
  nodes.run_for(100s);
  CHECK(!told);
}

TEST_CASE("a connect that outlasts its deadline ends", "[api][deadline]") {
  TwoNodes nodes;
  nodes.is_cut = true;
  Stream client(nodes.a.runtime);
  Told told;
  client.expires_after(3s);
  client.async_connect(kServer, told.handler());
  REQUIRE(nodes.run_until([&] { return bool(told); }, 10s));
  CHECK(*told.error == kTimeout);
  CHECK(!client.is_open());
  CHECK(nodes.a.runtime.socket_count() == 0);
}

}  // namespace
}  // namespace mptcp::api::test
