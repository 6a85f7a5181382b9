#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
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
#include "mptcp/blackhole_table.hpp"
#include "mptcp/capable.hpp"
#include "mptcp/connection.hpp"
#include "mptcp/core.hpp"
#include "mptcp/token_table.hpp"
#include "mptcp/visitor_table.hpp"

namespace mptcp {

namespace net = dataplane::net;

/// Octets of IP and TCP headers without options.
constexpr std::uint16_t tcp_headers(const IpAddress& local) { return local.is_v4() ? 40 : 60; }

/// A connection of the core with what the socket layer knows of it: plain TCP, or MPTCP with its
/// subflows. Neither: the slot is free.
struct Slot {
  std::optional<tcp::Connection> connection;
  std::unique_ptr<Connection> meta;
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
  bool told_paths = false;

  bool in_use() const { return connection.has_value() || meta != nullptr; }
  template <class F>
  decltype(auto) visit(F&& f) {
    return connection ? f(*connection) : f(*meta);
  }
  template <class F>
  decltype(auto) visit(F&& f) const {
    return connection ? f(*connection) : f(std::as_const(*meta));
  }
  void close(Instant now) { connection ? connection->close() : meta->close(now); }
};

/// What the flow table says of a segment's four-tuple: the slot, and for MPTCP which subflow of it.
struct Flow {
  static constexpr std::uint32_t kSubflowBit = 1U << 31;
  static constexpr std::uint32_t kIdShift = 26;
  static constexpr std::uint32_t kMostSlots = 1U << kIdShift;

  static constexpr std::uint32_t of(std::uint32_t slot, SubflowId id) {
    return kSubflowBit | std::uint32_t{id} << kIdShift | slot;
  }
  static constexpr bool is_subflow(std::uint32_t value) { return (value & kSubflowBit) != 0; }
  static constexpr std::uint32_t slot(std::uint32_t value) {
    return is_subflow(value) ? value & (kMostSlots - 1) : value;
  }
  static constexpr SubflowId id(std::uint32_t value) {
    return static_cast<SubflowId>(value >> kIdShift & (kMaxSubflows - 1));
  }
};

/// Segments that one flow sends before the others have their turn.
inline constexpr std::size_t kSegmentsPerVisit = 64;

/// tcp::HalfOpen::listener of a join, which nobody listens for.
inline constexpr std::uint32_t kNoListener = 0xffff'ffff;

/// What we said about MPTCP in a SYN-ACK; lies in tcp::HalfOpen::upper.
struct Offer {
  enum class Kind : std::uint8_t { Tcp, Capable, Join };
  Key local_key{};         ///< Capable.
  Key remote_key{};        ///< Likewise, of version 0, whose SYN has it.
  std::uint32_t slot = 0;  ///< Join: the connection, and which life of its slot.
  std::uint32_t generation = 0;
  Nonce local_nonce{};
  Nonce remote_nonce{};
  Kind kind = Kind::Tcp;
  AddressId remote_id{};
  bool backup = false;
  bool checksum = false;
  Version version = Version::V1;
  std::array<std::uint8_t, 3> unused{};
};
static_assert(sizeof(Offer) == sizeof(tcp::HalfOpen::upper));

/// A listening socket and the connections that wait for accept().
struct Listener {
  Endpoint local;
  tcp::Config tcp;
  Config mptcp;
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
  /// A segment and those that continue it.
  void on_run(Instant now, wire::ReceivedSegment& received, std::span<Packet> more);
  void after_input(std::uint32_t index, const tcp::Outcome& out);
  void tell(std::uint32_t index, Event::Kind kind);
  void mark_pending(std::uint32_t index);
  void look_at_devices();
  std::size_t tx_room(PortIndex port) const;
  void transmit_from(Instant now, std::uint32_t index);
  void release_if_done(std::uint32_t index);
  void release(std::uint32_t index);
  std::optional<std::uint32_t> take_slot();
  /// The caller enters its flow.
  std::optional<std::uint32_t> open_slot(const FourTuple& tuple, PortIndex port);
  void send(Instant now, const FourTuple& tuple, const wire::TxSegment& segment);
  /// Sends what next(segment, most) gives, as much as the port takes and a turn allows; returns
  /// whether there may be more.
  template <class Next>
  bool send_all(Instant now, const FourTuple& tuple, PortIndex port, Next&& next) {
    auto left = static_cast<std::uint32_t>(std::min<std::size_t>(tx_room(port), kSegmentsPerVisit));
    wire::TxSegment segment;
    while (left != 0) {
      if (!next(segment, std::min(left, wire::TxSegment::kMostSegments))) return false;
      send(now, tuple, segment);
      left -= segment.segments();
    }
    return true;
  }

