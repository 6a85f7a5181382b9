#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <rte_ethdev.h>

#include "dataplane/base/packet.hpp"
#include "dataplane/dpdk/device_string.hpp"
#include "dataplane/dpdk/eal.hpp"
#include "dataplane/dpdk/node_config.hpp"
#include "dataplane/dpdk/packet_pool.hpp"
#include "dataplane/dpdk/port_info.hpp"
#include "dataplane/net/host.hpp"

namespace dataplane::dpdk {

/// Frames that one call of a driver moves at most.
inline constexpr std::size_t kBurst = 64;

/// A device, started: queues, offloads, link. Queue i belongs to core i; a device with fewer queues
/// than cores serves the first cores, and they forward.
class Port {
 public:
  /// `device` is what adapt_device() gave for `config`; `pools` has one pool per core, whose
  /// packets are at least data_room_for() long.
  static OrMessage<std::unique_ptr<Port>> open(Eal& eal, const PortConfig& config,
                                               const DeviceString& device,
                                               std::span<const std::unique_ptr<MbufPool>> pools);
  /// Stops the device and gives its packets back.
  ~Port();
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  std::uint16_t rx_queue_count() const { return rx_queues_; }
  std::uint16_t tx_queue_count() const { return tx_queues_; }
  const MacAddress& mac() const { return mac_; }
  const net::Offloads& offloads() const { return offloads_; }
  bool is_link_up() const;

  /// Puts received frames into `out`, whose handles are empty, and returns how many. Each is
  /// contiguous.
  std::size_t rx_burst(std::uint16_t queue, std::span<Packet> out) {
    // Only what the driver wrote is read: filling it would cost each empty poll.
    std::array<rte_mbuf*, kBurst> burst;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    const std::uint16_t count =
        rte_eth_rx_burst(port_id_, queue, burst.data(),
                         static_cast<std::uint16_t>(std::min(out.size(), burst.size())));
    if (count == 0) return 0;
    return accept(queue, {burst.data(), count}, out);
  }

  /// Gives the device what it takes from the front of `frames` and returns how many that were;
  /// those are its own now.
  std::size_t tx_burst(std::uint16_t queue, std::span<rte_mbuf*> frames);

  PortInfo describe() const;
  PortStats stats() const;

 private:
  /// Counters of one queue, written by one core.
  struct alignas(64) QueueStats {
    std::uint64_t rx_frames = 0;
    std::uint64_t rx_bytes = 0;
    std::uint64_t tx_frames = 0;
    std::uint64_t tx_bytes = 0;
    std::uint64_t rx_linearised = 0;
    std::uint64_t rx_too_long = 0;
    std::uint64_t tx_refusals = 0;
    std::uint64_t tx_unsendable = 0;
  };

  Port(Eal& eal, const PortConfig& config, const DeviceString& device);
  OrMessage<void> attach();
  OrMessage<void> configure(std::size_t cores);
  void choose_offloads(rte_eth_conf& conf);
  void choose_rss(rte_eth_conf& conf, std::size_t cores);
  OrMessage<void> set_up_queues(std::span<const std::unique_ptr<MbufPool>> pools);
  int set_up_tx_queue(std::uint16_t queue, unsigned numa, rte_eth_txconf tx);
  OrMessage<void> start();
  void set_mtu();
  void choose_mac();
  void spread_over_queues();
  std::string message(std::string_view what, int error) const;
  std::size_t accept(std::uint16_t queue, std::span<rte_mbuf*> burst, std::span<Packet> out);
  bool linearise(rte_mbuf* mbuf, QueueStats& stats);
  std::size_t prepare(std::uint16_t queue, std::span<rte_mbuf*> frames);

  Eal& eal_;
  PortConfig config_;
  DeviceString device_;
  std::uint16_t port_id_ = RTE_MAX_ETHPORTS;
  bool attached_here_ = false;
  bool started_ = false;
  std::uint16_t rx_queues_ = 1;
  std::uint16_t tx_queues_ = 1;
  std::uint16_t rx_descriptors_ = 0;
  std::uint16_t tx_descriptors_ = 0;
  bool rss_ = false;
  bool prepares_tx_ = false;  ///< Its driver may want to correct what it is given.
  net::Offloads offloads_;
  MacAddress mac_;
  rte_eth_dev_info device_info_{};
  std::vector<std::uint8_t> rss_key_;
  std::uint64_t rx_offloads_ = 0;
  std::uint64_t tx_offloads_ = 0;
  std::vector<std::string> notes_;
  std::vector<QueueStats> queue_stats_;
};

}  // namespace dataplane::dpdk
