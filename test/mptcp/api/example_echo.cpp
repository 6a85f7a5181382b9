// A server that sends back what it reads, and a client of it. Both run here, on two nodes that a
// wire in memory joins; on ports of the machine dataplane::dpdk::Node takes the place of main()'s
// loop.
#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "dataplane/base/heap_packet_pool.hpp"
#include "mptcp/api/acceptor.hpp"
#include "mptcp/api/asio_stream.hpp"
#include "mptcp/core.hpp"

namespace asio = boost::asio;
using mptcp::api::Acceptor;
using mptcp::api::Stream;
using namespace std::chrono_literals;

constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);

asio::awaitable<void> echo(Stream stream) {
  std::vector<char> buffer(64UL << 10);
  for (;;) {
    stream.expires_after(30s);
    const auto [error, octets] = co_await stream.async_read_some(asio::buffer(buffer), kNoThrow);
    if (error) co_return;  // asio::error::eof when the peer has sent all.
    co_await asio::async_write(stream, asio::buffer(buffer, octets), asio::use_awaitable);
  }
}

asio::awaitable<void> serve(Acceptor& acceptor) {
  for (;;) {
    Stream stream = co_await acceptor.async_accept(asio::use_awaitable);
    asio::co_spawn(acceptor.get_executor(), echo(std::move(stream)), asio::detached);
  }
}

asio::awaitable<void> ask(mptcp::api::Runtime& runtime, std::string question, std::string& answer) {
  Stream stream(runtime);
  stream.expires_after(10s);
  const auto where = mptcp::Endpoint::parse("10.9.0.2:7");
  co_await stream.async_connect(*where, asio::use_awaitable);
  co_await asio::async_write(stream, asio::buffer(question), asio::use_awaitable);
  stream.shutdown();
  co_await asio::async_read(stream, asio::dynamic_buffer(answer), kNoThrow);
}

struct Node {
  Node(const char* address, std::uint8_t number, dataplane::PacketPool& pool)
      : core(config(address, number), pool) {}
  static mptcp::CoreConfig config(const char* address, std::uint8_t number) {
    mptcp::CoreConfig config;
    auto& port = config.ports.emplace_back();
    port.id = "p0";
    port.mac.octets = {2, 0, 0, 0, 0, number};
    port.addresses = {*dataplane::Prefix::parse(address)};
    return config;
  }
  void turn(dataplane::Instant now, Node& peer) {
    constexpr dataplane::PortIndex kPort{0};
    while (!peer.core.tx_queue(kPort).empty()) {
      mptcp::Packet frame = peer.core.tx_queue(kPort).pop();
      core.on_frames(now, kPort, {&frame, 1});
    }
    core.on_deadline(now);
    runtime.poll(now);
    core.poll_transmit(now);
  }
  mptcp::Core core;
  mptcp::api::Runtime runtime{core};
};

int main() {
  dataplane::HeapPacketPool pool(4'096);
  Node server("10.9.0.2/24", 2, pool);
  Node client("10.9.0.1/24", 1, pool);

  Acceptor acceptor(server.runtime);
  mptcp::api::error_code error;
  acceptor.listen(*mptcp::Endpoint::parse("0.0.0.0:7"), error);
  if (error) {
    std::fprintf(stderr, "cannot listen: %s\n", error.message().c_str());
    return 1;
  }
  asio::co_spawn(server.runtime.get_executor(), serve(acceptor), asio::detached);

  bool done = false;
  std::string answer;
  asio::co_spawn(client.runtime.get_executor(), ask(client.runtime, "ahoy", answer),
                 [&](std::exception_ptr failure) { done = !failure; });

  for (dataplane::Instant now{1s}; !done && now < dataplane::Instant{60s}; now += 10us) {
    server.turn(now, client);
    client.turn(now, server);
  }
  std::printf("%s\n", answer.c_str());
  return answer == "ahoy" ? 0 : 1;
}
