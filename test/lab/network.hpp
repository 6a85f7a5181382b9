#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "dataplane/base/heap_packet_pool.hpp"
#include "mptcp/core.hpp"
#include "test/lab/flow.hpp"
#include "test/lab/timeline.hpp"
#include "test/sim/link.hpp"

namespace lab {

using sim::Frame;
using sim::FrameSink;
using sim::LinkConfig;

/// An IPv4 address as a number: of one port of one machine.
using Address = std::uint32_t;

class Machine;
class Network;

/// One way from one place to the next: a sim::Link, and who stands at its end.
class Wire final : public Actor {
 public:
  Wire(Network& network, const LinkConfig& config, std::uint64_t luck, FrameSink& end);

  void take(Instant now, Frame frame);
  Instant next_event() const override { return link_.next_event(); }
  void run(Instant now) override { link_.run(now); }
  bool has_room(Instant now) { return link_.has_room(now); }
  Instant next_room() const { return link_.next_room(); }
  /// From here on it is another.
  void change(const LinkConfig& config) { link_.change(config); }
  const sim::LinkStats& stats() const { return link_.stats(); }
  const LinkConfig& config() const { return link_.config(); }

 private:
  Network& network_;
  sim::Link link_;
  std::size_t number_;
};

/// Forwards by destination address, without taking time. Of several ways to one address a flow
/// keeps to one, which a hash of its addresses and ports chooses.
class Router final : public FrameSink {
 public:
  explicit Router(std::uint64_t salt) : salt_(salt) {}
  void add_route(Address to, Wire& way) { routes_[to].push_back(&way); }
  /// The way of what one address sends to another, before all other routes.
  void add_route(Address from, Address to, Wire& way) { pairs_[pair_of(from, to)] = &way; }
  /// For all ports of the machines from `first` to `last`, in the order in which they were added.
  void add_route(const Machine& first, const Machine& last, Wire& way);
  /// For all addresses without a route of their own.
  void add_default(Wire& way) { defaults_.push_back(&way); }
  void take(Instant now, Frame frame) override;

 private:
  struct Range {
    std::uint32_t first;  ///< Numbers of machines.
    std::uint32_t last;
    Wire* way;
  };
  static std::uint64_t pair_of(Address from, Address to) { return std::uint64_t{from} << 32 | to; }
  /// All ways from one address to another, at least one.
  std::span<Wire* const> ways(Address from, Address to) const;

  std::uint64_t salt_;
  std::unordered_map<Address, std::vector<Wire*>> routes_;
  std::unordered_map<std::uint64_t, Wire*> pairs_;
  std::vector<Range> ranges_;  ///< In ascending order.
  std::vector<Wire*> defaults_;
};

struct MachineConfig {
  std::size_t ports = 1;
  std::uint16_t mtu = 1500;
  /// Subflows of all connections, and the addresses that it talks to.
  std::size_t connections = 256;
  /// Least time between two turns that frames cause; 0: each frame wakes the machine.
  Duration turn{};
};

/// A host: the shipped engine, and applications that send and count. Its neighbours answer at once:
/// address resolution takes no time here.
class Machine final : public Actor {
 public:
  Machine(Network& network, const MachineConfig& config, std::uint32_t number, std::uint64_t seed);

  /// 1 for the first one that was added.
  std::uint32_t number() const { return number_; }
  Address address(std::size_t port = 0) const;
  std::size_t port_count() const { return ports_.size(); }
  FrameSink& port(std::size_t port) { return *ports_[port]; }
  /// Where the frames for all ports come in, when they share one cable.
  FrameSink& door() { return door_; }
  void connect(std::size_t port, Wire& out) { ports_[port]->out = &out; }
  /// At which end of `flow` this machine is follows from the flow.
  void attach(Flow& flow);

  /// What the sender's program asks of the paths of its connection; whether it was done.
  bool command(Instant now, const Flow& flow, const mptcp::PathCommand& command);

  Instant next_event() const override;
  void run(Instant now) override;
  mptcp::Core& core() { return core_; }

