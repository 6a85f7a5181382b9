#include "mptcp/api/embed/instance.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "mptcp/api/embed/counters.hpp"
#include "mptcp/api/embed/link.hpp"
#include "mptcp/api/embed/settings.hpp"
#include "mptcp/api/embed/words.hpp"

namespace mptcp::api::embed {
namespace {

using dataplane::ByteSpan;
using dataplane::Duration;
using dataplane::Packet;

constexpr std::uint32_t kLeastMtu = 1280;  // What IPv6 asks for (RFC 8200 §5).
constexpr std::uint32_t kMostMtu = 9216;
/// Turns of one run(): a `ready` that always has something new to do gets its further turns from
/// the next run().
constexpr int kTurnsPerRun = 64;
/// The longest that the clock of an instance can say.
constexpr std::uint64_t kMostNanoseconds = std::uint64_t{1} << 62;

/// Packet memory behind the headroom: a frame, and what a segment's options may take in front.
std::uint32_t data_room_of(const hawser_config& config) {
  return std::max<std::uint32_t>(2048, config.mtu + 128);
}

hawser_config with_defaults(hawser_config config) {
  if (config.mtu == 0) config.mtu = 1500;
  if (config.packets == 0) config.packets = 8192;
  if (config.connections == 0) config.connections = 4096;
  return config;
}

/// One address is one port, so that each is a path and speaks for itself only.
std::optional<dataplane::net::InterfaceConfig> port_of(const char* address, std::size_t index) {
  const auto prefix = address == nullptr ? std::nullopt : dataplane::Prefix::parse(address);
  if (!prefix || prefix->address.is_unspecified() || prefix->address.is_multicast())
    return std::nullopt;
  dataplane::net::InterfaceConfig port;
  port.id = prefix->address.to_string();
  port.mac = port_mac(index);
  port.addresses = {*prefix};
  if (prefix->address.is_v4()) {
    port.gateway_v4 = gateway_v4();
  } else {
    port.gateway_v6 = gateway_v6();
  }
  return port;
}

}  // namespace

std::optional<CoreConfig> Instance::core_config(const hawser_config& given) {
  const hawser_config config = with_defaults(given);
  if (config.addresses == nullptr || config.address_count == 0 || config.address_count > 255)
    return std::nullopt;
  if (config.output == nullptr || config.mtu < kLeastMtu || config.mtu > kMostMtu)
    return std::nullopt;
  CoreConfig core;
  for (std::size_t i = 0; i < config.address_count; ++i) {
    auto port = port_of(config.addresses[i], i);
    const auto is_same = [&](const auto& other) {
      return other.addresses[0].address == port->addresses[0].address;
    };
    if (!port || std::any_of(core.ports.begin(), core.ports.end(), is_same)) return std::nullopt;
    port->mtu = static_cast<std::uint16_t>(config.mtu);
    core.ports.push_back(std::move(*port));
  }
  core.max_connections = config.connections;
  core.seed = config.seed;
  return core;
}

Instance::Instance(const hawser_config& config, CoreConfig core)
    : config_(with_defaults(config)),
      node_(std::move(core), config_.packets, data_room_of(config_)),
      sockets_(node_),
      endpoints_(node_, sockets_) {}

void Instance::set_now(std::uint64_t nanoseconds) {
  const auto since = Duration(static_cast<Duration::rep>(std::min(nanoseconds, kMostNanoseconds)));
  node_.now = std::max(node_.now, Node::kStart + since);
}

std::uint64_t Instance::next_deadline() const {
  const Core& core = node_.core;
  const Instant timers = std::min(core.next_deadline(), sockets_.next_deadline());
  const bool at_once = core.has_pending_transmit() || sockets_.has_accepted();
  const Instant next = at_once ? node_.now : timers;
  if (next == dataplane::kNever) return HAWSER_NEVER;
  return static_cast<std::uint64_t>(std::max(next - Node::kStart, Duration::zero()).count());
}

void Instance::run() {
  Core& core = node_.core;
  for (int turn = 0; turn < kTurnsPerRun; ++turn) {
    sockets_.uncork(node_.now);
    core.on_deadline(node_.now);
    core.poll_transmit(node_.now);
    flush();
    const bool told = tell_events();
    endpoints_.work();
    if (!told && !core.has_pending_transmit() && core.next_deadline() > node_.now) return;
  }
}

void Instance::flush() {
  const bool marked = sockets_.has_marks();
  for (std::size_t i = 0; i < node_.core.port_count(); ++i) {
    const auto port = static_cast<PortIndex>(i);
    while (Packet frame = node_.core.tx_queue(port).pop()) {
      const ByteSpan packet = ip_packet_of(frame);
      if (!packet.empty()) {
        const auto tuple = marked ? tuple_of(packet) : std::nullopt;
        const auto mark = tuple ? sockets_.mark_of(*tuple) : std::nullopt;
        if (mark)
          mark_packet(frame.data().subspan(kLinkHeader), mark->traffic_class, mark->hop_limit);
        config_.output(config_.user, packet.data(), packet.size());
      } else if (answer_solicitation(frame, i)) {
        node_.core.on_frames(node_.now, port, std::span(&frame, 1));
      }
    }
  }
}

bool Instance::tell_events() {
  std::vector<int> told = sockets_.take_accepted();
  bool any = !told.empty();
  while (const auto event = node_.core.next_event()) {
    any = true;
    Socket* const whose = sockets_.socket_of(*event);
    if (event->kind == Event::Kind::PathChanged && whose != nullptr)
      endpoints_.on_path_changed(*whose);
    const int number = sockets_.on_event(*event);
    if (number >= 0 && std::find(told.begin(), told.end(), number) == told.end())
      told.push_back(number);
  }
  if (config_.ready == nullptr) return any;
  for (const int number : told) {
    Socket* const socket = sockets_.find(number);  // Unless one told before has closed it.
    if (socket != nullptr) config_.ready(config_.user, number, socket->poll());
  }
  return any;
}

int Instance::command(std::string_view line, std::string& answer) {
  const auto words = words_of(line);
  if (words.empty()) return -EINVAL;
  const auto rest = std::span(words).subspan(1);
  if (words[0] == "limits") return endpoints_.limits(rest, answer);
  if (words[0] == "endpoint") return endpoints_.endpoint(rest, answer);
  if (words[0] == "set") return set_setting(node_, rest);
  if (words[0] == "show") return show_settings(node_, rest, answer);
  if (words[0] != "counters" || !rest.empty()) return -EINVAL;
  answer = counters_json(node_.core);
  return 0;
}

std::size_t Instance::port_to(const dataplane::IpAddress& destination) const {
  const auto& host = node_.core.host();
  for (std::size_t i = 0; i < host.port_count(); ++i)
    if (host.config(static_cast<PortIndex>(i)).addresses[0].address == destination) return i;
  return 0;  // It is for nobody, which is counted there.
}

int Instance::input(ByteSpan octets) {
  const auto destination = destination_of(octets);
  if (!destination) return -EINVAL;
  if (octets.size() > config_.mtu) return -EMSGSIZE;
  Packet packet = node_.pool.alloc();
  if (!packet) return -ENOBUFS;
  const auto length = static_cast<std::uint32_t>(octets.size());
  std::memcpy(packet.append(length), octets.data(), length);
  const std::size_t port = port_to(*destination);
  add_link_header(packet, port);
  node_.core.on_frames(node_.now, static_cast<PortIndex>(port), std::span(&packet, 1));
  return 0;
}

}  // namespace mptcp::api::embed
