#include <array>
#include <memory>
#include <set>
#include <utility>

#include <catch2/catch.hpp>

#include "dataplane/net/steering.hpp"
#include "mptcp/visitor_table.hpp"
#include "test/mptcp/multipath_pair.hpp"

namespace mptcp::test {
namespace {

using namespace std::chrono_literals;
using dataplane::FourTuple;
using dataplane::IpAddress;

/// Which core a device gives a frame to.
enum class Device { HashesAsWeDo, HasOneQueue, HashesOtherwise };

/// A host with two ports and several cores, which pass frames to each other at once.
struct ManyCoreHost {
  ManyCoreHost(std::uint8_t number, std::uint16_t count, Device kind_of_device)
      : device(kind_of_device), steering(count) {
    for (std::uint16_t i = 0; i < count; ++i) {
      CoreConfig config = PortedHost::with_ports(number, 2, MultipathPair::multipath());
      config.core_index = i;
      config.core_count = count;
      config.seed = number * 100U + i;
      config.max_connections = 1'000;
      cores.push_back(std::make_unique<Core>(std::move(config), pool));
    }
  }
  void take(Instant now, PortIndex port, Packet frame) {
    std::size_t to = 0;
    if (device == Device::HashesOtherwise) to = frames_seen++ % cores.size();
    if (device == Device::HashesAsWeDo) to = owner_of(frame);
    cores[to]->on_frames(now, port, {&frame, 1});
    pass(now);
  }
  std::size_t owner_of(const Packet& frame) const {
    const std::byte* const at = frame.begin();
    if (frame.size() < 54 || at[23] != std::byte{6}) return 0;
    const auto word = [&](std::size_t offset) {
      return dataplane::load_be<std::uint32_t>(at + offset);
    };
    const std::uint32_t ports = word(34);
    return steering.owner_of({{IpAddress::v4(word(30)), static_cast<std::uint16_t>(ports)},
                              {IpAddress::v4(word(26)), static_cast<std::uint16_t>(ports >> 16)}});
  }
  void pass(Instant now) {
    for (bool busy = true; busy;) {
      busy = false;
      for (std::size_t from = 0; from < cores.size(); ++from) {
        while (auto foreign = cores[from]->next_foreign()) {
          busy = true;
          // A frame that goes from core to core for ever would hang here.
          REQUIRE(++passed < 1'000'000);
          if (foreign->owner != Core::Foreign::kEveryCore) {
            cores[foreign->owner]->on_passed_frames(now, foreign->port, {&foreign->frame, 1});
            continue;
          }
          for (std::size_t to = 0; to < cores.size(); ++to) {
            if (to == from) continue;
            Packet copy = pool.alloc();
            std::memcpy(copy.append(foreign->frame.size()), foreign->frame.begin(),
                        foreign->frame.size());
            cores[to]->on_shared_frames(now, foreign->port, {&copy, 1});
          }
        }
      }
    }
  }
  Instant next_deadline() const {
    Instant next = dataplane::kNever;
    for (const auto& core : cores)
      next = std::min(next, core->next_deadline());
    return next;
  }

  HeapPacketPool pool{16'384};
  Device device;
  net::Steering steering;
  std::vector<std::unique_ptr<Core>> cores;
  std::size_t frames_seen = 0;
  std::size_t passed = 0;
};

struct TwoHosts {
  TwoHosts(std::uint16_t server_cores, Device device)
      : client(1, 1, Device::HasOneQueue), server(2, server_cores, device) {}