 private:
  struct Port final : FrameSink {
    explicit Port(Machine& owner) : machine(owner) {}
    void take(Instant now, Frame frame) override;
    Machine& machine;
    std::vector<Frame> waiting;
    Wire* out = nullptr;
  };

  struct Door final : FrameSink {
    explicit Door(Machine& owner) : machine(owner) {}
    void take(Instant now, Frame frame) override;
    Machine& machine;
  };
  /// A sender that writes at times of its own.
  struct Timed {
    Flow* flow;
    Instant due;
  };

  void take_frames(Instant now);
  void run_flows(Instant now);
  void dispatch(Instant now, const mptcp::Event& event);
  void open_due_calls(Instant now);
  void send_frames(Instant now);
  /// Whether the frame asks for a neighbour, which then has answered.
  bool answer_neighbor(Instant now, dataplane::ByteSpan asked, Port& port);
  void plan_wake(Instant now);

  Network& network_;
  std::uint32_t number_;
  Duration turn_;
  mptcp::Core core_;
  std::vector<std::unique_ptr<Port>> ports_;
  Door door_{*this};
  std::size_t next_port_ = 0;  ///< Whose turn it is to send.
  std::vector<Flow*> calls_;   ///< Not yet made, the next one last.
  std::unordered_map<std::uint64_t, Flow*> listeners_;
  std::unordered_map<std::uint64_t, Flow*> sockets_;
  std::vector<Timed> timed_;
  std::vector<dataplane::Packet> burst_;
  Instant frames_since_ = kNever;
  Instant wake_ = kNever;
  Instant last_turn_ = kStart - 1h;
  std::size_t actor_ = 0;
};

/// Machines, routers and wires, and the flows between them. All that is random follows from the
/// seed.
class Network {
 public:
  /// Names of chances: of machines come first.
  static constexpr std::uint64_t kRouterLuck = 1'000'000;
  static constexpr std::uint64_t kWireLuck = 2'000'000;

  /// `packets`: that all machines together may hold at a time.
  explicit Network(std::uint64_t seed, std::size_t packets = 8192, std::uint16_t mtu = 1500);
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  ~Network();

  Machine& add_machine(const MachineConfig& config = {});
  Router& add_router();
  Wire& add_wire(const LinkConfig& config, FrameSink& end);
  /// Both ways between a port of one machine and one of another.
  struct Cable {
    Wire& there;
    Wire& back;
  };
  Cable join(Machine& a, std::size_t port_a, Machine& b, std::size_t port_b,
             const LinkConfig& config);
  /// Both ways between all ports of a machine and a router, which learns the addresses.
  Cable join(Machine& machine, Router& router, const LinkConfig& config);
  /// The same for one port.
  Cable join(Machine& machine, std::size_t port, Router& router, const LinkConfig& config);
  /// Both ways between two routers; the caller adds the routes.
  Cable join(Router& a, Router& b, const LinkConfig& config);
  Flow& add_flow(const FlowPlan& plan);

  void run_for(Duration span) { timeline_.run_until(timeline_.now() + span); }
  /// Until all flows with an end have reached it, or `limit` is over; whether they have.
  bool run_to_end(Duration limit);
  Instant now() const { return timeline_.now(); }
  /// How long it has run.
  Duration elapsed() const { return timeline_.now() - kStart; }

  /// Calls of a machine or a wire so far.
  std::uint64_t events() const { return timeline_.events(); }
  Timeline& timeline() { return timeline_; }
  sim::FramePool& frames() { return frames_; }
  dataplane::HeapPacketPool& packets() { return packets_; }
  sim::Rng& rng() { return rng_; }

 private:
  sim::Rng rng_;
  Timeline timeline_;
  sim::FramePool frames_;
  dataplane::HeapPacketPool packets_;
  // In this order: machines hold packets, wires hold frames.
  std::vector<std::unique_ptr<Router>> routers_;
  std::vector<std::unique_ptr<Wire>> wires_;
  std::vector<std::unique_ptr<Machine>> machines_;
  std::deque<Flow> flows_;
};

}  // namespace lab
