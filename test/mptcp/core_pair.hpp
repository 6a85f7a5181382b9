#pragma once

#include <functional>
#include <memory>
#include <vector>

#include <catch2/catch.hpp>

#include "dataplane/base/heap_packet_pool.hpp"
#include "mptcp/core.hpp"

namespace mptcp::test {

using dataplane::Duration;
using dataplane::FourTuple;
using dataplane::HeapPacketPool;
using dataplane::IpAddress;
using dataplane::Prefix;
using dataplane::SeqNum;
namespace net = dataplane::net;
namespace tcp = dataplane::tcp;

inline std::vector<std::byte> pattern(std::size_t length) {
  std::vector<std::byte> out(length);
  for (std::size_t i = 0; i < length; ++i)
    out[i] = static_cast<std::byte>((i * 2'654'435'761U) >> 13);
  return out;
}

/// A host of a test: a core with one port, 10.0.0.N and fd00::N.
struct TestHost {
  TestHost(std::uint8_t number, CoreConfig config)
      : core(with_port(number, std::move(config)), pool) {}

  static CoreConfig with_port(std::uint8_t number, CoreConfig config) {
    net::InterfaceConfig port;
    port.id = "p0";
    port.mac = {{2, 0, 0, 0, 0, number}};
    port.addresses.push_back(*Prefix::parse("10.0.0." + std::to_string(number) + "/24"));
    port.addresses.push_back(*Prefix::parse("fd00::" + std::to_string(number) + "/64"));
    config.ports = {port};
    config.seed = number;
    config.send_memory = 64UL << 20;
    return config;
  }

  HeapPacketPool pool{16'384};
  Core core;
};

/// Two hosts on a wire without delay or loss, in virtual time.
struct CorePair {
  explicit CorePair(const CoreConfig& config = {}) : a(1, config), b(2, config) {}

  TestHost a, b;
  Instant now = Instant(std::chrono::seconds(1'000));
  /// Whether a frame from a (direction 0) or b (1) is lost.
  std::function<bool(int direction)> drop;

  void exchange() {
    for (bool busy = true; busy;) {
      a.core.poll_transmit(now);
      b.core.poll_transmit(now);
      busy = carry(a, b, 0);
      busy = carry(b, a, 1) || busy;
    }
  }
  /// Lets `span` pass, in steps of what happens.
  void run(Duration span) {
    const Instant end = now + span;
    for (;;) {
      exchange();
      const Instant next = std::min({a.core.next_deadline(), b.core.next_deadline(), end});
      now = std::max(now + std::chrono::microseconds(1), next);
      a.core.on_deadline(now);
      b.core.on_deadline(now);
      if (now >= end) break;
    }
    exchange();
  }
  static std::vector<Event> events(TestHost& host) {
    std::vector<Event> out;
    while (auto event = host.core.next_event())
      out.push_back(*event);
    return out;
  }

 private:
  bool carry(TestHost& from, TestHost& to, int direction) {
    bool any = false;
    while (Packet sent = from.core.tx_queue(PortIndex{}).pop()) {
      any = true;
      if (drop && drop(direction)) continue;
      Packet frame = to.pool.alloc();
      REQUIRE(static_cast<bool>(frame));
      std::memcpy(frame.append(sent.size()), sent.begin(), sent.size());
      to.core.on_frames(now, PortIndex{}, std::span(&frame, 1));
    }
    return any;
  }
};

}  // namespace mptcp::test
