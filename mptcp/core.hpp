#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "dataplane/base/address.hpp"
#include "dataplane/base/packet.hpp"
#include "dataplane/base/time.hpp"
#include "dataplane/net/host.hpp"
#include "dataplane/tcp/config.hpp"
#include "dataplane/tcp/stats.hpp"
#include "mptcp/config.hpp"
#include "mptcp/path_change.hpp"
#include "mptcp/path_command.hpp"
#include "mptcp/socket_error.hpp"
#include "mptcp/stats.hpp"
#include "mptcp/subflow_info.hpp"

namespace mptcp {

using dataplane::ByteSpan;
using dataplane::Endpoint;
using dataplane::Instant;
using dataplane::MutableByteSpan;
using dataplane::Packet;
using dataplane::PortIndex;

/// Names a socket of one core: an index and a generation, so that a stale id finds nothing.
enum class SocketId : std::uint64_t {};

/// What happened to a socket, in order. Edge-triggered: after Readable read until read() gives 0,
/// after Writable write until write() takes less than offered; only then does the next event of
/// that kind come.
struct Event {
  enum class Kind : std::uint8_t {
    Connected,    ///< The three-way handshake of connect() is done.
    Acceptable,   ///< accept() on this listener will give a connection.
    Readable,     ///< read() will give octets.
    EndOfStream,  ///< The peer sent FIN, and all octets before it are there to be read.
    Writable,     ///< write() will take octets again.
    PathChanged,  ///< next_path_change() has something; again when it was emptied.
    Closed,  ///< The connection is over; `reason` says why. No event follows. The id is valid until
             ///< close().
  };
  SocketId socket{};
  Kind kind{};
  dataplane::tcp::CloseReason reason{};
};

/// What a connection does now; for progress lines, `--json` and tests.
struct SocketInfo {
  dataplane::FourTuple tuple;
  std::string_view state;  ///< RFC 9293 §3.3.2, such as "ESTABLISHED".
  dataplane::tcp::CloseReason reason{};
  std::uint64_t bytes_sent = 0;  ///< Payload octets, each counted once.
  std::uint64_t bytes_acked = 0;
  std::uint64_t bytes_received = 0;  ///< In-order payload octets.
  std::uint64_t segments_sent = 0;
  std::uint64_t segments_received = 0;
  std::uint64_t segments_retransmitted = 0;
  dataplane::Duration srtt{};
  dataplane::Duration rttvar{};
  dataplane::Duration rto{};
  std::uint64_t cwnd = 0;       ///< Octets.
  std::uint64_t in_flight = 0;  ///< Octets.
  std::uint64_t snd_wnd = 0;    ///< The peer's window, octets.
  std::uint64_t rcv_wnd = 0;    ///< Ours, octets.
  std::uint32_t mss = 0;        ///< Payload of a full segment we send.
  /// Whether it speaks MPTCP: then the figures above are sums, or those of the data level.
  bool multipath = false;
  Version multipath_version = Version::V1;
  std::vector<SubflowInfo> subflows;
};

struct CoreConfig {
  std::vector<dataplane::net::InterfaceConfig> ports;
  dataplane::tcp::Config tcp;  ///< The default of new connections.
  Config mptcp;                ///< Likewise.
  std::size_t max_connections = 65'536;
  std::size_t syn_table_size =
      1'024;  ///< Half-open connections of all listeners; then SYN cookies.
  std::size_t accept_backlog = 1'024;
  /// Next hops of all ports that are known at a time; the one not used for longest gives way.
  std::size_t max_neighbors = 1'024;
  std::uint64_t seed = 0;  ///< From which all randomness of this core comes.
  /// Octets of payload memory for send buffers (all connections).
  std::size_t send_memory = 256UL << 20;
  /// Which of how many cores this is; connections are spread by dataplane::net::Steering.
  std::uint16_t core_index = 0;
  std::uint16_t core_count = 1;
};

/// Counters of one core above its ports.
struct CoreStats {
  dataplane::tcp::Stats tcp;
  Stats mptcp;
  std::uint64_t segments_without_connection =
      0;                                     ///< Answered with a reset, as far as the limit allows.
  std::uint64_t resets_limited = 0;          ///< Not answered: the limit of a second was reached.
  std::uint64_t segments_foreign = 0;        ///< Reached the wrong core and were passed on.
  std::uint64_t frames_foreign_dropped = 0;  ///< No room to pass them on.
  std::uint64_t sends_refused = 0;           ///< No buffer or no room below; TCP sends again.

