#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "dataplane/dpdk/node.hpp"
#include "test/dataplane/dpdk/echo_core.hpp"
#include "test/dataplane/dpdk/test_eal.hpp"

namespace dataplane::dpdk::test {
namespace {

using Catch::Matchers::Contains;
using EchoNode = Node<EchoCore>;
constexpr PortIndex kPort0{};

NodeConfig config_for(const std::string& device, int number) {
  NodeConfig config;
  config.memory = 64UL << 20;
  PortConfig port;
  port.id = "p" + std::to_string(number);
  port.device = device;
  port.addresses = {*Prefix::parse("10.9.0." + std::to_string(number + 1) + "/24")};
  config.ports = {port};
  return config;
}

OrMessage<std::unique_ptr<EchoNode>> start(const NodeConfig& config) {
  return EchoNode::start(eal(), config, [](const CoreSeat& seat, PacketPool& pool) {
    return std::make_unique<EchoCore>(seat, pool);
  });
}

/// Turns all nodes by hand until `done`, or for ten seconds: a peer's thread may take its time,
/// however many turns that is.
template <class Done>
bool turn_until(std::span<EchoNode* const> nodes, const Done& done) {
  NoApp app;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (std::chrono::steady_clock::now() < end) {
    for (EchoNode* node : nodes)
      node->turn(0, app);
    if (done()) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("a packet from the pool knows its way home, and the last one back goes out first",
          "[dpdk][packet_pool]") {
  eal();
  auto pool = MbufPool::create("test_pool", {.count = 2048, .data_room = 2048});
  REQUIRE(pool);
  const std::size_t all = (*pool)->available();
  CHECK(all == 2048);
  {
    // Packets lie close together, not one to a page: else their headers share one set of each
    // cache.
    Packet one = (*pool)->alloc();
    Packet two = (*pool)->alloc();
    const auto apart = std::abs(one.begin() - two.begin());
    CHECK(apart == static_cast<std::ptrdiff_t>(MbufPool::bytes_per_packet(2048)));
    CHECK(apart < 2560);
  }
  Packet packet = (*pool)->alloc();
  REQUIRE(static_cast<bool>(packet));
  CHECK(packet.headroom() == PacketPool::kHeadroom);
  CHECK(packet.tailroom() == 2048);
  CHECK(packet.size() == 0);
  CHECK((*pool)->available() == all - 1);
  const rte_mbuf* const mbuf = packet.mbuf();
  packet.reset();
  CHECK((*pool)->available() == all);
  Packet again = (*pool)->alloc();
  CHECK(again.mbuf() == mbuf);
  // A driver frees without knowing of us.
  rte_pktmbuf_free(again.release());
  CHECK((*pool)->available() == all);
}

TEST_CASE("an empty pool gives an empty handle", "[dpdk][packet_pool]") {
  eal();
  auto pool = MbufPool::create("test_small_pool", {.count = 1024, .data_room = 2048});
  REQUIRE(pool);
  // The last of a run, too, has none behind it to look ahead to.
  const bool in_run = GENERATE(false, true);
  std::vector<Packet> packets;
  while (Packet packet = in_run ? (*pool)->alloc_in_run(9000) : (*pool)->alloc())
    packets.push_back(std::move(packet));
  CHECK(packets.size() == 1024);
  CHECK((*pool)->available() == 0);
  packets.clear();
  CHECK((*pool)->available() == 1024);
}

TEST_CASE("a pool beyond the memory is refused with its size", "[dpdk][packet_pool]") {
  eal();
  const auto pool = MbufPool::create("test_huge_pool", {.count = 4'000'000, .data_room = 2048});
  REQUIRE_FALSE(pool);
  CHECK_THAT(pool.error(), Contains("no room for 4000000 packets") && Contains("memory"));
}

TEST_CASE("EAL starts once in a process", "[dpdk][eal]") {
  eal();
  const auto second = Eal::start({});
  REQUIRE_FALSE(second);
  CHECK_THAT(second.error(), Contains("once"));
}

TEST_CASE("a CPU that is not there is named, with those that are", "[dpdk][eal]") {
  EalConfig config;
  config.cores = {0, 900};
  const auto started = Eal::start(config);
  REQUIRE_FALSE(started);
  CHECK_THAT(started.error(), Contains("CPU 900") && Contains("may use 0"));
}

TEST_CASE("hugepages that are not free are asked for with the command that gets them",
          "[dpdk][eal]") {
  EalConfig config;
  config.hugepages = true;
  config.memory = 1UL << 44;
  const auto started = Eal::start(config);
  REQUIRE_FALSE(started);
  CHECK_THAT(started.error(), Contains("hugepages"));
}

TEST_CASE("the clock runs at the rate of the wall clock and never back", "[dpdk][clock]") {
  eal();
  const TscClock clock;
  const auto wall_start = std::chrono::steady_clock::now();
  const Instant start = clock.now();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const Duration ours = clock.now() - start;
  const Duration wall = std::chrono::steady_clock::now() - wall_start;
  CHECK(ours > 0.97 * wall);
  CHECK(ours < 1.03 * wall);
  CHECK(clock.at(0) <= clock.now());
}

TEST_CASE("a device that DPDK does not know is refused with those it knows", "[dpdk][port]") {
  const auto node = start(config_for("net_nonsense0", 0));
  REQUIRE_FALSE(node);
  CHECK_THAT(node.error(), Contains("port p0") && Contains("net_nonsense") &&
                               Contains("net_af_packet") && Contains("PCI address"));
}

TEST_CASE("a PCI device that is not there is refused with how to look", "[dpdk][port]") {
  const auto node = start(config_for("0000:ff:1f.7", 0));
  REQUIRE_FALSE(node);
  CHECK_THAT(node.error(), Contains("0000:ff:1f.7") && Contains("dpdk-devbind.py"));
}

TEST_CASE("memory that holds too few packets is refused with what is needed", "[dpdk][platform]") {
  NodeConfig config = config_for("net_null0", 0);
  config.memory = 32UL << 20;
  config.ports[0].rx_descriptors = 16'384;
  const auto node = start(config);
  REQUIRE_FALSE(node);
  CHECK_THAT(node.error(), Contains("memory = 32 MiB") && Contains("set memory = "));
}

TEST_CASE("frames travel between two nodes over rings and every packet comes home",
          "[dpdk][node]") {
  eal();
  const auto [left, right] = make_ring_pair();
  auto a = start(config_for(left, 0));
  auto b = start(config_for(right, 1));
  REQUIRE(a);
  REQUIRE(b);
  EchoCore& sender = (*a)->core(0);
  const std::size_t all = (*a)->pool(0).available();
  const auto length = GENERATE(as<std::uint32_t>{}, 60, 1514, 1536);
  constexpr unsigned kFrames = 700;
  for (unsigned i = 0; i < kFrames; ++i)
    REQUIRE(sender.send(kPort0, EchoCore::kEcho, length));
  const std::array<EchoNode*, 2> nodes = {a->get(), b->get()};
  CHECK(turn_until(nodes, [&] { return sender.kept() == kFrames; }));
  CHECK((*b)->core(0).received() == kFrames);
  CHECK(sender.last_length() == length);
  CHECK_FALSE(sender.time_went_back());
  CHECK((*a)->port_stats(kPort0).tx_frames == kFrames);
  CHECK((*a)->port_stats(kPort0).rx_bytes == kFrames * length);
  CHECK((*a)->loop_stats(0).busy_turns > 0);
  CHECK((*a)->pool(0).available() == all);
}

TEST_CASE("what a device refuses stays at the head and goes out later", "[dpdk][node]") {
  eal();
  const auto [left, right] = make_ring_pair();
  auto a = start(config_for(left, 0));
  REQUIRE(a);
  EchoCore& sender = (*a)->core(0);
  NoApp app;
  // The ring between them holds 1023 frames, and nobody empties it yet.
  constexpr unsigned kFrames = 1500;
  unsigned queued = 0;
  for (int round = 0; round < 3; ++round) {
    for (unsigned i = 0; i < 500; ++i)
      queued += sender.send(kPort0, EchoCore::kKeep) ? 1U : 0U;
    (*a)->turn(0, app);
  }
  REQUIRE(queued == kFrames);
  CHECK((*a)->port_stats(kPort0).tx_frames == 1023);
  CHECK((*a)->port_stats(kPort0).tx_refusals > 0);
  CHECK(sender.tx_queue(kPort0).size() == kFrames - 1023);
  auto b = start(config_for(right, 1));
  REQUIRE(b);
  const std::array<EchoNode*, 2> nodes = {a->get(), b->get()};
  CHECK(turn_until(nodes, [&] { return (*b)->core(0).kept() == kFrames; }));
}

TEST_CASE("run() sleeps when nothing happens, and wake() and stop() end the sleep",
          "[dpdk][node]") {
  eal();
  const auto [left, right] = make_ring_pair();
  NodeConfig config = config_for(left, 0);
  config.idle.longest_sleep = 2s;
  config.idle.shortest_sleep = 2s;
  auto node = start(config);
  REQUIRE(node);
  struct Counting {
    std::atomic<int> polls = 0;
    bool poll(Instant /*now*/) {
      ++polls;
      return false;
    }
  } app;
  const auto begin = std::chrono::steady_clock::now();
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    const int before = app.polls;
    (*node)->wake(0);
    while (app.polls == before)
      std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    (*node)->stop();
  });
  (*node)->run(app);
  other.join();
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(1));
  CHECK((*node)->loop_stats(0).sleeps >= 1);
}

TEST_CASE("a core spins on from the end of a long turn, not from its beginning", "[dpdk][node]") {
  eal();
  const auto [left, right] = make_ring_pair();
  NodeConfig config = config_for(left, 0);
  config.idle.spin = 30ms;
  auto node = start(config);
  REQUIRE(node);
  struct Working {
    EchoNode& node;
    int polls = 0;
    bool poll(Instant /*now*/) {
      const bool works = ++polls == 1;
      if (works) std::this_thread::sleep_for(std::chrono::milliseconds(35));
      if (!works) node.stop();
      return works;
    }
  } app{**node};
  (*node)->run(app);
  CHECK(app.polls == 2);
  CHECK((*node)->loop_stats(0).sleeps == 0);
}

TEST_CASE("two cores behind one queue: core 0 forwards both ways", "[dpdk][node][cores]") {
  if (eal().core_count() < 2) return;
  const auto [left, right] = make_ring_pair();
  NodeConfig config = config_for(right, 1);
  config.cores = {0, 1};
  auto a = start(config_for(left, 0));
  auto b = start(config);
  REQUIRE(a);
  REQUIRE(b);
  CHECK((*b)->describe(kPort0).notes.size() == 1);
  constexpr std::byte kForCore1{17};
  for (int i = 0; i < 10; ++i)
    REQUIRE((*a)->core(0).send(kPort0, EchoCore::kForAll));
  for (int i = 0; i < 100; ++i)
    REQUIRE((*a)->core(0).send(kPort0, kForCore1));
  // And core 1 sends, though the device has no queue for it.
  for (int i = 0; i < 50; ++i)
    REQUIRE((*b)->core(1).send(kPort0, EchoCore::kKeep));
  struct StopWhen {
    EchoNode* node;
    EchoCore* core;
    bool poll(Instant /*now*/) {
      if (core->kept() == 100 && core->shared() == 10) node->stop();
      return false;
    }
  };
  StopWhen on_core_1{b->get(), &(*b)->core(1)};
  struct Both {
    EchoNode* left_node;
    StopWhen* stop;
    NoApp none;
    bool poll(Instant now) {
      if (left_node != nullptr) return left_node->turn(0, none);
      return stop->poll(now);
    }
  };
  Both first{a->get(), nullptr, {}};
  Both second{nullptr, &on_core_1, {}};
  const std::array<Both*, 2> apps = {&first, &second};
  (*b)->run(std::span<Both* const>(apps));
  CHECK((*b)->core(0).received() == 110);
  CHECK((*b)->core(1).kept() == 100);
  CHECK((*b)->core(1).received() == 100);
  CHECK((*b)->loop_stats(0).frames_forwarded == 110);
  CHECK((*b)->loop_stats(0).frames_forward_dropped == 0);
  const std::array<EchoNode*, 2> nodes = {a->get(), b->get()};
  CHECK(turn_until(nodes, [&] { return (*a)->core(0).kept() == 50; }));
}

TEST_CASE("frames travel over veth through packet sockets", "[dpdk][node][root]") {
  if (!enter_own_namespace()) {
    WARN("not root: no veth");
    return;
  }
  const VethPair veth("dpdkt");
  auto a = start(config_for("net_af_packet0,iface=" + veth.left(), 0));
  REQUIRE(a);
  auto b = start(config_for("net_af_packet1,iface=" + veth.right(), 1));
  REQUIRE(b);
  EchoCore& sender = (*a)->core(0);
  for (unsigned i = 0; i < 300; ++i)
    REQUIRE(sender.send(kPort0, EchoCore::kEcho, 1514));
  const std::array<EchoNode*, 2> nodes = {a->get(), b->get()};
  CHECK(turn_until(nodes, [&] { return sender.kept() == 300; }));
  const PortInfo info = (*a)->describe(kPort0);
  CHECK(info.driver == "net_af_packet");
  CHECK(info.link_up);
  CHECK_FALSE(info.mac.is_zero());
  CHECK(info.mac == sender.seat().ports[0].mac);
  CHECK_FALSE(sender.seat().ports[0].offloads.tx_tcp_checksum);
  // Not the kernel's own, so that the kernel drops our frames at first sight and answers none.
  std::string mac;
  for (const std::uint8_t octet : info.mac.octets)
    mac += fmt::format("{}{:02x}", mac.empty() ? "" : ":", octet);
  CHECK_FALSE(run("ip link show | grep -q " + mac));
}

TEST_CASE("frames travel between virtio-user and vhost, without hugepages too", "[dpdk][node]") {
  eal();
  const std::string socket = (std::filesystem::temp_directory_path() /
                              ("hawser_vhost_" + std::to_string(::getpid()) + ".sock"))
                                 .string();
  // The back end makes the socket, so it is first.
  auto back = start(config_for("net_vhost0,iface=" + socket, 0));
  REQUIRE(back);
  auto front = start(config_for("net_virtio_user0,queue_size=256,path=" + socket, 1));
  REQUIRE(front);
  EchoCore& sender = (*front)->core(0);
  const std::array<EchoNode*, 2> nodes = {back->get(), front->get()};
  CHECK(turn_until(nodes, [&] { return (*back)->is_link_up(kPort0); }));
  for (unsigned i = 0; i < 600; ++i)
    REQUIRE(sender.send(kPort0, EchoCore::kEcho, 1514));
  CHECK(turn_until(nodes, [&] { return sender.kept() == 600; }));
  CHECK((*back)->describe(kPort0).driver == "net_vhost");
  CHECK((*front)->describe(kPort0).driver == "net_virtio_user");
  // The peer goes first: what is sent then waits or is refused, and nothing breaks.
  back->reset();
  for (unsigned i = 0; i < 600; ++i)
    sender.send(kPort0, EchoCore::kEcho, 1514);
  NoApp app;
  for (int i = 0; i < 100; ++i)
    (*front)->turn(0, app);
}

TEST_CASE("a jumbo MTU over packet sockets", "[dpdk][node][root]") {
  if (!enter_own_namespace()) return;
  const VethPair veth("dpdkj");
  NodeConfig left = config_for("net_af_packet2,iface=" + veth.left(), 0);
  NodeConfig right = config_for("net_af_packet3,iface=" + veth.right(), 1);
  left.ports[0].mtu = right.ports[0].mtu = 9000;
  left.memory = right.memory = 160UL << 20;
  const auto early = start(left);
  REQUIRE_FALSE(early);
  CHECK_THAT(early.error(),
             Contains("mtu = 9000") && Contains("ip link set " + veth.left() + " mtu 9000"));
  REQUIRE(run("ip link set " + veth.left() + " mtu 9000"));
  REQUIRE(run("ip link set " + veth.right() + " mtu 9000"));
  auto a = start(left);
  REQUIRE(a);
  auto b = start(right);
  REQUIRE(b);
  EchoCore& sender = (*a)->core(0);
  for (unsigned i = 0; i < 50; ++i)
    REQUIRE(sender.send(kPort0, EchoCore::kEcho, 9014));
  const std::array<EchoNode*, 2> nodes = {a->get(), b->get()};
  CHECK(turn_until(nodes, [&] { return sender.kept() == 50; }));
  CHECK(sender.last_length() == 9014);
}

TEST_CASE("an interface that is down, and an address that the kernel has", "[dpdk][port][root]") {
  if (!enter_own_namespace()) return;
  const VethPair veth("dpdkd");
  const NodeConfig config = config_for("net_af_packet4,iface=" + veth.left(), 0);
  REQUIRE(run("ip addr add 10.9.0.1/24 dev " + veth.left()));
  const auto taken = start(config);
  REQUIRE_FALSE(taken);
  CHECK_THAT(taken.error(), Contains("the kernel has 10.9.0.1") && Contains("ip address del"));
  REQUIRE(run("ip addr flush dev " + veth.left()));
  REQUIRE(run("ip link set " + veth.left() + " down"));
  const auto down = start(config);
  REQUIRE_FALSE(down);
  CHECK_THAT(down.error(), Contains("is down") && Contains("ip link set " + veth.left() + " up"));
}

TEST_CASE("tshark reads a capture, with directions and without a complaint", "[dpdk][capture]") {
  const auto file = std::filesystem::temp_directory_path() /
                    ("hawser_capture_" + std::to_string(::getpid()) + ".pcapng");
  {
    eal();
    const auto [left, right] = make_ring_pair();
    NodeConfig config = config_for(left, 0);
    config.capture = CaptureConfig{.path = file};
    auto a = start(config);
    auto b = start(config_for(right, 1));
    REQUIRE(a);
    REQUIRE(b);
    for (unsigned i = 0; i < 200; ++i)
      REQUIRE((*a)->core(0).send(kPort0, EchoCore::kEcho, 61 + i));
    const std::array<EchoNode*, 2> nodes = {a->get(), b->get()};
    REQUIRE(turn_until(nodes, [&] { return (*a)->core(0).kept() == 200; }));
  }
  CHECK(std::filesystem::file_size(file) > 400 * 61);
  if (run("tshark --version")) {
    const std::string read =
        "test $(tshark -r " + file.string() + " -T fields -e frame.packet_flags";
    CHECK(run("tshark -r " + file.string()));
    CHECK(run(read + " 2>&1 | grep -c 0x00000001) = 200"));
    CHECK(run(read + " 2>&1 | grep -c 0x00000002) = 200"));
  }
  std::filesystem::remove(file);
}

TEST_CASE("a capture that cannot be written is refused with the reason", "[dpdk][capture]") {
  eal();
  const auto [left, right] = make_ring_pair();
  NodeConfig config = config_for(left, 0);
  config.capture = CaptureConfig{.path = "/nowhere/at/all.pcapng"};
  const auto node = start(config);
  REQUIRE_FALSE(node);
  CHECK_THAT(node.error(), Contains("/nowhere/at/all.pcapng") && Contains("No such file"));
}

}  // namespace dataplane::dpdk::test
