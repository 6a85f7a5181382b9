#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <catch2/catch.hpp>

#include "mptcp/api/resolver.hpp"
#include "mptcp/api/timer.hpp"
#include "test/mptcp/api/connected.hpp"

namespace mptcp::api::test {
namespace {

namespace error = boost::asio::error;

TEST_CASE("listening on an address that is taken, or not ours, is an error", "[api][acceptor]") {
  TwoNodes nodes;
  Acceptor first(nodes.b.runtime);
  Acceptor second(nodes.b.runtime);
  error_code why;
  first.listen(kServer, why);
  CHECK(why == error_code());
  first.listen(*Endpoint::parse("10.0.0.2:81"), why);
  CHECK(why == error::already_open);
  second.listen(kServer, why);
  CHECK(why == error::address_in_use);
  second.listen(*Endpoint::parse("10.0.0.9:80"), why);
  CHECK(why == boost::system::errc::address_not_available);

  Told told;
  second.async_listen(kServer, std::nullopt, told.handler());
  REQUIRE(nodes.run_until([&] { return bool(told); }, 1s));
  CHECK(*told.error == error::address_in_use);
  first.close();
  nodes.run_for(1s);
  Told again;
  second.async_listen(kServer, std::nullopt, again.handler());
  REQUIRE(nodes.run_until([&] { return bool(again); }, 1s));
  CHECK(*again.error == error_code());
  CHECK(!first.is_open());
  CHECK(second.is_open());
}

TEST_CASE("an accept that waits ends when the acceptor is cancelled or closed", "[api][acceptor]") {
  TwoNodes nodes;
  Acceptor acceptor(nodes.b.runtime);
  error_code refused;
  acceptor.listen(kServer, refused);
  REQUIRE(!refused);
  asio::cancellation_signal signal;
  Told told;
  acceptor.async_accept(
      asio::bind_cancellation_slot(signal.slot(), [&](error_code why, const Stream& stream) {
        told.error = why;
        CHECK(!stream.is_open());
      }));
  nodes.run_for(1s);
  bool listens = true;
  SECTION("by cancel") { acceptor.cancel(); }
  SECTION("by its slot") { signal.emit(asio::cancellation_type::terminal); }
  SECTION("by close") {
    acceptor.close();
    listens = false;
  }
  REQUIRE(nodes.run_until([&] { return bool(told); }, 1s));
  CHECK(*told.error == error::operation_aborted);
  CHECK(acceptor.is_open() == listens);

  Stream client(nodes.a.runtime);
  Told connected;
  client.async_connect(kServer, connected.handler());
  REQUIRE(nodes.run_until([&] { return bool(connected); }));
  CHECK(*connected.error == (listens ? error_code() : error_code(error::connection_refused)));
}

TEST_CASE("connections that came before the accept are handed out with what they carry",
          "[api][acceptor]") {
  TwoNodes nodes;
  Acceptor acceptor(nodes.b.runtime);
  error_code refused;
  acceptor.listen(kServer, refused);
  REQUIRE(!refused);
  Stream client(nodes.a.runtime);
  Told connected;
  client.async_connect(kServer, connected.handler());
  REQUIRE(nodes.run_until([&] { return bool(connected); }));
  client.async_write_some(asio::buffer("early", 5), asio::detached);
  client.shutdown();
  nodes.run_for(1s);

  std::array<char, 8> buffer{};
  Stream server(nodes.b.runtime);
  Told read;
  Told end;
  acceptor.async_accept([&](error_code why, Stream stream) {
    REQUIRE(!why);
    server = std::move(stream);
    server.async_read_some(asio::buffer(buffer), [&](error_code why2, std::size_t octets) {
      read.handler()(why2, octets);
      server.async_read_some(asio::buffer(buffer), end.handler());
    });
  });
  REQUIRE(nodes.run_until([&] { return read && end; }));
  CHECK(read.octets == 5);
  CHECK(*end.error == error::eof);
}

TEST_CASE("ten thousand connections are served and leave nothing behind", "[api][acceptor]") {
  constexpr std::size_t kConnections = 10'000;
  TwoNodes nodes;
  Acceptor acceptor(nodes.b.runtime);
  error_code refused;
  acceptor.listen(kServer, refused);
  REQUIRE(!refused);

  struct Echo {
    explicit Echo(Stream s) : stream(std::move(s)) {}
    static void start(std::shared_ptr<Echo> self) {
      Echo& echo = *self;
      echo.stream.async_read_some(
          asio::buffer(echo.buffer), [self](error_code why, std::size_t octets) {
            if (why) return;
            self->stream.async_write_some(asio::buffer(self->buffer, octets),
                                          [self](error_code, std::size_t) { start(self); });
          });
    }
    Stream stream;
    std::array<char, 16> buffer{};
  };
  std::function<void(error_code, Stream)> accept = [&](error_code why, Stream stream) {
    if (why) return;
    Echo::start(std::make_shared<Echo>(std::move(stream)));
    acceptor.async_accept(accept);
  };
  acceptor.async_accept(accept);

  struct Client {
    explicit Client(Runtime& runtime) : stream(runtime) {}
    Stream stream;
    std::array<char, 16> buffer{};
  };
  std::vector<std::unique_ptr<Client>> clients;
  std::size_t connected = 0;
  std::size_t echoed = 0;
  for (std::size_t i = 0; i < kConnections; ++i) {
    Client& client = *clients.emplace_back(std::make_unique<Client>(nodes.a.runtime));
    client.stream.expires_after(600s);
    client.stream.async_connect(kServer, [&](error_code why) {
      REQUIRE(!why);
      ++connected;
    });
    if (i % 500 == 499) REQUIRE(nodes.run_until([&] { return connected == i + 1; }));
  }
  // With the listener.
  REQUIRE(nodes.run_until([&] { return nodes.b.runtime.socket_count() == kConnections + 1; }));
  for (const auto& client : clients) {
    Client& c = *client;
    c.stream.async_write_some(asio::buffer("ping", 4), [&](error_code, std::size_t) {
      c.stream.async_read_some(asio::buffer(c.buffer), [&](error_code why, std::size_t octets) {
        REQUIRE(!why);
        echoed += octets;
      });
    });
  }
  REQUIRE(nodes.run_until([&] { return echoed == 4 * kConnections; }));
  clients.clear();
  nodes.run_for(300s);
  CHECK(nodes.a.runtime.socket_count() == 0);
  CHECK(nodes.b.runtime.socket_count() == 1);
  CHECK(nodes.a.core.connection_count() == 0);
  CHECK(nodes.b.core.connection_count() == 0);
}

TEST_CASE("literal addresses are resolved, names are refused", "[api][resolver]") {
  error_code why;
  CHECK(resolve("10.0.0.1", "80", why) == ResolverResults{*Endpoint::parse("10.0.0.1:80")});
  CHECK(why == error_code());
  CHECK(resolve("fd00::1", "0", why) == ResolverResults{*Endpoint::parse("[fd00::1]:0")});
  CHECK(why == error_code());
  CHECK(resolve("[fd00::1]", "65535", why) == ResolverResults{*Endpoint::parse("[fd00::1]:65535")});
  CHECK(why == error_code());

  const auto* host = GENERATE("localhost", "", "[]", "[10.0.0.1]", "10.0.0", "10.0.0.256",
                              "[fd00::1", "fd00::1%eth0", " 10.0.0.1");
  CHECK(resolve(host, "80", why).empty());
  CHECK(why == Errc::NotALiteralAddress);
  CHECK(why.message().find("not resolved") != std::string::npos);
  const auto* service = GENERATE("http", "", "65536", "-1", "80 ", "0x50");
  CHECK(resolve("10.0.0.1", service, why).empty());
  CHECK(why == Errc::NotAPortNumber);
}

TEST_CASE("the resolver answers through the runtime", "[api][resolver]") {
  TwoNodes nodes;
  Resolver resolver(nodes.a.runtime);
  Told told;
  Told named;
  resolver.async_resolve("10.0.0.2", "80", [&](error_code why, const ResolverResults& results) {
    told.error = why;
    CHECK(results == ResolverResults{kServer});
  });
  resolver.async_resolve("example.org", "80",
                         [&](error_code why, const ResolverResults&) { named.error = why; });
  CHECK(!told);
  REQUIRE(nodes.run_until([&] { return told && named; }, 1s));
  CHECK(*told.error == error_code());
  CHECK(*named.error == Errc::NotALiteralAddress);
}

TEST_CASE("a timer ends in engine time", "[api][timer]") {
  TwoNodes nodes;
  Timer timer(nodes.a.runtime);
  Told told;
  const Instant start = nodes.now();
  timer.expires_after(10s);
  timer.async_wait(told.handler());
  REQUIRE(nodes.run_until([&] { return bool(told); }));
  CHECK(*told.error == error_code());
  CHECK(nodes.now() - start >= 10s);
  CHECK(nodes.now() - start < 10s + 1ms);
  Told past;
  timer.async_wait(past.handler());
  REQUIRE(nodes.run_until([&] { return bool(past); }, 1ms));
  CHECK(*past.error == error_code());
}

TEST_CASE("a wait on a timer is cancelled by cancel, by a new time, by its slot and its end",
          "[api][timer]") {
  TwoNodes nodes;
  std::optional<Timer> timer(nodes.a.runtime);
  asio::cancellation_signal signal;
  Told told;
  timer->expires_after(10s);
  timer->async_wait(asio::bind_cancellation_slot(signal.slot(), told.handler()));
  nodes.run_for(1s);
  SECTION("cancel") { timer->cancel(); }
  SECTION("new time") { timer->expires_after(20s); }
  SECTION("slot") { signal.emit(asio::cancellation_type::total); }
  SECTION("destruction") { timer.reset(); }
  REQUIRE(nodes.run_until([&] { return bool(told); }, 1s));
  CHECK(*told.error == error::operation_aborted);
}

}  // namespace
}  // namespace mptcp::api::test
