#include "test/lab/network.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace lab {

using dataplane::IpAddress;
using dataplane::load_be;
using dataplane::MacAddress;
using dataplane::PortIndex;
using dataplane::store_be;

namespace {

constexpr std::uint32_t kPacketRoom = 2048;
constexpr std::uint16_t kFirstTcpPort = 1024;

Address address_of(std::uint32_t machine, std::size_t port) {
  return 0x0a00'0000U + static_cast<Address>(port << 16) + machine;
}

std::uint32_t machine_of(Address address) { return address & 0xffff; }

/// The address says who it is, so that nobody needs to ask.
MacAddress mac_of(Address address) {
  MacAddress out{{0x02, 0}};
  store_be(reinterpret_cast<std::byte*>(&out.octets[2]), address);
  return out;
}

mptcp::CoreConfig core_config(const MachineConfig& config, std::uint32_t number,
                              std::uint64_t seed) {
  mptcp::CoreConfig out;
  for (std::size_t i = 0; i < config.ports; ++i) {
    dataplane::net::InterfaceConfig port;
    port.id = fmt::format("p{}", i);
    const Address address = address_of(number, i);
    port.mac = mac_of(address);
    port.addresses = {{IpAddress::v4(address), 16U}};
    port.mtu = config.mtu;
    out.ports.push_back(std::move(port));
  }
  out.max_connections = config.connections;
  out.syn_table_size = std::min<std::size_t>(config.connections, 64);
  out.accept_backlog = config.connections;
  // Whoever it talks to is its neighbour.
  out.max_neighbors = config.connections;
  // Applications send by reference: no payload is copied into it.
  out.send_memory = 1 << 20;
  out.seed = seed;
  return out;
}

/// ARP (RFC 826), behind the Ethernet header.
constexpr std::size_t kArp = 14;
constexpr std::size_t kArpLength = kArp + 28;

}  // namespace

Wire::Wire(Network& network, const LinkConfig& config, std::uint64_t luck, FrameSink& end)
    : network_(network),
      link_(config, network.frames(), network.rng().fork(luck), end),
      number_(network.timeline().add(*this)) {}

void Wire::take(Instant now, Frame frame) {
  link_.take(now, std::move(frame));
  network_.timeline().touch(number_);
}

void Router::add_route(const Machine& first, const Machine& last, Wire& way) {
  ASSERT(ranges_.empty() || ranges_.back().last < first.number());
  ranges_.push_back({first.number(), last.number(), &way});
}

std::span<Wire* const> Router::ways(Address from, Address to) const {
  if (!pairs_.empty()) {
    if (const auto found = pairs_.find(pair_of(from, to)); found != pairs_.end())
      return {&found->second, 1};
  }
  if (const auto found = routes_.find(to); found != routes_.end()) return found->second;
  const std::uint32_t machine = machine_of(to);
  const auto range = std::lower_bound(ranges_.begin(), ranges_.end(), machine,
                                      [](const Range& r, std::uint32_t m) { return r.last < m; });
  if (range != ranges_.end() && range->first <= machine) return {&range->way, 1};
  return defaults_;
}

void Router::take(Instant now, Frame frame) {
  // Behind an Ethernet header of 14 octets and an IPv4 header of 20, as the machines here send.
  const std::byte* ip = frame.data().data() + 14;
  const auto source = load_be<std::uint32_t>(ip + 12);
  const auto destination = load_be<std::uint32_t>(ip + 16);
  const std::span<Wire* const> found = ways(source, destination);
  ASSERT(!found.empty());
  std::size_t choice = 0;
  if (found.size() > 1) {
    std::uint64_t hash = salt_ ^ pair_of(source, destination);
    hash = (hash ^ load_be<std::uint32_t>(ip + 20)) * 0x9e37'79b9'7f4a'7c15;
    choice = (hash ^ hash >> 29) * 0xd1b5'4a32'd192'ed03 >> 33;
  }
  found[choice % found.size()]->take(now, std::move(frame));
}

Machine::Machine(Network& network, const MachineConfig& config, std::uint32_t number,
                 std::uint64_t seed)
    : network_(network),
      number_(number),
      turn_(config.turn),
      core_(core_config(config, number, seed), network.packets()) {
  for (std::size_t i = 0; i < config.ports; ++i)
    ports_.push_back(std::make_unique<Port>(*this));
  actor_ = network.timeline().add(*this);
}

Address Machine::address(std::size_t port) const { return address_of(number_, port); }

void Machine::attach(Flow& flow) {
  const FlowPlan& plan = flow.plan();
  if ((plan.download ? plan.to : plan.from) == this) {
    calls_.push_back(&flow);
    std::sort(calls_.begin(), calls_.end(),
              [](const Flow* a, const Flow* b) { return a->starts_at() > b->starts_at(); });
    wake_ = std::min(wake_, flow.starts_at());
  } else {
    mptcp::Config mptcp = plan.mptcp;
    mptcp.enabled = plan.multipath;
    const auto id = core_.listen({IpAddress::v4(0), flow.tcp_port()}, plan.tcp, mptcp);
    ASSERT(id.has_value());
    listeners_[static_cast<std::uint64_t>(*id)] = &flow;
  }
  network_.timeline().touch(actor_);
}

