#include "apps/common/config.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sched.h>
#include <sstream>
#include <system_error>

#include <fmt/format.h>

#include "apps/common/toml_reader.hpp"
#include "mptcp/scheduler/subflow_view.hpp"

namespace apps {

namespace {

using dataplane::IpAddress;
using dataplane::Prefix;
using dataplane::dpdk::NodeConfig;
using dataplane::dpdk::PortConfig;
using namespace std::chrono_literals;

/// A quarter goes to send buffers; the rest must be enough for the ports.
constexpr std::uint64_t kMinMemory = 48UL << 20;
static_assert(kMinMemory * 3 / 4 >= dataplane::dpdk::kMinMemory);
constexpr std::uint64_t kMaxMemory = 1UL << 40;

/// Remembers where each name was seen first.
class Seen {
 public:
  /// The line where `name` was added before; 0 the first time.
  std::uint32_t add(const std::string& name, std::uint32_t line) {
    const auto at = std::ranges::find(names_, name, &Located<std::string>::value);
    if (at != names_.end()) return at->line;
    names_.push_back({name, line});
    return 0;
  }

 private:
  std::vector<Located<std::string>> names_;
};

void read_engine(TableReader& table, const Machine& machine, NodeConfig& node) {
  if (const auto cores = table.integers("cores", 0, 1023)) {
    node.cores.clear();
    for (const auto& core : *cores) {
      const auto number = static_cast<unsigned>(core.value);
      if (std::ranges::find(machine.cores, number) == machine.cores.end())
        table.report().error(
            core.line, fmt::format("core {} does not exist here", number),
            fmt::format("This process may use {}.", fmt::join(machine.cores, ", ")));
      else if (std::ranges::find(node.cores, number) != node.cores.end())
        table.report().error(core.line, fmt::format("core {} is listed twice", number));
      else
        node.cores.push_back(number);
    }
    if (cores->empty())
      table.report().error(table.line(), "cores of [engine] is empty",
                           "Name one core at least: cores = [0]");
  }
  if (const auto memory = table.size("memory", kMinMemory, kMaxMemory)) node.memory = memory->value;
  if (const auto hugepages = table.flag("hugepages")) node.hugepages = hugepages->value;
  if (node.cores.size() > dataplane::dpdk::kMaxCores)
    table.report().error(
        table.line(), fmt::format("[engine] has more than {} cores", dataplane::dpdk::kMaxCores));
  if (const auto idle = table.word("idle", {"adaptive", "busy"}))
    node.idle.mode = idle->value == "busy" ? dataplane::dpdk::IdleMode::Busy
                                           : dataplane::dpdk::IdleMode::Adaptive;
  table.finish();
}

/// What must be unique over all ports.
struct PortNames {
  Seen ids;
  Seen devices;
  Seen addresses;
};

void read_address(const Located<std::string>& text, TableReader& table, PortNames& names,
                  PortConfig& port) {
  Report& report = table.report();
  const std::optional<Prefix> prefix = Prefix::parse(text.value);
  if (!prefix) {
    report.error(text.line,
                 fmt::format("\"{}\" is not an address with a prefix length", text.value),
                 "Write it as \"10.9.0.1/24\" or \"fd00:9::1/64\".");
    return;
  }
  const IpAddress& address = prefix->address;
  if (address.is_unspecified() || address.is_loopback() || address.is_multicast() ||
      address.is_broadcast()) {
    report.error(text.line, fmt::format("{} cannot be the address of a port", address.to_string()),
                 "A port needs a unicast address of its own.");
    return;
  }
  if (prefix->length == 0) {
    report.error(text.line,
                 fmt::format("\"{}\" takes the whole internet for its own link", text.value),
                 "Give the subnet's prefix length, such as /24 or /64.");
    return;
  }
  if (const std::uint32_t first = names.addresses.add(address.to_string(), text.line)) {
    report.error(text.line,
                 fmt::format("{} is given twice, first on line {}", address.to_string(), first),
                 "Each address belongs to one port.");
    return;
  }
  port.addresses.push_back(*prefix);
}

void read_gateway(const Located<std::string>& text, TableReader& table, PortConfig& port) {
  Report& report = table.report();
  const std::optional<IpAddress> gateway = IpAddress::parse(text.value);
  if (!gateway) {
    report.error(text.line, fmt::format("gateway \"{}\" is not an address", text.value),
                 "Write it without a prefix length, such as \"10.9.0.254\".");
    return;
  }
  const bool is_own =
      std::ranges::any_of(port.addresses, [&](const Prefix& p) { return p.address == *gateway; });
  const bool is_near =
      gateway->is_link_local() || std::ranges::any_of(port.addresses, [&](const Prefix& p) {
        return p.address.is_v4() == gateway->is_v4() && p.contains(*gateway);
      });
  if (is_own) {
    report.error(text.line, fmt::format("gateway {} is the port's own address", text.value),
                 "The gateway is another machine on the same link.");
    return;
  }
  if (!is_near) {
    report.error(
        text.line, fmt::format("gateway {} lies in no subnet of port \"{}\"", text.value, port.id),
        "It must be reachable on the link: check it, or the prefix lengths of the addresses.");
    return;
  }
  std::optional<IpAddress>& slot = gateway->is_v4() ? port.gateway_v4 : port.gateway_v6;
  if (slot)
    report.error(
        text.line,
        fmt::format("port \"{}\" has two {} gateways", port.id, gateway->is_v4() ? "IPv4" : "IPv6"),
        "Each port has one next hop per family.");
  slot = gateway;
}

void read_port_link(TableReader& table, PortConfig& port) {
  if (const auto mtu = table.integer("mtu", dataplane::dpdk::kMinMtu, dataplane::dpdk::kMaxMtu))
    port.mtu = static_cast<std::uint16_t>(mtu->value);
  if (const auto vlan = table.integer("vlan", 1, 4094))
    port.vlan = static_cast<std::uint16_t>(vlan->value);
  if (const auto backup = table.flag("backup")) port.backup = backup->value;
}

void read_identity(TableReader& table, PortNames& names, PortConfig& port) {
  Report& report = table.report();
  const auto id = table.text("id", "p0");
  const auto device = table.text("device", "net_af_packet0,iface=eth0");
  if (!id || id->value.empty()) {
    if (!id)
      report.error(table.line(), "this [[port]] has no id", "Give it a name: id = \"p0\"");
    else
      report.error(id->line, "the id of a port cannot be empty");
  } else {
    port.id = id->value;
    if (const std::uint32_t first = names.ids.add(id->value, id->line))
      report.error(id->line,
                   fmt::format("port id \"{}\" is given twice, first on line {}", id->value, first),
                   "Give each port an id of its own.");
  }
  if (!device || device->value.empty()) {
    report.error(device ? device->line : table.line(),
                 fmt::format("port \"{}\" has no device", port.id),
                 "Name a DPDK vdev or a PCI address: device = \"net_af_packet0,iface=eth0\"");
  } else {
    port.device = device->value;
    // Two names of one vdev would attach twice; the name ends at the first comma.
    const std::string name = device->value.substr(0, device->value.find(','));
    if (const std::uint32_t first = names.devices.add(name, device->line))
      report.error(device->line,
                   fmt::format("device \"{}\" is given twice, first on line {}", name, first),
                   "Number the vdevs: net_af_packet0, net_af_packet1.");
  }
}

PortConfig read_port(TableReader& table, PortNames& names) {
  PortConfig port;
  Report& report = table.report();
  read_identity(table, names, port);
  const auto addresses = table.texts("address", "10.9.0.1/24");
  const auto gateways = table.texts("gateway", "10.9.0.254");
  if (!addresses || addresses->empty())
    report.error(table.line(), fmt::format("port \"{}\" has no address", port.id),
                 "Give it one or more: address = [\"10.9.0.1/24\"]");
  if (addresses)
    for (const auto& text : *addresses)
      read_address(text, table, names, port);
  if (gateways)
    for (const auto& text : *gateways)
      read_gateway(text, table, port);
  read_port_link(table, port);
  table.finish();
  return port;
}

template <class T>
void assign(T& field, const std::optional<Located<T>>& value) {
  if (value) field = value->value;
}

template <class T, class U>
void assign_as(T& field, const std::optional<Located<U>>& value) {
  if (value) field = static_cast<T>(value->value);
}

void read_versions(TableReader& table, mptcp::Config& mptcp) {
  const auto version = table.integer("version", 0, 1);
  const auto oldest = table.integer("oldest_version", 0, 1);
  if (version) mptcp.version = mptcp::Version{static_cast<std::uint8_t>(version->value)};
  if (oldest) mptcp.oldest_version = mptcp::Version{static_cast<std::uint8_t>(oldest->value)};
  if (mptcp.oldest_version > mptcp.version)
    table.report().error(oldest->line, "oldest_version is above version",
                         "Leave oldest_version out, or set version = 1.");
}

void read_mptcp(TableReader& table, dataplane::tcp::Config& tcp, mptcp::Config& mptcp) {
  if (const auto enabled = table.flag("enabled")) mptcp.enabled = enabled->value;
  if (const auto scheduler =
          table.word("scheduler", {"min-rtt", "round-robin", "redundant", "blest", "ecf"}))
    mptcp.scheduler = mptcp::scheduler_named(scheduler->value).value_or(mptcp.scheduler);
  if (const auto paths = table.word("path_manager", {"fixed-pairs", "full-mesh", "none"}))
    mptcp.path_manager = mptcp::path_manager_named(paths->value).value_or(mptcp.path_manager);
  if (const auto control = table.word("congestion_control", {"reno", "cubic", "bbr", "lia", "olia",
                                                             "balia", "wvegas", "dctcp"}))
    tcp.congestion_control = cc::kind_named(control->value).value_or(tcp.congestion_control);
  if (const auto checksum = table.flag("checksum")) mptcp.checksum = checksum->value;
  read_versions(table, mptcp);
  assign(mptcp.join_first_address, table.flag("join_first_address"));
  assign(mptcp.blackhole_time, table.duration("blackhole_time", 0s, 240h));
  if (const auto again = table.flag("opportunistic"))
    mptcp.opportunistic_retransmission = again->value;
  if (const auto penalties = table.flag("penalisation")) mptcp.penalisation = penalties->value;
  if (const auto most = table.integer("max_subflows", 1, mptcp::kMaxSubflows))
    mptcp.max_subflows = static_cast<std::uint8_t>(most->value);
  table.finish();
}

void read_tcp(TableReader& table, dataplane::tcp::Config& tcp) {
  assign(tcp.rto_min, table.duration("rto_min", 1ms, 60s));
  assign(tcp.rto_max, table.duration("rto_max", 1s, 600s));
  assign(tcp.rto_initial, table.duration("rto_initial", 10ms, 60s));
  assign_as(tcp.syn_retries, table.integer("syn_retries", 0, 20));
  assign(tcp.user_timeout, table.duration("user_timeout", 0s, 24h));
  assign(tcp.keepalive_idle, table.duration("keepalive_idle", 0s, 240h));
  assign(tcp.keepalive_interval, table.duration("keepalive_interval", 100ms, 1h));
  assign_as(tcp.keepalive_probes, table.integer("keepalive_probes", 1, 100));
  assign(tcp.delayed_ack, table.duration("delayed_ack", 0s, 500ms));  // RFC 9293 §3.8.6.3
  assign(tcp.time_wait, table.duration("time_wait", 0s, 240s));
  assign(tcp.fin_wait_2, table.duration("fin_wait_2", 1s, 1h));
  if (const auto ecn = table.word("ecn", {"off", "answer", "on"}))
    tcp.ecn = dataplane::tcp::ecn_mode_named(ecn->value).value_or(tcp.ecn);
  assign(tcp.nagle, table.flag("nagle"));
  assign(tcp.timestamps, table.flag("timestamps"));
  assign(tcp.sack, table.flag("sack"));
  assign(tcp.window_scaling, table.flag("window_scaling"));
  if (const auto probing = table.word("mtu_probing", {"off", "blackhole"}))
    tcp.mtu_probing = probing->value == "blackhole";
  constexpr std::uint64_t kSmallest = 4096;
  constexpr std::uint64_t kLargest = dataplane::tcp::kMaxReceiveBuffer;
  const auto receive_max = table.size("receive_buffer_max", kSmallest, kLargest);
  const auto receive_initial = table.size("receive_buffer_initial", kSmallest, kLargest);
  const auto send_max = table.size("send_buffer_max", kSmallest, kLargest);
  const auto send_initial = table.size("send_buffer_initial", kSmallest, kLargest);
  assign_as(tcp.receive_buffer_max, receive_max);
  assign_as(tcp.receive_buffer_initial, receive_initial);
  assign_as(tcp.send_buffer_max, send_max);
  assign_as(tcp.send_buffer_initial, send_initial);
  // A lower ceiling alone takes the default start down with it.
  if (!receive_initial)
    tcp.receive_buffer_initial = std::min(tcp.receive_buffer_initial, tcp.receive_buffer_max);
  if (!send_initial)
    tcp.send_buffer_initial = std::min(tcp.send_buffer_initial, tcp.send_buffer_max);
  assign_as(tcp.initial_window_segments, table.integer("initial_window_segments", 1, 100));
  Report& report = table.report();
  if (tcp.receive_buffer_initial > tcp.receive_buffer_max)
    report.error(receive_initial->line, "receive_buffer_initial is larger than receive_buffer_max",
                 "Lower it, or raise receive_buffer_max.");
  if (tcp.send_buffer_initial > tcp.send_buffer_max)
    report.error(send_initial->line, "send_buffer_initial is larger than send_buffer_max",
                 "Lower it, or raise send_buffer_max.");
  if (tcp.rto_min > tcp.rto_max)
    report.error(table.line(), "rto_min of [tcp] is larger than rto_max");
  table.finish();
}

/// Calls `read` with the reader of a table that may be absent; then with an empty one, so that
/// defaults apply.
template <class Read>
void with_table(const toml::table& root, std::string_view key, Report& report, Read read) {
  const toml::node* node = root.get(key);
  const toml::table empty;
  if (node != nullptr && !node->is_table())
    report.error(node->source().begin.line, fmt::format("{} must be a table", key),
                 fmt::format("Write it as [{}] on a line of its own.", key));
  const toml::table* table = node == nullptr ? nullptr : node->as_table();
  TableReader reader(table == nullptr ? empty : *table, fmt::format("[{}]", key), report);
  read(reader);
}

void read_ports(const toml::table& root, Report& report, std::vector<PortConfig>& ports) {
  const toml::node* node = root.get("port");
  if (node != nullptr && node->is_table()) {
    report.error(node->source().begin.line, "[port] must be [[port]]",
                 "Ports are an array: write each as [[port]] with double brackets.");
    return;
  }
  const toml::array* array = node == nullptr ? nullptr : node->as_array();
  if (array == nullptr || array->empty()) {
    report.error(0, "there is no port",
                 "Add a [[port]] with id, device and address; `hawser --help` shows an example.");
    return;
  }
  PortNames names;
  for (const toml::node& element : *array) {
    if (ports.size() == dataplane::dpdk::kMaxPorts) {
      report.error(element.source().begin.line,
                   fmt::format("there are more than {} ports", dataplane::dpdk::kMaxPorts));
      return;
    }
    if (const toml::table* table = element.as_table()) {
      TableReader reader(*table, "[[port]]", report);
      ports.push_back(read_port(reader, names));
    } else {
      report.error(element.source().begin.line, "port must be [[port]] tables");
    }
  }
}

void check_tables(const toml::table& root, Report& report) {
  const std::vector<std::string> known = {"engine", "port", "mptcp", "tcp"};
  for (const auto& [key, node] : root) {
    const std::string name(key.str());
    if (std::ranges::find(known, name) != known.end()) continue;
    const std::string near = nearest_name(name, known);
    report.error(key.source().begin.line,
                 fmt::format("unknown {} \"{}\"", node.is_table() ? "table" : "key", name),
                 near.empty()
                     ? "The tables are [engine], [[port]], [mptcp] and [tcp]."
                     : fmt::format("Did you mean {}?",
                                   near == "port" ? "[[port]]" : fmt::format("[{}]", near)));
  }
}

}  // namespace

Machine Machine::here() {
  Machine machine;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu)
      if (CPU_ISSET(cpu, &set)) machine.cores.push_back(cpu);
  return machine;
}

