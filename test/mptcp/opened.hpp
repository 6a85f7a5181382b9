#pragma once

#include <vector>

#include "test/mptcp/multipath_pair.hpp"

namespace mptcp::test {

using namespace std::chrono_literals;

inline std::vector<std::byte> noise(std::size_t length) {
  std::vector<std::byte> out(length);
  for (std::size_t i = 0; i < length; ++i)
    out[i] = static_cast<std::byte>((i * 2'654'435'761U) >> 13);
  return out;
}

/// A connection of both hosts, and what was read from it.
struct Opened {
  explicit Opened(MultipathPair& hosts, const char* remote = "10.0.0.2:80") : pair(hosts) {
    const SocketId listener = *pair.b.core.listen(*Endpoint::parse("0.0.0.0:80"));
    client = *pair.a.core.connect(pair.now,
                                  {.remote = *Endpoint::parse(remote), .local = {}, .tcp = {}});
    pair.run(200ms);
    const auto accepted = pair.b.core.accept(listener);
    REQUIRE(accepted);
    server = *accepted;
  }
  /// Moves octets from one to the other; true when all came, in order and unchanged.
  bool transfer(Core& from, SocketId source, Core& to, SocketId sink, std::size_t length,
                Duration limit = 60s) {
    const auto octets = noise(length);
    std::size_t written = 0;
    std::vector<std::byte> got;
    for (const Instant end = pair.now + limit; got.size() < length && pair.now < end;) {
      written += from.write(pair.now, source, std::span(octets).subspan(written));
      pair.run(1ms);
      while (Packet packet = to.read_packet(pair.now, sink))
        got.insert(got.end(), packet.data().begin(), packet.data().end());
    }
    return got == octets;
  }
  bool up(std::size_t length) { return transfer(pair.a.core, client, pair.b.core, server, length); }
  bool down(std::size_t length) {
    return transfer(pair.b.core, server, pair.a.core, client, length);
  }

  MultipathPair& pair;
  SocketId client{};
  SocketId server{};
};

}  // namespace mptcp::test
