#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/dpdk/capture.hpp"
#include "dataplane/dpdk/clock.hpp"
#include "dataplane/dpdk/eal.hpp"
#include "dataplane/dpdk/mesh.hpp"
#include "dataplane/dpdk/node_config.hpp"
#include "dataplane/dpdk/packet_pool.hpp"
#include "dataplane/dpdk/port.hpp"

namespace dataplane::dpdk {

/// The EAL that a node of this configuration needs.
EalConfig eal_config_of(const NodeConfig& config);

/// What one core is told when it is made.
struct CoreSeat {
  std::vector<net::InterfaceConfig> ports;  ///< With the MAC and the offloads of the real devices.
  std::uint16_t core_index = 0;
  std::uint16_t core_count = 1;
  std::uint64_t seed = 0;  ///< From the operating system, another one for each core.
};

/// Everything of a node that does not know what a core is: pools, ports, rings, clock, capture.
class Platform {
 public:
  static OrMessage<std::unique_ptr<Platform>> start(Eal& eal, const NodeConfig& config);
  Platform(const Platform&) = delete;
  Platform& operator=(const Platform&) = delete;

  std::size_t core_count() const { return pools_.size(); }
  CoreSeat seat(std::size_t core) const;
  MbufPool& pool(std::size_t core) { return *pools_[core]; }
  const std::vector<std::unique_ptr<Port>>& ports() const { return ports_; }
  Mesh& mesh() { return mesh_; }
  const TscClock& clock() const { return clock_; }
  const IdleConfig& idle() const { return config_.idle; }
  /// Null when nothing is captured.
  CaptureTap* tap(std::size_t core) { return capture_ ? &capture_->tap(core) : nullptr; }

 private:
  Platform(Eal& eal, const NodeConfig& config);
  OrMessage<void> make_pools(std::uint32_t data_room);
  OrMessage<void> open_ports();
  OrMessage<void> start_capture();

  Eal& eal_;
  NodeConfig config_;
  TscClock clock_;
  // Last in, first out: what holds packets goes before the pools do.
  std::vector<std::unique_ptr<MbufPool>> pools_;
  Mesh mesh_;
  std::vector<std::unique_ptr<Port>> ports_;
  std::unique_ptr<Capture> capture_;
};

}  // namespace dataplane::dpdk
