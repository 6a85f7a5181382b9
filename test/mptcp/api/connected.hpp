#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <catch2/catch.hpp>

#include "mptcp/api/acceptor.hpp"
#include "mptcp/api/asio_stream.hpp"
#include "test/mptcp/api/two_nodes.hpp"

namespace mptcp::api::test {

namespace asio = boost::asio;

/// What a handler was told; a handler that is called twice is a failure.
struct Told {
  std::optional<error_code> error;
  std::size_t octets = 0;

  auto handler() {
    return [this](error_code why, std::size_t count = 0) {
      REQUIRE(!error);
      error = why;
      octets = count;
    };
  }
  explicit operator bool() const { return error.has_value(); }
};

/// Two nodes with one connection between them, made by a.
struct Connected : TwoNodes {
  explicit Connected(const Endpoint& where = kServer,
                     const std::optional<dataplane::tcp::Config>& tcp = std::nullopt) {
    error_code refused;
    acceptor.listen(where, refused, tcp);
    REQUIRE(!refused);
    Told connected;
    Told accepted;
    acceptor.async_accept([&](error_code why, Stream stream) {
      accepted.error = why;
      server = std::move(stream);
    });
    client.async_connect(Core::ConnectOptions{.remote = where, .local = {}, .tcp = tcp},
                         connected.handler());
    REQUIRE(run_until([&] { return connected && accepted; }));
    REQUIRE(*connected.error == error_code());
    REQUIRE(*accepted.error == error_code());
  }

  Acceptor acceptor{b.runtime};
  Stream client{a.runtime};
  Stream server{b.runtime};
};

/// Octets that differ from one place to the next, so that a shift or a loss shows.
inline std::string pattern(std::size_t size) {
  std::string octets(size, '\0');
  std::uint32_t state = 1;
  for (char& octet : octets) {
    state = state * 1'664'525 + 1'013'904'223;
    octet = static_cast<char>(state >> 24);
  }
  return octets;
}

}  // namespace mptcp::api::test
