#include <array>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <catch2/catch.hpp>

#include "test/mptcp/api/connected.hpp"

namespace mptcp::api::test {
namespace {

namespace error = boost::asio::error;

static_assert(boost::beast::is_async_stream<Stream>::value);
static_assert(boost::asio::execution::is_executor<Runtime::Executor>::value);

TEST_CASE("octets written on one side are read on the other, and back", "[api][stream]") {
  const Endpoint where = GENERATE(kServer, kServer6);
  Connected nodes(where);
  CHECK(nodes.client.remote_endpoint() == where);
  CHECK(nodes.server.local_endpoint() == where);
  CHECK(nodes.server.remote_endpoint() == nodes.client.local_endpoint());

  std::array<char, 64> at_server{};
  std::array<char, 64> at_client{};
  Told written;
  Told read;
  Told back;
  nodes.client.async_write_some(asio::buffer("ahoy", 4), written.handler());
  nodes.server.async_read_some(asio::buffer(at_server), read.handler());
  REQUIRE(nodes.run_until([&] { return written && read; }));
  CHECK(*written.error == error_code());
  CHECK(*read.error == error_code());
  CHECK(std::string(at_server.data(), read.octets) == "ahoy");

  nodes.server.async_write_some(asio::buffer("aye", 3), asio::detached);
  nodes.client.async_read_some(asio::buffer(at_client), back.handler());
  REQUIRE(nodes.run_until([&] { return bool(back); }));
  CHECK(std::string(at_client.data(), back.octets) == "aye");
}

TEST_CASE("composed operations move many megabytes both ways at once", "[api][stream]") {
  Connected nodes;
  const std::string there = pattern(12UL << 20);
  const std::string back = there.substr(1UL << 20);
  std::string at_server(there.size(), 0);
  std::string at_client(back.size(), 0);
  std::array<Told, 4> told;
  asio::async_write(nodes.client, asio::buffer(there), told[0].handler());
  asio::async_read(nodes.server, asio::buffer(at_server), told[1].handler());
  asio::async_write(nodes.server, asio::buffer(back), told[2].handler());
  asio::async_read(nodes.client, asio::buffer(at_client), told[3].handler());
  REQUIRE(nodes.run_until([&] { return told[0] && told[1] && told[2] && told[3]; }));
  CHECK(told[1].octets == there.size());
  CHECK(told[3].octets == back.size());
  CHECK((at_server == there));  // Without printing them.
  CHECK((at_client == back));   // Without printing them.
  const auto info = nodes.client.info();
  REQUIRE(info);
  CHECK(info->bytes_sent == there.size());
  CHECK(info->bytes_received == back.size());
}

TEST_CASE("a sequence of buffers is gathered and scattered in order", "[api][stream]") {
  Connected nodes;
  const std::array<asio::const_buffer, 4> from{asio::buffer("one ", 4), asio::const_buffer(),
                                               asio::buffer("two ", 4), asio::buffer("three", 5)};
  std::string first(6, 0);
  std::string second(7, 0);
  const std::array<asio::mutable_buffer, 2> into{asio::buffer(first), asio::buffer(second)};
  Told written;
  Told read;
  asio::async_write(nodes.client, from, written.handler());
  asio::async_read(nodes.server, into, read.handler());
  REQUIRE(nodes.run_until([&] { return written && read; }));
  CHECK(written.octets == 13);
  CHECK(first + second == "one two three");
}

TEST_CASE("a handler is never called from within the call that started it", "[api][stream]") {
  Connected nodes;
  bool inside = false;
  Told told;
  asio::post(nodes.a.runtime.get_executor(), [&] {
    inside = true;
    nodes.client.async_write_some(asio::buffer("x", 1), [&](error_code why, std::size_t octets) {
      CHECK(!inside);
      told.handler()(why, octets);
    });
    inside = false;
  });
  REQUIRE(nodes.run_until([&] { return bool(told); }));
}

TEST_CASE("an empty buffer completes at once, also beside a read that waits", "[api][stream]") {
  Connected nodes;
  std::array<char, 8> buffer{};
  Told waiting;
  Told empty;
  nodes.server.async_read_some(asio::buffer(buffer), waiting.handler());
  nodes.server.async_read_some(asio::mutable_buffer(), empty.handler());
  REQUIRE(nodes.run_until([&] { return bool(empty); }, 1s));
  CHECK(*empty.error == error_code());
  CHECK(empty.octets == 0);
  CHECK(!waiting);
}

TEST_CASE("half close: the other side reads the end and can still answer", "[api][stream]") {
  Connected nodes;
  std::string request;
  std::string answer;
  Told end;
  Told answered;
  asio::async_write(nodes.client, asio::buffer("question", 8),
                    [&](error_code, std::size_t) { nodes.client.shutdown(); });
  asio::async_read(nodes.server, asio::dynamic_buffer(request), end.handler());
  REQUIRE(nodes.run_until([&] { return bool(end); }));
  CHECK(*end.error == error::eof);
  CHECK(request == "question");

  Told late;
  nodes.client.async_write_some(asio::buffer("more", 4), late.handler());
  asio::async_write(nodes.server, asio::buffer("answer", 6),
                    [&](error_code, std::size_t) { nodes.server.close(); });
  asio::async_read(nodes.client, asio::dynamic_buffer(answer), answered.handler());
  REQUIRE(nodes.run_until([&] { return answered && late; }));
  CHECK(*late.error == error::broken_pipe);
  CHECK(*answered.error == error::eof);
  CHECK(answer == "answer");
  CHECK(!nodes.server.is_open());
}

TEST_CASE("a connection to a port without listener is refused", "[api][stream]") {
  TwoNodes nodes;
  Stream client(nodes.a.runtime);
  Told told;
  client.async_connect(kServer, told.handler());
  REQUIRE(nodes.run_until([&] { return bool(told); }));
  CHECK(*told.error == error::connection_refused);
  CHECK(!client.is_open());
  CHECK(nodes.a.runtime.socket_count() == 0);
  CHECK(nodes.a.core.connection_count() == 0);
}

TEST_CASE("a connection to an address without a way is an error at once", "[api][stream]") {
  TwoNodes nodes;
  Stream client(nodes.a.runtime);
  Told told;
  client.async_connect(*Endpoint::parse("192.0.2.1:80"), told.handler());
  REQUIRE(nodes.run_until([&] { return bool(told); }));
  CHECK(*told.error == error::network_unreachable);

  Told elsewhere;
  Core::ConnectOptions options{
      .remote = kServer, .local = Endpoint::parse("10.0.0.9:0"), .tcp = {}};
  client.async_connect(options, elsewhere.handler());
  REQUIRE(nodes.run_until([&] { return bool(elsewhere); }));
  CHECK(*elsewhere.error == boost::system::errc::address_not_available);
}

TEST_CASE("of several endpoints the first that answers is taken", "[api][stream]") {
  TwoNodes nodes;
  Acceptor acceptor(nodes.b.runtime);
  error_code refused;
  acceptor.listen(kServer, refused);
  REQUIRE(!refused);
  Stream client(nodes.a.runtime);
  Told told;
  Endpoint answered;
  client.async_connect(
      ResolverResults{*Endpoint::parse("192.0.2.1:80"), *Endpoint::parse("10.0.0.2:81"), kServer},
      [&](error_code why, const Endpoint& endpoint) {
        told.error = why;
        answered = endpoint;
      });
  REQUIRE(nodes.run_until([&] { return bool(told); }));
  CHECK(*told.error == error_code());
  CHECK(answered == kServer);
  CHECK(client.remote_endpoint() == kServer);
}

TEST_CASE("a stream connects again after its connection was closed", "[api][stream]") {
  Connected nodes;
  Told twice;
  nodes.client.async_connect(kServer, twice.handler());
  REQUIRE(nodes.run_until([&] { return bool(twice); }));
  CHECK(*twice.error == error::already_connected);

  nodes.client.close();
  Told again;
  nodes.client.async_connect(kServer, again.handler());
  REQUIRE(nodes.run_until([&] { return bool(again); }));
  CHECK(*again.error == error_code());
  CHECK(nodes.client.is_open());
}

TEST_CASE("a reset by the peer ends reads and writes", "[api][stream]") {
  Connected nodes;
  std::array<char, 8> buffer{};
  Told read;
  Told write;
  nodes.client.async_read_some(asio::buffer(buffer), read.handler());
  nodes.server.abort();
  REQUIRE(nodes.run_until([&] { return bool(read); }));
  CHECK(*read.error == error::connection_reset);
  nodes.client.async_write_some(asio::buffer("x", 1), write.handler());
  REQUIRE(nodes.run_until([&] { return bool(write); }));
  CHECK(*write.error == error::connection_reset);
  CHECK(nodes.client.is_open());
  nodes.client.close();
  nodes.run_for(1s);
  CHECK(nodes.a.runtime.socket_count() == 0);
}

TEST_CASE("a peer that vanishes is a timeout of the connection", "[api][stream]") {
  dataplane::tcp::Config tcp;
  tcp.user_timeout = 5s;
  Connected nodes(kServer, tcp);
  std::array<char, 8> buffer{};
  Told read;
  nodes.is_cut = true;
  nodes.client.async_write_some(asio::buffer("x", 1), asio::detached);
  nodes.client.async_read_some(asio::buffer(buffer), read.handler());
  REQUIRE(nodes.run_until([&] { return bool(read); }));
  CHECK(*read.error == error::timed_out);
}

TEST_CASE("operations on a stream that is not open are refused", "[api][stream]") {
  TwoNodes nodes;
  Stream stream(nodes.a.runtime);
  std::array<char, 8> buffer{};
  Told read;
  Told info;
  stream.async_read_some(asio::buffer(buffer), read.handler());
  stream.async_info([&](error_code why, const SocketInfo&) { info.error = why; });
  REQUIRE(nodes.run_until([&] { return read && info; }, 1s));
  CHECK(*read.error == error::bad_descriptor);
  CHECK(*info.error == error::bad_descriptor);
  CHECK(!stream.info());
}

TEST_CASE("closing the stream ends what is pending", "[api][stream]") {
  Connected nodes;
  std::array<char, 8> buffer{};
  Told read;
  nodes.client.async_read_some(asio::buffer(buffer), read.handler());
  SECTION("by close") { nodes.client.close(); }
  SECTION("by abort") { nodes.client.abort(); }
  SECTION("by destruction") { const Stream gone = std::move(nodes.client); }
  SECTION("by assignment") { nodes.client = Stream(nodes.a.runtime); }
  REQUIRE(nodes.run_until([&] { return bool(read); }, 1s));
  CHECK(*read.error == error::operation_aborted);
  CHECK(nodes.a.runtime.socket_count() == 0);
}

TEST_CASE("what was written before the stream was closed is delivered", "[api][stream]") {
  Connected nodes;
  const std::string sent = pattern(200'000);
  std::string received;
  Told end;
  asio::async_write(nodes.client, asio::buffer(sent),
                    [&](error_code, std::size_t) { nodes.client.close(); });
  asio::async_read(nodes.server, asio::dynamic_buffer(received), end.handler());
  REQUIRE(nodes.run_until([&] { return bool(end); }));
  CHECK(*end.error == error::eof);
  CHECK((received == sent));  // Without printing them.
}

TEST_CASE("a writer waits for a reader that does not read", "[api][stream]") {
  Connected nodes;
  const std::string sent = pattern(64UL << 20);
  std::string received(sent.size(), 0);
  Told written;
  asio::async_write(nodes.client, asio::buffer(sent), written.handler());
  nodes.run_for(30s);
  REQUIRE(!written);
  Told read;
  asio::async_read(nodes.server, asio::buffer(received), read.handler());
  REQUIRE(nodes.run_until([&] { return written && read; }));
  CHECK((received == sent));  // Without printing them.
}

TEST_CASE("received packets are taken without a copy", "[api][stream]") {
  Connected nodes;
  const std::string sent = pattern(100'000);
  std::string received;
  Told written;
  asio::async_write(nodes.client, asio::buffer(sent), written.handler());
  Told end;
  std::function<void(error_code)> drain = [&](error_code why) {
    REQUIRE(!why);
    while (Packet packet = nodes.server.socket().read_packet())
      received.append(reinterpret_cast<const char*>(packet.begin()), packet.size());
    if (nodes.server.socket().at_end_of_stream()) return end.handler()(error_code());
    nodes.server.async_wait(asio::socket_base::wait_read, drain);
  };
  nodes.server.async_wait(asio::socket_base::wait_read, drain);
  REQUIRE(nodes.run_until([&] { return bool(written); }));
  nodes.client.shutdown();
  REQUIRE(nodes.run_until([&] { return bool(end); }));
  CHECK((received == sent));  // Without printing them.
}

TEST_CASE("waiting for room ends when a write would not wait", "[api][stream]") {
  Connected nodes;
  Told ready;
  nodes.client.async_wait(asio::socket_base::wait_write, ready.handler());
  REQUIRE(nodes.run_until([&] { return bool(ready); }, 1s));

  const std::string octets = pattern(1UL << 20);
  std::size_t written = 0;
  std::size_t before = 0;
  do {
    before = written;
    asio::post(nodes.a.runtime.get_executor(), [&] {
      while (const std::size_t taken =
                 nodes.client.socket().write(std::as_bytes(std::span(octets))))
        written += taken;
    });
    nodes.run_for(2s);
  } while (written > before);

  Told again;
  nodes.client.async_wait(asio::socket_base::wait_write, again.handler());
  nodes.run_for(1s);
  CHECK(!again);
  std::string sink(32UL << 20, 0);
  asio::async_read(nodes.server, asio::buffer(sink), asio::detached);
  REQUIRE(nodes.run_until([&] { return bool(again); }));
  CHECK(*again.error == error_code());
}

TEST_CASE("counters of the connection are told to any thread", "[api][stream]") {
  Connected nodes;
  const std::string sent = pattern(5'000);
  asio::async_write(nodes.client, asio::buffer(sent), asio::detached);
  nodes.run_for(1s);
  Told told;
  nodes.client.async_info([&](error_code why, const SocketInfo& info) {
    told.error = why;
    CHECK(info.bytes_sent == 5'000);
    CHECK(info.bytes_acked == 5'000);
    CHECK(info.state == "ESTABLISHED");
  });
  REQUIRE(nodes.run_until([&] { return bool(told); }, 1s));
  CHECK(*told.error == error_code());
}

TEST_CASE("a runtime that ends frees what is pending without a call", "[api][runtime]") {
  auto nodes = std::make_unique<TwoNodes>();
  auto acceptor = std::make_shared<Acceptor>(nodes->b.runtime);
  error_code refused;
  acceptor->listen(kServer, refused);
  REQUIRE(!refused);
  auto stream = std::make_shared<Stream>(nodes->a.runtime);
  auto other = std::make_shared<Stream>(nodes->a.runtime);
  auto buffer = std::make_shared<std::array<char, 8>>();
  const std::weak_ptr<Acceptor> acceptor_left = acceptor;
  const std::weak_ptr<Stream> stream_left = stream;
  const std::weak_ptr<Stream> other_left = other;
  Stream accepted(nodes->b.runtime);
  acceptor->async_accept([&](error_code, Stream other_end) { accepted = std::move(other_end); });
  stream->async_connect(kServer, [](error_code) {});
  nodes->run_for(1s);
  REQUIRE(accepted.is_open());
  acceptor->async_accept([acceptor](error_code, const Stream&) { FAIL("called"); });
  // One operation that waits with a deadline, and one that was never started.
  stream->expires_after(3600s);
  stream->async_read_some(asio::buffer(*buffer),
                          [stream, buffer](error_code, std::size_t) { FAIL("called"); });
  nodes->run_for(1s);
  other->async_connect(kServer, [other](error_code) { FAIL("called"); });
  acceptor.reset();
  stream.reset();
  other.reset();
  nodes.reset();
  CHECK(acceptor_left.expired());
  CHECK(stream_left.expired());
  CHECK(other_left.expired());
}

TEST_CASE("an exception in a handler leaves poll and harms nothing else", "[api][runtime]") {
  Connected nodes;
  Told told;
  nodes.client.async_write_some(asio::buffer("x", 1),
                                [](error_code, std::size_t) { throw std::runtime_error("x"); });
  nodes.client.async_write_some(asio::buffer("y", 1), told.handler());
  CHECK_THROWS_AS(nodes.run_until([&] { return bool(told); }), std::runtime_error);
  REQUIRE(nodes.run_until([&] { return bool(told); }));
}

TEST_CASE("one turn does no more than its bounds allow", "[api][runtime]") {
  Connected nodes;
  std::size_t calls = 0;
  std::function<void()> again = [&] {
    ++calls;
    asio::post(nodes.a.runtime.get_executor(), again);
  };
  asio::post(nodes.a.runtime.get_executor(), again);
  CHECK(nodes.a.runtime.poll(nodes.now()));
  CHECK(calls == RuntimeOptions().max_completions);
}

}  // namespace
}  // namespace mptcp::api::test
