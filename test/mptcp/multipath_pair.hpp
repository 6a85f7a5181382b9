#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "dataplane/base/heap_packet_pool.hpp"
#include "mptcp/core.hpp"

namespace mptcp::test {

namespace net = dataplane::net;
namespace tcp = dataplane::tcp;
using dataplane::Duration;
using dataplane::HeapPacketPool;

/// A host of a test with several ports: 10.0.P.N on port P.
struct PortedHost {
  PortedHost(std::uint8_t number, std::uint8_t ports, CoreConfig config)
      : core(with_ports(number, ports, std::move(config)), pool) {}

  static CoreConfig with_ports(std::uint8_t number, std::uint8_t ports, CoreConfig config) {
    for (std::uint8_t p = 0; p < ports; ++p) {
      net::InterfaceConfig port;
      port.id = "p" + std::to_string(p);
      port.mac = {{2, 0, 0, 0, p, number}};
      port.addresses.push_back(*dataplane::Prefix::parse("10.0." + std::to_string(p) + "." +
                                                         std::to_string(number) + "/24"));
      config.ports.push_back(port);
    }
    config.seed = number;
    config.send_memory = 64UL << 20;
    return config;
  }

  HeapPacketPool pool{16'384};
  Core core;
};

/// Two hosts with as many wires between them as they have ports, each with a delay of its own.
struct MultipathPair {
  explicit MultipathPair(std::uint8_t path_count = 2, const CoreConfig& config = multipath(),
                         const CoreConfig& config_b = multipath())
      : paths(path_count), a(1, path_count, config), b(2, path_count, config_b) {
    delay.resize(path_count, std::chrono::milliseconds(1));
    dead.resize(path_count, false);
    held.resize(path_count, false);
    carried.resize(path_count, 0);
  }

  static CoreConfig multipath() {
    CoreConfig config;
    config.mptcp.enabled = true;
    return config;
  }

  std::uint8_t paths;
  PortedHost a, b;
  Instant now = Instant(std::chrono::seconds(1'000));
  std::vector<Duration> delay;
  std::vector<bool> dead;
  std::vector<bool> held;              ///< The devices take nothing, and keep what waits.
  std::vector<std::uint64_t> carried;  ///< Octets of frames, both ways.
  /// May change a frame; false loses it.
  std::function<bool(int direction, std::size_t path, std::vector<std::byte>& frame)> box;

  void run(Duration span) {
    const Instant end = now + span;
    for (;;) {
      turn(a, 0);
      turn(b, 1);
      const Instant next = std::min({a.core.next_deadline(), b.core.next_deadline(), end,
                                     wires.empty() ? end : wires.begin()->first});
      if (next >= end) break;
      now = std::max(now + std::chrono::microseconds(1), next);
      deliver();
      a.core.on_deadline(now);
      b.core.on_deadline(now);
    }
    now = end;
  }
  static std::vector<Event> events(PortedHost& host) {
    std::vector<Event> out;
    while (auto event = host.core.next_event())
      out.push_back(*event);
    return out;
  }

 private:
  struct Flight {
    int direction;
    std::size_t path;
    std::vector<std::byte> octets;
  };
  std::multimap<Instant, Flight> wires;

  void turn(PortedHost& host, int direction) {
    host.core.poll_transmit(now);
    for (std::size_t p = 0; p < paths; ++p) {
      if (held[p]) continue;
      while (Packet sent = host.core.tx_queue(static_cast<PortIndex>(p)).pop()) {
        std::vector<std::byte> octets(sent.begin(), sent.begin() + sent.size());
        if (dead[p] || (box && !box(direction, p, octets))) continue;
        carried[p] += octets.size();
        wires.emplace(now + delay[p], Flight{direction, p, std::move(octets)});
      }
    }
  }
  void deliver() {
    while (!wires.empty() && wires.begin()->first <= now) {
      // What arrives at one time by one wire comes in one burst.
      const Instant at = wires.begin()->first;
      const int direction = wires.begin()->second.direction;
      const std::size_t path = wires.begin()->second.path;
      PortedHost& to = direction == 0 ? b : a;
      std::vector<Packet> burst;
      while (!wires.empty() && wires.begin()->first == at &&
             wires.begin()->second.direction == direction && wires.begin()->second.path == path) {
        const std::vector<std::byte> octets = std::move(wires.begin()->second.octets);
        wires.erase(wires.begin());
        burst.push_back(to.pool.alloc());
        REQUIRE(static_cast<bool>(burst.back()));
        std::memcpy(burst.back().append(static_cast<std::uint32_t>(octets.size())), octets.data(),
                    octets.size());
      }
      to.core.on_frames(now, static_cast<PortIndex>(path), burst);
    }
  }
};

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
    pair.run(std::chrono::milliseconds(200));
    const auto accepted = pair.b.core.accept(listener);
    REQUIRE(accepted);
    server = *accepted;
  }
  /// Moves octets from one to the other; true when all came, in order and unchanged.
  bool transfer(Core& from, SocketId source, Core& to, SocketId sink, std::size_t length,
                Duration limit = std::chrono::seconds(60)) {
    const auto octets = noise(length);
    std::size_t written = 0;
    std::vector<std::byte> got;
    for (const Instant end = pair.now + limit; got.size() < length && pair.now < end;) {
      written += from.write(pair.now, source, std::span(octets).subspan(written));
      pair.run(std::chrono::milliseconds(1));
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