bool Machine::command(Instant now, const Flow& flow, const mptcp::PathCommand& command) {
  const bool done = core_.command(now, flow.socket(), command).has_value();
  wake_ = std::min(wake_, now);
  network_.timeline().touch(actor_);
  return done;
}

void Machine::Port::take(Instant now, Frame frame) {
  waiting.push_back(std::move(frame));
  if (machine.frames_since_ != kNever) return;
  machine.frames_since_ = now;
  machine.network_.timeline().touch(machine.actor_);
}

void Machine::Door::take(Instant now, Frame frame) {
  // The second octet of an address is the port.
  const std::size_t port = static_cast<std::size_t>(frame.data()[14 + 17]);
  machine.port(port).take(now, std::move(frame));
}

Instant Machine::next_event() const {
  if (frames_since_ == kNever) return wake_;
  return std::min(wake_, std::max(frames_since_, last_turn_ + turn_));
}

void Machine::run(Instant now) {
  last_turn_ = now;
  take_frames(now);
  core_.on_deadline(now);
  run_flows(now);
  core_.poll_transmit(now);
  send_frames(now);
  plan_wake(now);
}

void Machine::take_frames(Instant now) {
  frames_since_ = kNever;
  for (std::size_t index = 0; index < ports_.size(); ++index) {
    std::vector<Frame>& waiting = ports_[index]->waiting;
    if (waiting.empty()) continue;
    for (const Frame& frame : waiting) {
      dataplane::Packet packet = network_.packets().alloc();
      // Fewer would change what is measured.
      ASSERT(packet && frame.size() <= packet.tailroom());
      std::memcpy(packet.append(static_cast<std::uint32_t>(frame.size())), frame.data().data(),
                  frame.size());
      burst_.push_back(std::move(packet));
    }
    waiting.clear();
    core_.on_frames(now, PortIndex{static_cast<std::uint16_t>(index)}, burst_);
    burst_.clear();
  }
}

void Machine::run_flows(Instant now) {
  open_due_calls(now);
  while (const std::optional<mptcp::Event> event = core_.next_event())
    dispatch(now, *event);
  for (Timed& timed : timed_)
    if (timed.due <= now) timed.due = timed.flow->write(now);
}

void Machine::open_due_calls(Instant now) {
  while (!calls_.empty() && calls_.back()->starts_at() <= now) {
    Flow& flow = *calls_.back();
    calls_.pop_back();
    const FlowPlan& plan = flow.plan();
    mptcp::Core::ConnectOptions options;
    const Machine& remote = plan.download ? *plan.from : *plan.to;
    options.remote = {IpAddress::v4(remote.address(plan.port)), flow.tcp_port()};
    options.local = dataplane::Endpoint{IpAddress::v4(address(plan.port)), 0};
    options.tcp = plan.tcp;
    options.mptcp = plan.mptcp;
    options.mptcp->enabled = plan.multipath;
    const auto id = core_.connect(now, options);
    ASSERT(id.has_value());
    sockets_[static_cast<std::uint64_t>(*id)] = &flow;
  }
}

void Machine::dispatch(Instant now, const mptcp::Event& event) {
  const auto id = static_cast<std::uint64_t>(event.socket);
  if (const auto listener = listeners_.find(id); listener != listeners_.end()) {
    while (const auto accepted = core_.accept(event.socket)) {
      Flow& flow = *listener->second;
      sockets_[static_cast<std::uint64_t>(*accepted)] = &flow;
      if (flow.plan().from == this) {
        flow.on_connected(core_, *accepted);
        timed_.push_back({&flow, flow.write(now)});
      } else {
        flow.read(now, core_, *accepted);
      }
    }
    return;
  }
  const auto found = sockets_.find(id);
  if (found == sockets_.end()) return;
  Flow& flow = *found->second;
  const bool sends = flow.plan().from == this;
  switch (event.kind) {
    case mptcp::Event::Kind::Connected:
      if (!sends) break;
      flow.on_connected(core_, event.socket);
      timed_.push_back({&flow, flow.write(now)});
      break;
    case mptcp::Event::Kind::Writable:
      if (sends) flow.write(now);
      break;
    case mptcp::Event::Kind::Readable:
      if (!sends) flow.read(now, core_, event.socket);
      break;
    case mptcp::Event::Kind::EndOfStream:
      if (!sends) flow.read(now, core_, event.socket);
      if (!sends) core_.shutdown(now, event.socket);
      break;
    case mptcp::Event::Kind::Closed:
      if (sends) flow.on_closed();
      sockets_.erase(found);
      core_.close(now, event.socket);
      break;
    default:
      break;
  }
}

void Machine::send_frames(Instant now) {
  // Ports may share a cable: they take turns, and who was served last waits.
  std::size_t idle = 0;
  while (idle < ports_.size()) {
    const std::size_t index = next_port_;
    next_port_ = (next_port_ + 1) % ports_.size();
    Port& port = *ports_[index];
    dataplane::net::FrameQueue& queue =
        core_.tx_queue(PortIndex{static_cast<std::uint16_t>(index)});
    ++idle;
    if (queue.empty() || !port.out->has_room(now)) continue;
    idle = 0;
    const dataplane::Packet packet = queue.pop();
    if (!answer_neighbor(now, packet.data(), port))
      port.out->take(now, network_.frames().copy(packet.data()));
  }
}