  void run(Duration span) {
    for (const Instant end = now + span; now < end;) {
      bool busy = carry(client, server);
      busy = carry(server, client) || busy;
      if (busy) continue;
      now = std::max(now + 10us, std::min({client.next_deadline(), server.next_deadline(), end}));
      for (ManyCoreHost* host : {&client, &server}) {
        for (auto& core : host->cores)
          core->on_deadline(now);
        host->pass(now);
      }
    }
  }
  bool carry(ManyCoreHost& from, ManyCoreHost& to) {
    bool any = false;
    for (auto& core : from.cores) {
      core->poll_transmit(now);
      for (const PortIndex port : {PortIndex{0}, PortIndex{1}}) {
        while (Packet sent = core->tx_queue(port).pop()) {
          any = true;
          Packet frame = to.pool.alloc();
          REQUIRE(static_cast<bool>(frame));
          std::memcpy(frame.append(sent.size()), sent.begin(), sent.size());
          to.take(now, port, std::move(frame));
        }
      }
    }
    return any;
  }

  Instant now = Instant(1'000s);
  ManyCoreHost client;
  ManyCoreHost server;
};

TEST_CASE("a join finds its connection from every core to every core",
          "[mptcp][core][steering][rfc8684-3.2]") {
  const std::uint16_t count = GENERATE(std::uint16_t{2}, std::uint16_t{3});
  const Device device =
      GENERATE(Device::HashesAsWeDo, Device::HasOneQueue, Device::HashesOtherwise);
  TwoHosts hosts(count, device);
  std::vector<SocketId> listeners;
  for (auto& core : hosts.server.cores)
    listeners.push_back(*core->listen(*Endpoint::parse("0.0.0.0:80")));
  const auto octets = noise(20'000);
  std::set<std::pair<std::size_t, std::size_t>> placements;
  Core& client = *hosts.client.cores[0];
  for (int i = 0; i < 40; ++i) {
    const SocketId socket = *client.connect(
        hosts.now, {.remote = *Endpoint::parse("10.0.0.2:80"), .local = {}, .tcp = {}});
    hosts.run(200ms);
    REQUIRE(client.info(socket)->subflows.size() == 2);
    CHECK(client.write(hosts.now, socket, octets) == octets.size());
    hosts.run(50ms);
    for (std::size_t home = 0; home < count; ++home) {
      Core& core = *hosts.server.cores[home];
      const auto accepted = core.accept(listeners[home]);
      if (!accepted) continue;
      const auto info = core.info(*accepted);
      REQUIRE(info->subflows.size() == 2);
      placements.emplace(home, hosts.server.steering.owner_of(info->subflows[1].tuple));
      std::vector<std::byte> got;
      while (Packet packet = core.read_packet(hosts.now, *accepted))
        got.insert(got.end(), packet.data().begin(), packet.data().end());
      CHECK(got == octets);
      core.close(hosts.now, *accepted);
    }
    client.close(hosts.now, socket);
  }
  CHECK(placements.size() == std::size_t{count} * count);
  hosts.run(3min);
  for (auto& core : hosts.server.cores) {
    CHECK(core->connection_count() == 0);
    CHECK(core->stats().mptcp.mp_join_no_token_found == 0);
    CHECK(core->stats().segments_without_connection == 0);
  }
  CHECK(client.connection_count() == 0);
}

TEST_CASE("visitors are known until they are too many", "[mptcp][core][steering]") {
  VisitorTable table(64, 1);
  const auto flow = [](std::uint16_t port) {
    return FourTuple{*Endpoint::parse("10.0.0.2:80"), {IpAddress::v4(0x0a00'0001), port}};
  };
  const Instant now{1s};
  for (std::uint16_t i = 0; i < 64; ++i)
    table.add(flow(i), i % 3, now + i * 1ms);
  CHECK(table.find(flow(5), now + 1s) == 2);
  table.add(flow(5), 1, now + 1s);
  CHECK(table.size() == 64);
  CHECK(table.find(flow(5), now + 1s) == 1);
  for (std::uint16_t i = 64; i < 96; ++i)
    table.add(flow(i), 1, now + 2s);
  CHECK(table.size() == 64);
  // Whoever spoke last stays.
  CHECK(table.find(flow(95), now + 2s) == 1);
  table.erase(flow(95));
  CHECK_FALSE(table.find(flow(95), now + 2s));
}

}  // namespace
}  // namespace mptcp::test
