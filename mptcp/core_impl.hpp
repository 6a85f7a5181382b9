#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "dataplane/base/block_pool.hpp"
#include "dataplane/base/ring.hpp"
#include "dataplane/base/rng.hpp"
#include "dataplane/base/timer_wheel.hpp"
#include "dataplane/net/flow_table.hpp"
#include "dataplane/net/steering.hpp"
#include "dataplane/tcp/connection.hpp"
#include "dataplane/tcp/isn.hpp"
#include "dataplane/tcp/syn_table.hpp"
#include "mptcp/core.hpp"

namespace mptcp {

namespace net = dataplane::net;
namespace tcp = dataplane::tcp;
namespace wire = dataplane::wire;
using dataplane::Duration;
using dataplane::FourTuple;

/// A connection of the core with what the socket layer knows of it.
struct Slot {
  std::optional<tcp::Connection> connection;  ///< Empty: the slot is free.
  FourTuple tuple;
  std::uint32_t generation = 0;
  PortIndex port{};
  bool held = false;     ///< The application has the id.
  bool queued = false;   ///< Waits for accept().
  bool pending = false;  ///< Queued for poll_transmit().
  bool told_readable = false;
  bool told_end = false;
  bool told_closed = false;
  bool told_connected = false;
};

/// A listening socket and the connections that wait for accept().
struct Listener {
  Endpoint local;
  tcp::Config tcp;
  std::uint32_t generation = 0;
  bool open = false;
  dataplane::Ring<std::uint32_t> ready;  ///< Slots.

  bool takes(const Endpoint& destination) const;
};

struct Core::Impl {
  Impl(CoreConfig core_config, dataplane::PacketPool& pool);

  tcp::Environment environment() { return {blocks, stats.tcp, receive_memory}; }

  // core.cpp
  void on_batch(Instant now);
  void after_input(std::uint32_t index, const tcp::Outcome& out);
  void tell(std::uint32_t index, Event::Kind kind);
  void mark_pending(std::uint32_t index);
  void transmit_from(Instant now, std::uint32_t index);
  void release_if_done(std::uint32_t index);
  void release(std::uint32_t index);
  std::optional<std::uint32_t> take_slot();
  std::optional<std::uint32_t> open_slot(const FourTuple& tuple, PortIndex port);
  void send(Instant now, const FourTuple& tuple, const wire::TxSegment& segment);

  // core_input.cpp
  void on_segment(Instant now, wire::ReceivedSegment& received);
  void on_unclaimed(Instant now, wire::ReceivedSegment& received);
  void on_syn(Instant now, std::uint32_t listener, const wire::ReceivedSegment& received,
              std::optional<dataplane::SeqNum> beyond);
  bool on_handshake_ack(Instant now, wire::ReceivedSegment& received);
  void on_syn_deadline(Instant now);
  bool open_passive(Instant now, const tcp::HalfOpen& half, bool first_try,
                    wire::ReceivedSegment& received);
  void send_syn_ack(Instant now, const tcp::HalfOpen& half);
  void refuse(Instant now, const wire::ReceivedSegment& received);
  void on_path_event(Instant now, const net::PathEvent& event);
  bool pass_on_foreign(wire::ReceivedSegment& received);
  void pass_on(Foreign frame);
  std::optional<std::uint32_t> listener_for(const Endpoint& local) const;
  std::uint16_t mss_for(const FourTuple& tuple) const;

  // core_socket.cpp
  Slot* slot_of(SocketId id);
  const Slot* slot_of(SocketId id) const;
  SocketId id_of(std::uint32_t index) const;
  Listener* listener_of(SocketId id);
  SocketId listener_id(std::uint32_t index) const;
  std::optional<std::uint16_t> choose_port(const Endpoint& remote,
                                           const dataplane::IpAddress& local);
  void close_listener(Instant now, std::uint32_t index);
  void after_read(Slot& slot, std::uint32_t index);

  CoreConfig config;
  CoreStats stats;
  dataplane::Rng rng;
  net::Host host;
  net::FlowTable flows;
  net::Steering steering;
  dataplane::BlockPool blocks;
  tcp::MemoryBudget receive_memory;
  tcp::SequenceSecrets secrets;
  tcp::SynTable syn_table;
  std::optional<dataplane::TimerWheel>
      wheel;  ///< Starts with the first time that the core hears of.

  std::vector<std::unique_ptr<Slot>> slots;
  std::vector<std::uint32_t> free_slots;
  dataplane::Ring<SocketId>
      time_wait;  ///< Oldest first; ids of finished ones may still stand in it.
  std::size_t connections = 0;
  std::vector<Listener> listeners;

  net::IngressBatch batch;
  dataplane::Ring<std::uint32_t> pending;
  dataplane::Ring<Event> events;
  dataplane::Ring<Foreign> foreign;
  std::uint16_t next_port_offset = 0;
  Instant reset_second{};  ///< Start of the second that resets_left is for.
  std::uint32_t resets_left = 0;
};

}  // namespace mptcp
