#include <string>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "apps/hawser/context.hpp"

namespace apps::hawser {

namespace {

using dataplane::dpdk::OffloadInfo;
using dataplane::dpdk::PortConfig;
using dataplane::dpdk::PortInfo;

std::string mac_of(const PortInfo& port) {
  return fmt::format("{:02x}", fmt::join(port.mac.octets, ":"));
}

std::string link_of(const PortInfo& port) {
  if (!port.link_up) return "down";
  return port.speed_mbps == 0 ? "up" : fmt::format("up, {} Mbit/s", port.speed_mbps);
}

/// The names of the offloads for which `wanted` holds, or a dash.
template <class Wanted>
std::string names(const PortInfo& port, Wanted wanted) {
  std::string text;
  for (const OffloadInfo& offload : port.offloads)
    if (wanted(offload)) text += (text.empty() ? "" : ", ") + offload.name;
  return text.empty() ? "-" : text;
}

void say_port(Reporter& reporter, const PortInfo& port, const PortConfig& config) {
  std::string addresses;
  for (const auto& prefix : config.addresses)
    addresses += (addresses.empty() ? "" : ", ") + prefix.to_string();
  std::string text = fmt::format("{}  {}\n", port.id, port.device);
  const auto row = [&](std::string_view name, std::string_view value) {
    text += fmt::format("    {:<12} {}\n", name, value);
  };
  row("driver", fmt::format("{} ({})", port.driver, port.bus_info));
  row("link", link_of(port));
  row("mac", mac_of(port));
  row("addresses", addresses);
  row("mtu", fmt::format("{} of {}", port.mtu, port.max_mtu));
  row("rx queues", fmt::format("{} of {}, {} descriptors", port.rx_queues, port.max_rx_queues,
                               port.rx_descriptors));
  row("tx queues", fmt::format("{} of {}, {} descriptors", port.tx_queues, port.max_tx_queues,
                               port.tx_descriptors));
  row("numa node", port.numa_node < 0 ? "any" : fmt::format("{}", port.numa_node));
  row("used", names(port, [](const OffloadInfo& o) { return o.used; }));
  row("not used", names(port, [](const OffloadInfo& o) { return o.present && !o.used; }));
  row("not there", names(port, [](const OffloadInfo& o) { return !o.present; }));
  for (const std::string& note : port.notes)
    row("note", note);
  reporter.result(text);
}

boost::json::object fields_of(const PortInfo& port, const PortConfig& config) {
  boost::json::array addresses;
  for (const auto& prefix : config.addresses)
    addresses.emplace_back(prefix.to_string());
  boost::json::array offloads;
  for (const OffloadInfo& offload : port.offloads)
    offloads.push_back(
        {{"name", offload.name}, {"present", offload.present}, {"used", offload.used}});
  boost::json::array notes;
  for (const std::string& note : port.notes)
    notes.emplace_back(note);
  return {{"id", port.id},
          {"device", port.device},
          {"driver", port.driver},
          {"bus_info", port.bus_info},
          {"mac", mac_of(port)},
          {"addresses", addresses},
          {"link_up", port.link_up},
          {"speed_mbps", port.speed_mbps},
          {"mtu", port.mtu},
          {"max_mtu", port.max_mtu},
          {"rx_queues", port.rx_queues},
          {"max_rx_queues", port.max_rx_queues},
          {"tx_queues", port.tx_queues},
          {"max_tx_queues", port.max_tx_queues},
          {"rx_descriptors", port.rx_descriptors},
          {"tx_descriptors", port.tx_descriptors},
          {"numa_node", port.numa_node},
          {"offloads", offloads},
          {"notes", notes}};
}

}  // namespace

ExitCode run_ports(Context& context, const PortsOptions&) {
  const std::vector<PortInfo> ports = context.engine.describe();
  std::size_t up = 0;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    say_port(context.reporter, ports[i], context.config.node.ports[i]);
    context.reporter.event("port", fields_of(ports[i], context.config.node.ports[i]));
    up += ports[i].link_up ? 1U : 0U;
  }
  context.reporter.summary(ExitCode::Ok, fmt::format("{} of {} ports are up", up, ports.size()),
                           {{"ports", ports.size()}, {"ports_up", up}});
  return ExitCode::Ok;
}

}  // namespace apps::hawser