ConfigResult parse_config(std::string_view text, const std::string& name, const Machine& machine) {
  Report report(name);
  toml::table root;
  try {
    root = toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    report.error(error.source().begin.line, std::string(error.description()),
                 "This is not TOML; see `hawser --help` for an example.");
    return tl::unexpected(report.take());
  }
  Config config;
  check_tables(root, report);
  with_table(root, "engine", report,
             [&](TableReader& table) { read_engine(table, machine, config.node); });
  read_ports(root, report, config.node.ports);
  config.mptcp.enabled = true;
  with_table(root, "mptcp", report,
             [&](TableReader& table) { read_mptcp(table, config.tcp, config.mptcp); });
  with_table(root, "tcp", report, [&](TableReader& table) { read_tcp(table, config.tcp); });
  if (report.has_errors()) return tl::unexpected(report.take());
  config.notes = report.take();
  return config;
}

ConfigResult load_config(const std::string& path, const Machine& machine) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file || file.bad()) {
    Report report(path);
    const std::string reason = std::generic_category().message(errno == 0 ? EIO : errno);
    report.error(0, fmt::format("cannot read the node file: {}", reason),
                 "Name it with --config FILE; `hawser --help` shows an example.");
    return tl::unexpected(report.take());
  }
  return parse_config(text.str(), path, machine);
}