  // core_input.cpp
  /// Takes from the front of `more` what continues the segment and went with it.
  void on_segment(Instant now, wire::ReceivedSegment& received, std::span<Packet>& more);
  void on_unclaimed(Instant now, wire::ReceivedSegment& received);
  void on_syn(Instant now, std::uint32_t listener, const wire::ReceivedSegment& received,
              std::optional<dataplane::SeqNum> beyond);
  bool on_handshake_ack(Instant now, wire::ReceivedSegment& received);
  void on_syn_deadline(Instant now);
  bool open_passive(Instant now, const tcp::HalfOpen& half, bool first_try,
                    wire::ReceivedSegment& received);
  void admit(std::uint32_t index, std::uint32_t listener);
  void send_syn_ack(Instant now, const tcp::HalfOpen& half);
  void refuse(Instant now, const wire::ReceivedSegment& received);
  void on_path_event(Instant now, const net::PathEvent& event);
  bool pass_on_foreign(Instant now, wire::ReceivedSegment& received);
  std::optional<std::uint16_t> other_home(Instant now, const wire::ReceivedSegment& received);
  void pass_on(Foreign frame);
  std::optional<std::uint32_t> listener_for(const Endpoint& local) const;
  std::uint16_t mss_for(const FourTuple& tuple) const;

  // core_mptcp.cpp
  Environment meta_environment() { return {environment(), stats.mptcp, addresses}; }
  /// The core that has the connection with this token: each makes keys until one has its own.
  std::uint16_t home_of(Token token) const {
    return static_cast<std::uint16_t>(raw(token) % std::max<std::uint16_t>(config.core_count, 1));
  }
  bool may_use(Key key, Version version) const;
  std::optional<Key> make_key(Version version);
  Nonce make_nonce();
  std::unique_ptr<Connection> make_meta(const tcp::Config& tcp, const Config& config,
                                        Version version, Key key, Instant now);
  bool open_meta(Instant now, std::uint32_t index, const SubflowOpen& open, const tcp::Config& tcp,
                 const Config& config);
  /// In which version the peer asks for it, when the listener speaks that.
  std::optional<Version> asks_for_multipath(const wire::ReceivedSegment& received,
                                            const Config& service);
  void note_offer(const wire::ReceivedSegment& received, tcp::HalfOpen& half);
  Key key_of_cookie(const FourTuple& tuple, dataplane::SeqNum cookie, std::uint32_t attempt) const;
  template <class Accepts>
  std::optional<Key> find_key_of_cookie(const FourTuple& tuple, dataplane::SeqNum cookie,
                                        Accepts accepts) const;
  void send_cookie(Instant now, std::uint32_t listener, const wire::ReceivedSegment& received);
  bool on_cookie(Instant now, wire::ReceivedSegment& received);
  tcp::HalfOpen& aside_for(const FourTuple& tuple);
  /// nullptr: this tuple is not there.
  tcp::HalfOpen* find_aside(const FourTuple& tuple);
  bool on_join_aside(Instant now, wire::ReceivedSegment& received);
  std::size_t emit_offer(const tcp::HalfOpen& half, MutableByteSpan out);
  bool on_join_syn(Instant now, wire::ReceivedSegment& received);
  void on_subflow_segment(Instant now, std::uint32_t flow, wire::ReceivedSegment& received,
                          std::span<Packet>& more);
  bool reuse_subflow(Instant now, std::uint32_t flow, const wire::ReceivedSegment& received);
  static std::optional<MpCapable> keys_of(const Offer& offer, const wire::TcpHeader& header);
  bool on_third_segment(Instant now, const tcp::HalfOpen& half, bool first_try,
                        wire::ReceivedSegment& received);
  bool accept_join(Instant now, const tcp::HalfOpen& half, bool first_try,
                   wire::ReceivedSegment& received);
  void transmit_meta(Instant now, std::uint32_t index);
  void open_joins(Instant now, std::uint32_t index);
  bool open_join(Instant now, std::uint32_t index, const JoinWish& wish);
  SocketResult<void> command(Instant now, std::uint32_t index, const PathCommand& command);
  void remove_gone(Instant now, std::uint32_t index);
  void refuse_join(Instant now, const wire::ReceivedSegment& received,
                   Version version = Version::V1);
  void release_meta(std::uint32_t index);
  void on_neighbor_failed(Instant now, std::uint32_t index, const net::PathEvent& event);
  void on_subflow_event(Instant now, std::uint32_t flow, const net::PathEvent& event);
  static SocketInfo info_of(const Connection& meta);
  const tcp::Config& tcp_config_of(const tcp::HalfOpen& half) const;

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
  std::vector<bool> full_devices;  ///< For each port: it takes nothing in this turn.
  dataplane::BlockPool blocks;
  tcp::MemoryBudget receive_memory;
  tcp::SequenceSecrets secrets;
  tcp::SynTable syn_table;
  std::optional<Instant> last_cookie;  ///< When the table was full last.
  NodeAddresses addresses;
  TokenTable tokens;
  VisitorTable visitors;
  bool were_passed = false;  ///< What is being received now came from another core.
  BlackholeTable blackholes;
  std::vector<tcp::HalfOpen> joins_aside;  ///< Joins that found the SYN table full.
  std::uint64_t key_secret[2];             ///< From which keys and nonces come.
  std::uint64_t cookie_secret[2];          ///< From which the keys that cookies offer come.
  std::uint64_t keys_made = 0;
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
