#include "dataplane/dpdk/port.hpp"

#include <array>
#include <cstring>

#include <fmt/format.h>
#include <rte_dev.h>
#include <rte_errno.h>

#include "dataplane/dpdk/host_facts.hpp"
#include "dataplane/dpdk/port_setup.hpp"
#include "dataplane/net/steering.hpp"

namespace dataplane::dpdk {
namespace {

/// Octets of the Toeplitz key of a device that does not say.
constexpr std::size_t kUsualKeyLength = 40;

}  // namespace

Port::Port(Eal& eal, const PortConfig& config, const DeviceString& device)
    : eal_(eal), config_(config), device_(device) {}

OrMessage<std::unique_ptr<Port>> Port::open(Eal& eal, const PortConfig& config,
                                            const DeviceString& device,
                                            std::span<const std::unique_ptr<MbufPool>> pools) {
  ASSERT(!pools.empty());
  std::unique_ptr<Port> port(new Port(eal, config, device));
  eal.clear_log();
  auto done = port->attach();
  if (done) done = port->configure(pools.size());
  if (done) done = port->set_up_queues(pools);
  if (done) done = port->start();
  if (!done) return tl::unexpected(done.error());
  return port;
}

Port::~Port() {
  if (port_id_ == RTE_MAX_ETHPORTS) return;
  if (started_) rte_eth_dev_stop(port_id_);
  if (attached_here_) {
    rte_device* const device = device_info_.device;
    rte_eth_dev_close(port_id_);
    if (device != nullptr) rte_dev_remove(device);
  }
}

std::string Port::message(std::string_view what, int error) const {
  const std::string log = eal_.log_tail();
  return fmt::format("port {}: device \"{}\" {}: {}{}{}", config_.id, device_.to_string(), what,
                     rte_strerror(error < 0 ? -error : error),
                     log.empty() ? "" : "; DPDK says: ", log);
}

OrMessage<void> Port::attach() {
  // A port may exist: a PCI device was probed at EAL's start, and tests make devices of their own.
  if (rte_eth_dev_get_port_by_name(device_.name().c_str(), &port_id_) == 0) {
    attached_here_ = device_.is_pci();
  } else {
    const int error = rte_dev_probe(device_.to_string().c_str());
    if (error != 0 || rte_eth_dev_get_port_by_name(device_.name().c_str(), &port_id_) != 0) {
      port_id_ = RTE_MAX_ETHPORTS;
      return tl::unexpected(message("cannot be opened", error) + attach_remedy(device_));
    }
    attached_here_ = true;
  }
  if (const int error = rte_eth_dev_info_get(port_id_, &device_info_); error != 0)
    return tl::unexpected(message("says nothing about itself", error));
  return {};
}

OrMessage<void> Port::configure(std::size_t cores) {
  const auto wanted = static_cast<std::uint16_t>(cores);
  rx_queues_ = std::min(wanted, std::max<std::uint16_t>(device_info_.max_rx_queues, 1));
  tx_queues_ = std::min(wanted, std::max<std::uint16_t>(device_info_.max_tx_queues, 1));
  if (rx_queues_ < wanted)
    notes_.push_back(fmt::format("{} receive queues for {} cores: core 0 forwards to the others",
                                 rx_queues_, cores));
  rte_eth_conf conf{};
  conf.rxmode.mq_mode = RTE_ETH_MQ_RX_NONE;
  conf.txmode.mq_mode = RTE_ETH_MQ_TX_NONE;
  choose_offloads(conf);
  choose_rss(conf, cores);
  int error = rte_eth_dev_configure(port_id_, rx_queues_, tx_queues_, &conf);
  if (error != 0 && rss_) {
    // Some virtual devices announce RSS and refuse it (virtio without a control queue).
    rss_ = false;
    conf.rxmode.mq_mode = RTE_ETH_MQ_RX_NONE;
    conf.rx_adv_conf.rss_conf = {};
    error = rte_eth_dev_configure(port_id_, rx_queues_, tx_queues_, &conf);
    notes_.emplace_back("the device refuses RSS: cores forward what reaches the wrong one");
  }
  if (error != 0) return tl::unexpected(message("refuses its configuration", error));
  queue_stats_.resize(std::max(rx_queues_, tx_queues_));
  return {};
}

void Port::choose_offloads(rte_eth_conf& conf) {
  const std::uint64_t rx = device_info_.rx_offload_capa;
  const std::uint64_t tx = device_info_.tx_offload_capa;
  constexpr std::uint64_t kRxChecksums =
      RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM;
  rx_offloads_ = rx & kRxChecksums;
  if (config_.vlan) rx_offloads_ |= rx & RTE_ETH_RX_OFFLOAD_VLAN_STRIP;
  tx_offloads_ = tx & (RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM);
  const bool tx_tcp = (tx & RTE_ETH_TX_OFFLOAD_TCP_CKSUM) != 0;
  if (tx_tcp) tx_offloads_ |= tx & (RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_MULTI_SEGS);
  // A virtual device inserts the tag by moving the frame: we write it where it belongs at once.
  if (config_.vlan && device_.is_pci()) tx_offloads_ |= tx & RTE_ETH_TX_OFFLOAD_VLAN_INSERT;
  prepares_tx_ = device_.is_pci();
  conf.rxmode.offloads = rx_offloads_;
  conf.txmode.offloads = tx_offloads_;
  offloads_.tx_ipv4_checksum = (tx_offloads_ & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM) != 0;
  offloads_.tx_tcp_checksum = tx_tcp;
  offloads_.tx_vlan = (tx_offloads_ & RTE_ETH_TX_OFFLOAD_VLAN_INSERT) != 0;
  offloads_.rx_vlan_strip = (rx_offloads_ & RTE_ETH_RX_OFFLOAD_VLAN_STRIP) != 0;
  offloads_.tso = (tx_offloads_ & RTE_ETH_TX_OFFLOAD_TCP_TSO) != 0;
}

void Port::choose_rss(rte_eth_conf& conf, std::size_t cores) {
  if (cores < 2 || rx_queues_ < 2) return;
  constexpr std::uint64_t kTcp = RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV6_TCP;
  const std::uint64_t types = device_info_.flow_type_rss_offloads & kTcp;
  // What the software computes for a flow, so that the device gives most frames to the core that
  // owns them.
  const auto key = net::Steering::rss_key();
  const std::size_t length =
      device_info_.hash_key_size == 0 ? kUsualKeyLength : device_info_.hash_key_size;
  if (types == 0 || length > key.size()) {
    notes_.emplace_back("no RSS over TCP: cores forward what reaches the wrong one");
    return;
  }
  rss_key_.assign(key.begin(), key.begin() + static_cast<std::ptrdiff_t>(length));
  conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
  conf.rx_adv_conf.rss_conf.rss_key = rss_key_.data();
  conf.rx_adv_conf.rss_conf.rss_key_len = static_cast<std::uint8_t>(rss_key_.size());
  conf.rx_adv_conf.rss_conf.rss_hf = types;
  rss_ = true;
}

OrMessage<void> Port::set_up_queues(std::span<const std::unique_ptr<MbufPool>> pools) {
  rx_descriptors_ = config_.rx_descriptors;
  tx_descriptors_ = config_.tx_descriptors;
  int error = rte_eth_dev_adjust_nb_rx_tx_desc(port_id_, &rx_descriptors_, &tx_descriptors_);
  if (error != 0) return tl::unexpected(message("refuses its queue lengths", error));
  const int socket = rte_eth_dev_socket_id(port_id_);
  const auto numa = static_cast<unsigned>(socket < 0 ? SOCKET_ID_ANY : socket);
  rte_eth_txconf tx = device_info_.default_txconf;
  tx.offloads = tx_offloads_;
  for (std::uint16_t queue = 0; queue < tx_queues_; ++queue) {
    error = set_up_tx_queue(queue, numa, tx);
    if (error != 0) return tl::unexpected(message("refuses a transmit queue", error));
  }
  rte_eth_rxconf rx = device_info_.default_rxconf;
  rx.offloads = rx_offloads_;
  for (std::uint16_t queue = 0; queue < rx_queues_; ++queue) {
    error = rte_eth_rx_queue_setup(port_id_, queue, rx_descriptors_, numa, &rx,
                                   pools[queue]->mempool());
    if (error != 0) return tl::unexpected(message("refuses a receive queue", error));
  }
  return {};
}

int Port::set_up_tx_queue(std::uint16_t queue, unsigned numa, rte_eth_txconf tx) {
  const std::uint16_t usual = tx.tx_free_thresh;
  // virtio takes sent packets back only when fewer descriptors than the threshold are free: by
  // default nearly none, so that a whole ring of packets passes through the cache. A high threshold
  // brings a packet back while it is still warm. How long the ring is only its end knows: where the
  // threshold is beyond it, the driver says so.
  constexpr std::uint16_t kPacketsKept = 64;
  constexpr std::array<std::uint16_t, 4> kRings{1024, 512, 256, 128};
  if (std::string_view(device_info_.driver_name).starts_with("net_virtio")) {
    for (const std::uint16_t ring : kRings) {
      tx.tx_free_thresh = static_cast<std::uint16_t>(ring - kPacketsKept);
      if (rte_eth_tx_queue_setup(port_id_, queue, tx_descriptors_, numa, &tx) == 0) return 0;
    }
  }
  tx.tx_free_thresh = usual;
  return rte_eth_tx_queue_setup(port_id_, queue, tx_descriptors_, numa, &tx);
}

void Port::set_mtu() {
  const int error = rte_eth_dev_set_mtu(port_id_, config_.mtu);
  if (error == 0) return;
  std::uint16_t current = 0;
  rte_eth_dev_get_mtu(port_id_, &current);
  // Packet sockets announce a frame of 1,518 octets and pass longer ones all the same.
  if (current >= config_.mtu || device_.driver() == "net_af_packet") return;
  notes_.push_back(fmt::format("the device does not set an MTU of {} ({}); it says {}", config_.mtu,
                               rte_strerror(-error), current));
}

OrMessage<void> Port::start() {
  set_mtu();
  if (const int error = rte_eth_dev_start(port_id_); error != 0)
    return tl::unexpected(message("does not start", error));
  started_ = true;
  // Neighbour Discovery comes by multicast. A device that filters none needs no switch.
  if (rte_eth_allmulticast_enable(port_id_) != 0 && rte_eth_promiscuous_enable(port_id_) != 0 &&
      device_.is_pci())
    notes_.emplace_back(
        "the device takes neither all multicast nor promiscuous mode: IPv6 may not work");
  choose_mac();
  if (rss_) spread_over_queues();
  eal_.clear_log();
  return {};
}

void Port::spread_over_queues() {
  const net::Steering steering(rx_queues_);
  const std::uint16_t size = device_info_.reta_size;
  if (size == 0) return;
  std::vector<rte_eth_rss_reta_entry64> table((size + RTE_ETH_RETA_GROUP_SIZE - 1U) /
                                              RTE_ETH_RETA_GROUP_SIZE);
  for (std::uint16_t bucket = 0; bucket < size; ++bucket) {
    rte_eth_rss_reta_entry64& group = table[bucket / RTE_ETH_RETA_GROUP_SIZE];
    const unsigned at = bucket % RTE_ETH_RETA_GROUP_SIZE;
    group.mask |= std::uint64_t{1} << at;
    group.reta[at] = steering.reta()[bucket % net::Steering::kRetaSize];
  }
  if (rte_eth_dev_rss_reta_update(port_id_, table.data(), size) != 0)
    notes_.emplace_back("the device keeps its own table from hash to queue");
}

void Port::choose_mac() {
  rte_ether_addr address{};
  rte_eth_macaddr_get(port_id_, &address);
  std::memcpy(mac_.octets.data(), address.addr_bytes, mac_.octets.size());
  // The kernel sees the frames of a packet socket too. On a veth, which passes every address, a
  // neighbouring address makes it drop them at first sight, as another host's: a fifth of the cost
  // of a frame, and it answers for nothing.
  const auto facts = interface_facts(device_.value_of("iface").value_or(""));
  if (device_.driver() == "net_af_packet" && facts && facts->driver == "veth")
    mac_.octets[5] ^= 0x80;
}

bool Port::is_link_up() const {
  rte_eth_link link{};
  return rte_eth_link_get_nowait(port_id_, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

std::size_t Port::accept(std::uint16_t queue, std::span<rte_mbuf*> burst, std::span<Packet> out) {
  QueueStats& stats = queue_stats_[queue];
  std::size_t count = 0;
  for (rte_mbuf* mbuf : burst) {
    if (mbuf->nb_segs != 1 && !linearise(mbuf, stats)) [[unlikely]]
      continue;
    stats.rx_bytes += mbuf->data_len;
    out[count++] = Packet(mbuf);
  }
  stats.rx_frames += count;
  return count;
}

bool Port::linearise(rte_mbuf* mbuf, QueueStats& stats) {
  if (rte_pktmbuf_linearize(mbuf) == 0) {
    ++stats.rx_linearised;
    return true;
  }
  rte_pktmbuf_free(mbuf);
  ++stats.rx_too_long;
  return false;
}

std::size_t Port::tx_burst(std::uint16_t queue, std::span<rte_mbuf*> frames) {
  QueueStats& stats = queue_stats_[queue];
  std::uint64_t bytes = 0;
  for (const rte_mbuf* mbuf : frames)
    bytes += mbuf->pkt_len;
  std::size_t ready = std::min<std::size_t>(frames.size(), 0xffff);
  if (prepares_tx_) {
    ready = prepare(queue, frames.first(ready));
    if (ready == 0) {
      // The driver will never take the first one, and the others must not wait for ever behind it.
      rte_pktmbuf_free(frames.front());
      ++stats.tx_unsendable;
      return 1;
    }
  }
  const std::size_t taken =
      rte_eth_tx_burst(port_id_, queue, frames.data(), static_cast<std::uint16_t>(ready));
  for (const rte_mbuf* mbuf : frames.subspan(taken))
    bytes -= mbuf->pkt_len;
  stats.tx_bytes += bytes;
  stats.tx_frames += taken;
  stats.tx_refusals += taken < ready ? 1 : 0;
  return taken;
}

std::size_t Port::prepare(std::uint16_t queue, std::span<rte_mbuf*> frames) {
  return rte_eth_tx_prepare(port_id_, queue, frames.data(),
                            static_cast<std::uint16_t>(frames.size()));
}

PortStats Port::stats() const {
  PortStats total;
  for (const QueueStats& queue : queue_stats_) {
    total.rx_frames += queue.rx_frames;
    total.rx_bytes += queue.rx_bytes;
    total.tx_frames += queue.tx_frames;
    total.tx_bytes += queue.tx_bytes;
    total.rx_linearised += queue.rx_linearised;
    total.rx_too_long += queue.rx_too_long;
    total.tx_refusals += queue.tx_refusals;
    total.tx_unsendable += queue.tx_unsendable;
  }
  rte_eth_stats device{};
  if (rte_eth_stats_get(port_id_, &device) == 0) {
    total.device_rx_missed = device.imissed + device.rx_nombuf;
    total.device_rx_errors = device.ierrors;
    total.device_tx_errors = device.oerrors;
  }
  return total;
}

PortInfo Port::describe() const {
  PortInfo info;
  info.id = config_.id;
  info.device = device_.to_string();
  info.driver = device_info_.driver_name == nullptr ? "" : device_info_.driver_name;
  info.bus_info = device_.name();
  info.mac = mac_;
  info.mtu = config_.mtu;
  info.max_mtu = device_info_.max_mtu;
  info.rx_queues = rx_queues_;
  info.tx_queues = tx_queues_;
  info.max_rx_queues = device_info_.max_rx_queues;
  info.max_tx_queues = device_info_.max_tx_queues;
  info.rx_descriptors = rx_descriptors_;
  info.tx_descriptors = tx_descriptors_;
  info.numa_node = rte_eth_dev_socket_id(port_id_);
  rte_eth_link link{};
  if (rte_eth_link_get_nowait(port_id_, &link) == 0) {
    info.link_up = link.link_status == RTE_ETH_LINK_UP;
    info.speed_mbps = link.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN ? 0 : link.link_speed;
  }
  info.offloads = offload_table(device_info_, rx_offloads_, tx_offloads_, rss_);
  info.notes = notes_;
  return info;
}

}  // namespace dataplane::dpdk