std::string_view example_config() {
  return R"([engine]
cores = [0]               # CPU numbers; one engine per core
memory = "512MiB"         # for packets and buffers
hugepages = false         # true where the machine has them: faster
idle = "adaptive"         # adaptive: sleeps when all ports are quiet; busy: never sleeps

[[port]]                  # one table per port
id = "p0"
device = "net_af_packet0,iface=eth1"   # a DPDK vdev string or a PCI address
address = ["10.9.0.1/24", "fd00:9::1/64"]
gateway = "10.9.0.254"    # optional
mtu = 1500

[mptcp]
enabled = true                         # false: plain TCP, whatever the peer offers
version = 1                            # the newest: 1 is RFC 8684, 0 is RFC 6824; connects ask for it
oldest_version = 0                     # 1: a peer that asks for version 0 is answered as TCP
scheduler = "min-rtt"                  # min-rtt, round-robin, redundant, blest or ecf
path_manager = "fixed-pairs"           # fixed-pairs, full-mesh or none
congestion_control = "cubic"           # reno, cubic, bbr, lia, olia, balia, wvegas or dctcp
checksum = false                       # of the data, beside TCP's; on when the peer wants it
join_first_address = true              # false: the peer joins other addresses only (load balancers)
blackhole_time = "1h"                  # how long a way that drops the options is spared them
opportunistic = true                   # a fast path sends again what a slow one keeps it waiting for
penalisation = true                    # and the slow one's window is reduced, where it only fills a queue
)";
}

}  // namespace apps