  /// Calls `visit(name, value)` for each counter.
  template <class Visit>
  void for_each(Visit&& visit) const {
    tcp.for_each(visit);
    mptcp.for_each(visit);
    visit("segments_without_connection", segments_without_connection);
    visit("resets_limited", resets_limited);
    visit("segments_foreign", segments_foreign);
    visit("frames_foreign_dropped", frames_foreign_dropped);
    visit("sends_refused", sends_refused);
  }
};

/// All that one CPU core owns: ports, flows, connections, timers. It does no I/O and reads no
/// clock; the poll loop of dataplane/dpdk and the simulator's hosts drive it in the same way (one
/// turn: on_frames for each port, on_deadline, the application, poll_transmit, then send what
/// tx_queue holds). Not thread-safe.
class Core {
 public:
  /// `pool` outlives the core and gives the packets of everything it sends.
  Core(CoreConfig config, dataplane::PacketPool& pool);
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // Inputs of one turn.
  /// A burst of received frames, each contiguous. The packets are taken.
  void on_frames(Instant now, PortIndex port, std::span<Packet> frames);
  /// Frames that another core received and passed on to this one (Foreign::owner).
  void on_passed_frames(Instant now, PortIndex port, std::span<Packet> frames);
  /// Frames that another core received and that every core must see (Foreign::kEveryCore).
  void on_shared_frames(Instant now, PortIndex port, std::span<Packet> frames);
  /// Runs what is due. Calling too early does nothing.
  void on_deadline(Instant now);
  /// Cuts segments from what the connections may send and appends frames to the ports' queues.
  void poll_transmit(Instant now);

  // Outputs of one turn.
  /// Frames to send on a port, in order. The driver removes what the device took.
  dataplane::net::FrameQueue& tx_queue(PortIndex port);
  std::size_t port_count() const;
  /// When on_deadline() has work next; kNever if there is none.
  Instant next_deadline() const;
  /// Whether poll_transmit() has something to do at once.
  bool has_pending_transmit() const;
  /// A frame for another core (core_count > 1): a segment of a flow that `owner` has, into its
  /// on_passed_frames(); or, with kEveryCore, a copy for each other core's on_shared_frames().
  struct Foreign {
    static constexpr std::uint16_t kEveryCore = 0xffff;
    std::uint16_t owner;
    PortIndex port;
    Packet frame;
  };
  std::optional<Foreign> next_foreign();
  std::optional<Event> next_event();

  // The socket layer: non-blocking, by id.
  struct ConnectOptions {
    Endpoint remote;
    /// Its address decides the port; unspecified: the first port that reaches `remote`. Port 0:
    /// chosen by RFC 6056.
    std::optional<Endpoint> local;
    std::optional<dataplane::tcp::Config> tcp;
    std::optional<Config> mptcp = {};
  };
  SocketResult<SocketId> connect(Instant now, const ConnectOptions& options);
  /// An unspecified address (0.0.0.0 or ::) listens on every address of that family; `::` on both.
  SocketResult<SocketId> listen(const Endpoint& local,
                                std::optional<dataplane::tcp::Config> tcp = std::nullopt,
                                std::optional<Config> mptcp = std::nullopt);
  std::optional<SocketId> accept(SocketId listener);
  /// Copies octets into the send buffer and returns how many it took: fewer when the buffer is
  /// full, 0 when closed.
  std::size_t write(Instant now, SocketId socket, ByteSpan octets);
  /// The same without a copy: the octets stay valid and unchanged until they are acknowledged or
  /// the socket is closed.
  std::size_t write_reference(Instant now, SocketId socket, ByteSpan octets);
  /// Copies received octets out and returns how many.
  std::size_t read(Instant now, SocketId socket, MutableByteSpan out);
  /// The next received octets without a copy: a packet trimmed to them; empty handle when there are
  /// none.
  Packet read_packet(Instant now, SocketId socket);
  /// No more octets will be written: sends FIN after what is queued. Reading goes on.
  void shutdown(Instant now, SocketId socket);
  /// Gives the id back. What was written is still delivered; unread octets make it a reset (RFC
  /// 9293 §3.10.4 with RFC 1122 §4.2.2.13).
  void close(Instant now, SocketId socket);
  /// Sends RST, drops everything, gives the id back.
  void abort(Instant now, SocketId socket);

  /// Carries out a command on the paths of a connection, or says why not.
  SocketResult<void> command(Instant now, SocketId socket, const PathCommand& command);
  /// What became of its paths, in order. The oldest are lost when nobody asks for long.
  std::optional<PathChange> next_path_change(SocketId socket);

  /// Gives an address of ours another id in the connections that begin from now on (RFC 8684 §3.2);
  /// another address that has it takes the one given up. False: not ours, or id 0.
  bool number_address(const dataplane::IpAddress& address, AddressId id);

  std::optional<SocketInfo> info(SocketId socket) const;
  /// Octets that write() would take now.
  std::size_t writable(SocketId socket) const;
  std::size_t readable(SocketId socket) const;
  /// Whether the peer's FIN was reached: readable() == 0 and no more will come.
  bool at_end_of_stream(SocketId socket) const;
  /// Connections of both kinds; one of many subflows is one.
  std::size_t connection_count() const;
  const CoreStats& stats() const;
  const dataplane::net::Host& host() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mptcp
