#include "dataplane/dpdk/platform.hpp"

#include <algorithm>
#include <atomic>
#include <sys/random.h>

#include <fmt/format.h>

#include "dataplane/base/assert.hpp"

namespace dataplane::dpdk {
namespace {

/// Of the memory, what drivers and DPDK itself take.
constexpr std::size_t kReserve = 8UL << 20;
/// Packets of one core beyond what its queues hold: sent and not acknowledged, received and not
/// read.
constexpr std::size_t kWorkingPackets = 2048;
/// Frames that wait for a device, per port and core (net::HostConfig::tx_queue_frames).
constexpr std::size_t kWaitingFrames = 1024;

std::size_t least_packets(const NodeConfig& config) {
  std::size_t count = kWorkingPackets + RTE_MEMPOOL_CACHE_MAX_SIZE;
  for (const PortConfig& port : config.ports)
    count += std::size_t{port.rx_descriptors} + port.tx_descriptors + kWaitingFrames;
  return count;
}

/// Pool names are unique within EAL.
std::string next_pool_name() {
  static std::atomic<unsigned> count = 0;
  return fmt::format("hawser_{}", count.fetch_add(1));
}

std::uint64_t seed_from_system() {
  std::uint64_t seed = 0;
  ASSERT(::getrandom(&seed, sizeof seed, 0) == static_cast<ssize_t>(sizeof seed));
  return seed;
}

}  // namespace

EalConfig eal_config_of(const NodeConfig& config) {
  EalConfig eal;
  eal.cores = config.cores;
  eal.memory = config.memory;
  eal.hugepages = config.hugepages;
  for (const PortConfig& port : config.ports) {
    const auto device = DeviceString::parse(port.device);
    if (device && device->is_pci()) eal.pci_devices.push_back(device->to_string());
  }
  return eal;
}

Platform::Platform(Eal& eal, const NodeConfig& config)
    : eal_(eal), config_(config), mesh_(std::max<std::size_t>(config.cores.size(), 1)) {}

OrMessage<std::unique_ptr<Platform>> Platform::start(Eal& eal, const NodeConfig& config) {
  if (const auto ok = validate(config); !ok) return tl::unexpected(ok.error());
  ASSERT(eal.core_count() >= std::max<std::size_t>(config.cores.size(), 1));
  std::unique_ptr<Platform> platform(new Platform(eal, config));
  auto done = platform->open_ports();
  if (done) done = platform->start_capture();
  if (!done) return tl::unexpected(done.error());
  return platform;
}

OrMessage<void> Platform::open_ports() {
  std::vector<DeviceString> devices;
  std::uint32_t data_room = 0;
  for (const PortConfig& port : config_.ports) {
    auto device = adapt_device(port, mesh_.core_count());
    if (!device) return tl::unexpected(device.error());
    data_room = std::max(data_room, data_room_for(*device, port.mtu));
    devices.push_back(*std::move(device));
  }
  if (auto ok = make_pools(data_room); !ok) return ok;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    auto port = Port::open(eal_, config_.ports[i], devices[i], pools_);
    if (!port) return tl::unexpected(port.error());
    ports_.push_back(*std::move(port));
  }
  return {};
}

OrMessage<void> Platform::make_pools(std::uint32_t data_room) {
  const std::size_t cores = mesh_.core_count();
  const std::size_t each = MbufPool::bytes_per_packet(data_room);
  const std::size_t usable = (config_.memory - kReserve) / 16 * 15;
  const std::size_t count = usable / each / cores;
  const std::size_t least = least_packets(config_);
  if (count < least)
    return tl::unexpected(
        fmt::format("memory = {} MiB holds {} packets of {} octets per core, but {} port(s) need "
                    "at least {}; set "
                    "memory = \"{}MiB\" or more",
                    config_.memory >> 20, count, data_room, config_.ports.size(), least,
                    ((least * each * cores / 15 * 16 + kReserve) >> 20) + 1));
  for (std::size_t core = 0; core < cores; ++core) {
    auto pool = MbufPool::create(next_pool_name(), {.count = count, .data_room = data_room});
    if (!pool) return tl::unexpected(pool.error());
    pools_.push_back(*std::move(pool));
  }
  return {};
}

OrMessage<void> Platform::start_capture() {
  if (!config_.capture) return {};
  std::vector<Capture::Interface> interfaces;
  for (const PortConfig& port : config_.ports)
    interfaces.push_back({port.id, port.device});
  auto capture =
      Capture::start(*config_.capture, eal_, clock_, std::move(interfaces), core_count());
  if (!capture) return tl::unexpected(capture.error());
  capture_ = *std::move(capture);
  return {};
}

CoreSeat Platform::seat(std::size_t core) const {
  CoreSeat seat;
  seat.core_index = static_cast<std::uint16_t>(core);
  seat.core_count = static_cast<std::uint16_t>(core_count());
  seat.seed = seed_from_system();
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    const PortConfig& port = config_.ports[i];
    seat.ports.push_back({.id = port.id,
                          .mac = ports_[i]->mac(),
                          .addresses = port.addresses,
                          .gateway_v4 = port.gateway_v4,
                          .gateway_v6 = port.gateway_v6,
                          .mtu = port.mtu,
                          .vlan = port.vlan,
                          .backup = port.backup,
                          .offloads = ports_[i]->offloads()});
  }
  return seat;
}

}  // namespace dataplane::dpdk
