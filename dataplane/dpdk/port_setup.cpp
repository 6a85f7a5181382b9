#include "dataplane/dpdk/port_setup.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

namespace dataplane::dpdk {
namespace {

constexpr std::array<std::string_view, 9> kVirtualDrivers = {
    "net_af_packet", "net_memif", "net_virtio_user", "net_vhost", "net_tap",
    "net_ring",      "net_pcap",  "net_null",        "net_af_xdp"};

}  // namespace

std::string attach_remedy(const DeviceString& device) {
  if (device.is_pci())
    return fmt::format("; is {} there and bound to vfio-pci? `dpdk-devbind.py --status` shows it",
                       device.name());
  if (std::ranges::find(kVirtualDrivers, device.driver()) == kVirtualDrivers.end())
    return fmt::format("; DPDK has no virtual device \"{}\": use a PCI address or one of {}",
                       device.driver(), fmt::join(kVirtualDrivers, ", "));
  return {};
}

std::vector<OffloadInfo> offload_table(const rte_eth_dev_info& device, std::uint64_t rx_used,
                                       std::uint64_t tx_used, bool rss_used) {
  std::vector<OffloadInfo> table;
  const auto rx = [&](const char* name, std::uint64_t bit) {
    table.push_back({name, (device.rx_offload_capa & bit) != 0, (rx_used & bit) != 0});
  };
  const auto tx = [&](const char* name, std::uint64_t bit) {
    table.push_back({name, (device.tx_offload_capa & bit) != 0, (tx_used & bit) != 0});
  };
  rx("rx-ipv4-checksum", RTE_ETH_RX_OFFLOAD_IPV4_CKSUM);
  rx("rx-tcp-checksum", RTE_ETH_RX_OFFLOAD_TCP_CKSUM);
  rx("rx-vlan-strip", RTE_ETH_RX_OFFLOAD_VLAN_STRIP);
  rx("lro", RTE_ETH_RX_OFFLOAD_TCP_LRO);
  tx("tx-ipv4-checksum", RTE_ETH_TX_OFFLOAD_IPV4_CKSUM);
  tx("tx-tcp-checksum", RTE_ETH_TX_OFFLOAD_TCP_CKSUM);
  tx("tx-vlan-insert", RTE_ETH_TX_OFFLOAD_VLAN_INSERT);
  tx("tso", RTE_ETH_TX_OFFLOAD_TCP_TSO);
  tx("multi-segment", RTE_ETH_TX_OFFLOAD_MULTI_SEGS);
  table.push_back({"rss", device.flow_type_rss_offloads != 0, rss_used});
  return table;
}

}  // namespace dataplane::dpdk
