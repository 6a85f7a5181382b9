#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>

#include "test/mptcp/api/certificate.hpp"
#include "test/mptcp/api/connected.hpp"

namespace mptcp::api::test {
namespace {

namespace ssl = asio::ssl;

/// A connection with TLS at both ends, before its handshake.
struct Secured {
  /// `client` trusts the server's certificate.
  explicit Secured(bool trusts = true) {
    make_certificate(server_context, trusts ? client_context : other_context);
    client_context.set_verify_mode(ssl::verify_peer);
    client.emplace(std::move(nodes.client), client_context);
    server.emplace(std::move(nodes.server), server_context);
    client->async_handshake(ssl::stream_base::client, greeted.handler());
    server->async_handshake(ssl::stream_base::server, welcomed.handler());
    REQUIRE(nodes.run_until([&] { return bool(greeted); }));
  }

  Connected nodes;
  ssl::context server_context{ssl::context::tls_server};
  ssl::context client_context{ssl::context::tls_client};
  ssl::context other_context{ssl::context::tls_client};
  std::optional<ssl::stream<Stream>> client;
  std::optional<ssl::stream<Stream>> server;
  Told greeted;
  Told welcomed;
};

TEST_CASE("TLS runs over a stream: handshake, transfer both ways, shutdown", "[api][ssl]") {
  Secured tls;
  REQUIRE(tls.nodes.run_until([&] { return bool(tls.welcomed); }));
  REQUIRE(*tls.greeted.error == error_code());
  REQUIRE(*tls.welcomed.error == error_code());
  Connected& nodes = tls.nodes;
  ssl::stream<Stream>& client = *tls.client;
  ssl::stream<Stream>& server = *tls.server;

  const std::string sent = pattern(4UL << 20);
  std::string at_server(sent.size(), 0);
  std::string at_client(sent.size(), 0);
  std::array<Told, 4> told;
  asio::async_write(client, asio::buffer(sent), told[0].handler());
  asio::async_read(server, asio::buffer(at_server), told[1].handler());
  asio::async_write(server, asio::buffer(sent), told[2].handler());
  asio::async_read(client, asio::buffer(at_client), told[3].handler());
  REQUIRE(nodes.run_until([&] { return told[0] && told[1] && told[2] && told[3]; }));
  CHECK((at_server == sent));  // Without printing them.
  CHECK((at_client == sent));  // Without printing them.

  Told closed;
  Told end;
  Told answered;
  std::array<char, 8> buffer{};
  client.async_shutdown(closed.handler());
  server.async_read_some(asio::buffer(buffer), [&](error_code why, std::size_t octets) {
    end.handler()(why, octets);
    server.async_shutdown(answered.handler());
  });
  REQUIRE(nodes.run_until([&] { return closed && end && answered; }));
  CHECK(*closed.error == error_code());
  CHECK(*end.error == asio::error::eof);
  CHECK(*answered.error == error_code());
}

TEST_CASE("TLS with a certificate that the client does not trust fails", "[api][ssl]") {
  Secured tls(false);
  CHECK(tls.greeted.error->category() == asio::error::get_ssl_category());
  tls.client->lowest_layer().close();
  REQUIRE(tls.nodes.run_until([&] { return bool(tls.welcomed); }));
  CHECK(*tls.welcomed.error != error_code());
}

TEST_CASE("TLS that is cut off without a farewell says so", "[api][ssl]") {
  Secured tls;
  REQUIRE(tls.nodes.run_until([&] { return bool(tls.welcomed); }));
  Told read;
  std::array<char, 8> buffer{};
  tls.server->async_read_some(asio::buffer(buffer), read.handler());
  tls.client->lowest_layer().shutdown();
  REQUIRE(tls.nodes.run_until([&] { return bool(read); }));
  CHECK(*read.error == ssl::error::stream_truncated);
}

}  // namespace
}  // namespace mptcp::api::test
