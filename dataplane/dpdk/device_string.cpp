#include "dataplane/dpdk/device_string.hpp"

#include <algorithm>
#include <bit>
#include <sys/stat.h>

#include <fmt/format.h>

#include "dataplane/base/decimal.hpp"
#include "dataplane/dpdk/host_facts.hpp"

namespace dataplane::dpdk {
namespace {

/// Ethernet header, a VLAN tag and its reserve: what a frame has beyond the IP packet.
constexpr std::uint32_t kFrameOverhead = 14 + 4 + 4;
/// What the kernel puts before a frame in a packet socket's ring (tpacket2_hdr and sockaddr_ll),
/// rounded up.
constexpr std::uint32_t kRingFrameOverhead = 128;
/// A card's receive buffers come in whole KiB, and what is over is left unused. A virtual device
/// takes any size, and dense packets are worth having: the fewer pages they lie on, the fewer
/// entries of the TLB a copy takes.
constexpr std::uint32_t kSmallestDataRoomOfCard = 2048;
constexpr std::uint32_t kSmallestDataRoom = 1536;

std::uint32_t frame_length(std::uint16_t mtu) { return mtu + kFrameOverhead; }

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// [dddd:]bb:dd.f
bool looks_like_pci(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot + 2 != name.size()) return false;
  const auto colons = std::count(name.begin(), name.end(), ':');
  return (colons == 1 || colons == 2) &&
         std::ranges::all_of(name, [](char c) { return is_hex(c) || c == ':' || c == '.'; });
}

/// The kernel would answer for an address that it has too, with a reset for each segment.
OrMessage<void> check_kernel_addresses(const PortConfig& port) {
  for (const Prefix& prefix : port.addresses) {
    const auto holder = interface_with(prefix.address);
    if (holder)
      return tl::unexpected(
          fmt::format("port {}: the kernel has {} on its interface {} and would answer for it; run "
                      "`ip address del {} dev "
                      "{}`, or give the port another address",
                      port.id, prefix.address.to_string(), *holder, prefix.to_string(), *holder));
  }
  return {};
}

OrMessage<DeviceString> adapt_af_packet(const PortConfig& port, DeviceString device,
                                        std::size_t cores) {
  const auto iface = device.value_of("iface");
  if (!iface)
    return tl::unexpected(
        fmt::format("port {}: device \"{}\" names no interface; write net_af_packet0,iface=NAME, "
                    "with one of {}",
                    port.id, port.device, interface_names()));
  const auto facts = interface_facts(*iface);
  if (!facts)
    return tl::unexpected(fmt::format(
        "port {}: there is no network interface \"{}\" in this network namespace; there is {}",
        port.id, *iface, interface_names()));
  if (!may_open_packet_sockets())
    return tl::unexpected(fmt::format(
        "port {}: packet sockets need root rights (or the capability CAP_NET_RAW); use sudo",
        port.id));
  if (!facts->is_up)
    return tl::unexpected(fmt::format("port {}: the interface {} is down; run `ip link set {} up`",
                                      port.id, *iface, *iface));
  if (facts->mtu < port.mtu)
    return tl::unexpected(
        fmt::format("port {}: mtu = {}, but the interface {} has {}; run `ip link set {} mtu {}`, "
                    "on its peer too",
                    port.id, port.mtu, *iface, facts->mtu, *iface, port.mtu));
  if (const auto ok = check_kernel_addresses(port); !ok) return tl::unexpected(ok.error());
  const std::uint32_t need = frame_length(port.mtu) + kRingFrameOverhead;
  const std::uint32_t frame = std::max<std::uint32_t>(2048, std::bit_ceil(need));
  device.set_default("framesz", std::to_string(frame));
  if (device.number_of("framesz").value_or(0) < need)
    return tl::unexpected(
        fmt::format("port {}: framesz must be at least {} for mtu = {}", port.id, need, port.mtu));
  // Blocks are pieces of contiguous kernel memory; 64 KiB is had even on a host that runs for
  // months.
  device.set_default("blocksz", std::to_string(std::max<unsigned long>(
                                    65'536, device.number_of("framesz").value_or(frame))));
  device.set_default("framecnt", std::to_string(port.rx_descriptors));
  device.set_default("qpairs", std::to_string(cores));
  return device;
}

/// The other side of a vhost-user socket, or ours.
OrMessage<DeviceString> adapt_vhost_user(const PortConfig& port, DeviceString device,
                                         std::string_view path_key, std::size_t cores) {
  const auto path = device.value_of(path_key);
  if (!path)
    return tl::unexpected(
        fmt::format("port {}: device \"{}\" names no socket; add {}=/run/NAME.sock", port.id,
                    port.device, path_key));
  const bool makes_socket = path_key == "iface" ? device.value_of("client").value_or("0") != "1"
                                                : device.value_of("server").value_or("0") == "1";
  struct stat about {};
  if (!makes_socket && ::stat(path->c_str(), &about) != 0)
    return tl::unexpected(
        fmt::format("port {}: there is no socket {}; start the other side first", port.id, *path));
  device.set_default("queues", std::to_string(cores));
  return device;
}

}  // namespace

OrMessage<DeviceString> DeviceString::parse(std::string_view text) {
  DeviceString device;
  const std::size_t comma = std::min(text.find(','), text.size());
  device.name_ = text.substr(0, comma);
  if (device.name_.empty()) return tl::unexpected(std::string("the device string is empty"));
  text.remove_prefix(std::min(comma + 1, text.size()));
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    const std::string_view argument = text.substr(0, end);
    const std::size_t equals = argument.find('=');
    if (equals == 0 || equals == std::string_view::npos)
      return tl::unexpected(
          fmt::format("\"{}\" in the device string is not of the form key=value", argument));
    device.arguments_.emplace_back(argument.substr(0, equals), argument.substr(equals + 1));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return device;
}

std::string DeviceString::driver() const {
  if (is_pci()) return {};
  const std::size_t last = name_.find_last_not_of("0123456789");
  return name_.substr(0, last == std::string::npos ? 0 : last + 1);
}

bool DeviceString::is_pci() const { return looks_like_pci(name_); }

std::optional<std::string> DeviceString::value_of(std::string_view key) const {
  for (const auto& [name, value] : arguments_)
    if (name == key) return value;
  return std::nullopt;
}

std::optional<unsigned long> DeviceString::number_of(std::string_view key) const {
  const auto text = value_of(key);
  if (!text) return std::nullopt;
  return parse_decimal<unsigned long>(*text);
}

void DeviceString::set_default(std::string_view key, std::string value) {
  if (!value_of(key)) arguments_.emplace_back(key, std::move(value));
}

std::string DeviceString::arguments() const {
  std::string text;
  for (const auto& [key, value] : arguments_)
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", key, value);
  return text;
}

std::string DeviceString::to_string() const {
  return arguments_.empty() ? name_ : name_ + "," + arguments();
}

OrMessage<DeviceString> adapt_device(const PortConfig& port, std::size_t cores) {
  auto device = DeviceString::parse(port.device);
  if (!device) return tl::unexpected(fmt::format("port {}: {}", port.id, device.error()));
  const std::string driver = device->driver();
  if (driver == "net_af_packet" || driver == "eth_af_packet")
    return adapt_af_packet(port, *std::move(device), cores);
  if (driver == "net_virtio_user" || driver == "virtio_user")
    return adapt_vhost_user(port, *std::move(device), "path", cores);
  if (driver == "net_vhost" || driver == "eth_vhost")
    return adapt_vhost_user(port, *std::move(device), "iface", cores);
  return device;
}

std::uint32_t data_room_for(const DeviceString& device, std::uint16_t mtu) {
  // net_af_packet copies a frame of its ring without asking whether the packet has the room.
  const auto ring_frame = static_cast<std::uint32_t>(
      std::min<unsigned long>(device.number_of("framesz").value_or(0), 32'768));
  const std::uint32_t least = device.is_pci() ? kSmallestDataRoomOfCard : kSmallestDataRoom;
  const std::uint32_t need = std::max({least, frame_length(mtu), ring_frame});
  return (need + 63) / 64 * 64;
}

}  // namespace dataplane::dpdk