bool Machine::answer_neighbor(Instant now, dataplane::ByteSpan asked, Port& port) {
  if (load_be<std::uint16_t>(&asked[12]) != sim::kEtherArp) return false;
  const auto sender = load_be<std::uint32_t>(&asked[kArp + 14]);
  const auto target = load_be<std::uint32_t>(&asked[kArp + 24]);
  constexpr std::uint16_t kRequest = 1, kReply = 2;
  if (load_be<std::uint16_t>(&asked[kArp + 6]) != kRequest || sender == target) return true;
  Frame answer = network_.frames().copy(asked.first(kArpLength));
  std::byte* at = answer.data().data();
  const MacAddress mac = mac_of(target);
  std::memcpy(at, &asked[6], 6);
  std::memcpy(at + 6, mac.octets.data(), 6);
  store_be(at + kArp + 6, kReply);
  std::memcpy(at + kArp + 8, mac.octets.data(), 6);
  store_be(at + kArp + 14, target);
  std::memcpy(at + kArp + 18, &asked[6], 6);
  store_be(at + kArp + 24, sender);
  port.take(now, std::move(answer));
  return true;
}

void Machine::plan_wake(Instant now) {
  constexpr Duration kTurnCost = 1us;
  wake_ = core_.next_deadline();
  if (!calls_.empty()) wake_ = std::min(wake_, calls_.back()->starts_at());
  std::erase_if(timed_, [](const Timed& timed) { return timed.due == kNever; });
  for (const Timed& timed : timed_)
    wake_ = std::min(wake_, timed.due);
  bool blocked = false;
  for (std::size_t index = 0; index < ports_.size(); ++index) {
    if (core_.tx_queue(PortIndex{static_cast<std::uint16_t>(index)}).empty()) continue;
    blocked = true;
    wake_ = std::min(wake_, ports_[index]->out->next_room());
  }
  if (!blocked && core_.has_pending_transmit()) wake_ = now;
  wake_ = std::max(wake_, now + kTurnCost);
}

Network::Network(std::uint64_t seed, std::size_t packets, std::uint16_t mtu)
    : rng_(seed),
      frames_(mtu + 64U),
      packets_(packets, std::max<std::uint32_t>(kPacketRoom, mtu + 64U)) {}

Network::~Network() = default;

Machine& Network::add_machine(const MachineConfig& config) {
  const auto number = static_cast<std::uint32_t>(machines_.size() + 1);
  machines_.push_back(std::make_unique<Machine>(*this, config, number, rng_.fork(number).next()));
  return *machines_.back();
}

Router& Network::add_router() {
  routers_.push_back(std::make_unique<Router>(rng_.fork(kRouterLuck + routers_.size()).next()));
  return *routers_.back();
}

Wire& Network::add_wire(const LinkConfig& config, FrameSink& end) {
  wires_.push_back(std::make_unique<Wire>(*this, config, kWireLuck + wires_.size(), end));
  return *wires_.back();
}

Network::Cable Network::join(Machine& a, std::size_t port_a, Machine& b, std::size_t port_b,
                             const LinkConfig& config) {
  Cable out{add_wire(config, b.port(port_b)), add_wire(config, a.port(port_a))};
  a.connect(port_a, out.there);
  b.connect(port_b, out.back);
  return out;
}

Network::Cable Network::join(Machine& machine, std::size_t port, Router& router,
                             const LinkConfig& config) {
  Cable out{add_wire(config, router), add_wire(config, machine.port(port))};
  machine.connect(port, out.there);
  router.add_route(machine.address(port), out.back);
  return out;
}

Network::Cable Network::join(Machine& machine, Router& router, const LinkConfig& config) {
  Cable out{add_wire(config, router), add_wire(config, machine.door())};
  for (std::size_t i = 0; i < machine.port_count(); ++i) {
    machine.connect(i, out.there);
    router.add_route(machine.address(i), out.back);
  }
  return out;
}

Network::Cable Network::join(Router& a, Router& b, const LinkConfig& config) {
  return {add_wire(config, b), add_wire(config, a)};
}

Flow& Network::add_flow(const FlowPlan& plan) {
  const auto port = static_cast<std::uint16_t>(kFirstTcpPort + flows_.size() % 30'000);
  Flow& flow = flows_.emplace_back(plan, port);
  plan.to->attach(flow);
  plan.from->attach(flow);
  return flow;
}

bool Network::run_to_end(Duration limit) {
  const auto over = [this] {
    return std::all_of(flows_.begin(), flows_.end(),
                       [](const Flow& flow) { return flow.is_over(); });
  };
  const Instant end = timeline_.now() + limit;
  while (!over() && timeline_.now() < end)
    run_for(std::min<Duration>(10ms, end - timeline_.now()));
  return over();
}

}  // namespace lab
