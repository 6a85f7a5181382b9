#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <catch2/catch.hpp>

#include "mptcp/api/beast_teardown.hpp"
#include "test/mptcp/api/connected.hpp"

namespace mptcp::api::test {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;

TEST_CASE("requests and answers of Boost.Beast travel over a kept connection", "[api][beast]") {
  Connected nodes;
  const std::string body = pattern(3UL << 20);
  struct Server {
    Stream& stream;
    const std::string& body;
    beast::flat_buffer buffer{};
    http::request<http::empty_body> request{};
    http::response<http::string_body> response{};
    std::size_t served = 0;
    bool ended = false;

    void serve() {
      request = {};
      http::async_read(stream, buffer, request, [this](error_code why, std::size_t) {
        if (why) {
          ended = why == http::error::end_of_stream;
          return;
        }
        ++served;
        response = {http::status::ok, 11, body + std::string(request.target())};
        response.prepare_payload();
        http::async_write(stream, response, [this](error_code failed, std::size_t) {
          REQUIRE(!failed);
          serve();
        });
      });
    }
  } server{nodes.server, body};
  server.serve();

  beast::flat_buffer buffer;
  for (const std::string target : {"/first", "/second"}) {
    http::request<http::empty_body> request{http::verb::get, target, 11};
    http::response_parser<http::string_body> parser;
    parser.body_limit(16UL << 20);
    Told written;
    Told read;
    http::async_write(nodes.client, request, written.handler());
    http::async_read(nodes.client, buffer, parser, read.handler());
    REQUIRE(nodes.run_until([&] { return written && read; }));
    CHECK(*read.error == error_code());
    CHECK((parser.get().body() == body + target));  // Without printing them.
  }
  beast::close_socket(beast::get_lowest_layer(nodes.client));
  REQUIRE(nodes.run_until([&] { return server.ended; }));
  CHECK(server.served == 2);
}

TEST_CASE("a WebSocket is opened, used and closed in good order", "[api][beast]") {
  Connected nodes;
  websocket::stream<Stream> client(std::move(nodes.client));
  websocket::stream<Stream> server(std::move(nodes.server));
  Told accepted;
  Told opened;
  server.async_accept(accepted.handler());
  client.async_handshake("10.0.0.2", "/", opened.handler());
  REQUIRE(nodes.run_until([&] { return accepted && opened; }));
  REQUIRE(*opened.error == error_code());

  beast::flat_buffer message;
  Told sent;
  Told received;
  client.async_write(asio::buffer("all hands", 9), sent.handler());
  server.async_read(message, received.handler());
  REQUIRE(nodes.run_until([&] { return sent && received; }));
  CHECK(beast::buffers_to_string(message.data()) == "all hands");

  Told closed;
  Told end;
  client.async_close(websocket::close_code::normal, closed.handler());
  server.async_read(message, end.handler());
  REQUIRE(nodes.run_until([&] { return closed && end; }));
  CHECK(*closed.error == error_code());
  CHECK(*end.error == websocket::error::closed);
  CHECK(!client.next_layer().is_open());
}

}  // namespace
}  // namespace mptcp::api::test
