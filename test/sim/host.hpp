#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "dataplane/base/heap_packet_pool.hpp"
#include "mptcp/core.hpp"
#include "test/sim/link.hpp"
#include "test/sim/recorder.hpp"
#include "test/sim/session.hpp"

namespace sim {

struct HostConfig {
  HostFacts facts;
  mptcp::CoreConfig core;
  std::size_t pool_packets = 4096;
  std::uint32_t packet_room = 2048;
  std::size_t burst = 32;    ///< Frames that one call of on_frames() gets at most.
  Duration turn_interval{};  ///< Least time between two turns that frames cause; 0: each frame
                             ///< wakes the host.
  bool back_pressure =
      true;  ///< The device takes no more than its queue holds, instead of dropping.
};

/// Ports on which a host accepts, and what its application does with each connection there.
struct Service {
  std::uint16_t port = 0;
  AppPlan plan;
  bool cut_expected = false;
};

/// A connection that a host opens.
struct Call {
  Instant at = kStart;
  Endpoint remote;
  Endpoint local;  ///< Port 0: the engine chooses.
  std::uint16_t server_port = 0;
  AppPlan plan;
  bool cut_expected = false;
};

struct HostStats {
  std::uint64_t turns = 0;
  std::uint64_t frames_in = 0;
  std::uint64_t frames_out = 0;
  std::uint64_t no_packets = 0;  ///< Frames lost because the pool was empty.
};

/// A Core, its packets and its applications. It does one turn as the poll loop does.
class Host final : public Actor {
 public:
  Host(HostConfig config, World& world, Oracle& oracle, const Content& content, Recorder& recorder);

  /// Where frames for a port come in, and the link that takes what it sends.
  FrameSink& port(std::size_t index) { return *ports_[index]; }
  void connect(std::size_t index, Link& out) { ports_[index]->out = &out; }
  void serve(const Service& service);
  void call(const Call& call);

  Instant next_event() const override;
  void run(Instant now) override;

  bool is_done() const;
  /// What the paths of its connections do, for --watch.
  void show_paths(Instant now) const;
  const std::deque<Session>& sessions() const { return sessions_; }
  std::size_t accepted(std::uint16_t port) const;
  /// Packets that are out of the pool.
  std::size_t packets_missing() const { return pool_.capacity() - pool_.available(); }
  mptcp::Core& core() { return core_; }
  const HostStats& stats() const { return stats_; }
  std::size_t index() const { return index_; }

 private:
  struct Port final : FrameSink {
    explicit Port(Host& owner) : host(owner) {}
    void take(Instant now, Frame frame) override {
      waiting.push_back(std::move(frame));
      if (host.frames_since_ == kNever) host.frames_since_ = now;
    }
    Host& host;
    std::vector<Frame> waiting;
    Link* out = nullptr;
  };
  struct Listener {
    mptcp::SocketId id{};
    Service service;
    std::size_t accepted = 0;
  };

  void take_frames(Instant now);
  void deliver(Instant now, std::size_t port, std::size_t first, std::size_t count);
  void run_application(Instant now);
  void dispatch(Instant now, const mptcp::Event& event);
  void open_due_calls(Instant now);
  void accept_all(Instant now, Listener& listener);
  Session* find(mptcp::SocketId id);
  void send_frames(Instant now);
  void show_states(Instant now);
  void plan_wake(Instant now);

  HostConfig config_;
  World& world_;
  Oracle& oracle_;
  const Content& content_;
  Recorder& recorder_;
  std::size_t index_;
  dataplane::HeapPacketPool pool_;
  mptcp::Core core_;
  SessionContext context_;
  std::vector<std::unique_ptr<Port>> ports_;
  std::vector<Listener> listeners_;
  std::vector<Call> calls_;  ///< Not yet made, latest first.
  std::deque<Session> sessions_;
  std::size_t first_open_ = 0;  ///< Sessions before it are done.
  std::size_t next_shown_ = 0;
  std::vector<dataplane::Packet> burst_;
  HostStats stats_;

  Instant frames_since_ = kNever;  ///< When the oldest waiting frame came.
  Instant last_turn_ = kStart - 1h;
  Instant wake_ = kStart;
  std::uint64_t idle_turns_ = 0;  ///< One after another, without a frame or an event.
  bool was_busy_ = false;
};

}  // namespace sim
