#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "dataplane/base/interval_set.hpp"
#include "dataplane/base/ring.hpp"
#include "mptcp/config.hpp"
#include "mptcp/crypto/keys.hpp"
#include "mptcp/fallback.hpp"
#include "mptcp/path/path_manager.hpp"
#include "mptcp/path/rest_table.hpp"
#include "mptcp/path_change.hpp"
#include "mptcp/path_command.hpp"
#include "mptcp/reorder_queue.hpp"
#include "mptcp/scheduler/scheduler.hpp"
#include "mptcp/send_queue.hpp"
#include "mptcp/socket_error.hpp"
#include "mptcp/stats.hpp"
#include "mptcp/subflow.hpp"
#include "mptcp/subflow_info.hpp"

namespace mptcp {

/// The addresses of this node. Their ids are the same in every connection, unless one is the
/// address of the first subflow, whose id is 0 (RFC 8684 §3.2).
struct NodeAddresses {
  std::vector<LocalAddress> all;
  std::vector<PortIndex> backup_ports;

  bool is_backup(PortIndex port) const {
    return std::find(backup_ports.begin(), backup_ports.end(), port) != backup_ports.end();
  }
};

/// What the connections of one core share. It outlives them.
struct Environment {
  tcp::Environment tcp;
  Stats& stats;
  const NodeAddresses& addresses;
};

/// A subflow that the path manager wants. The core opens it, or says that it cannot.
struct JoinWish {
  AddressPair pair;
  IpAddress local;
  Endpoint remote;
  bool backup = false;
};

/// One MPTCP connection (RFC 8684), the meta-socket: one stream of octets each way, carried by any
/// number of subflows. Sans-IO, as the TCP connections that it contains.
///
///     DATA_ACKed      given to subflows       written        room
///   --------------|--------------------|----------------|-----------
///             send_.begin()         data_nxt_       send_.end()      <= snd_edge_: the peer's
///             window
///
///     read     to be read       holes and islands
///   --------|--------------|----------------------------|-----------
///                   receive_.next()                 rcv_edge_, which never moves back
///
/// Everything happens on the core that opened or accepted the first subflow. What reaches another
/// core of a subflow that joined is passed on to this one, which the token names.
class Connection {
 public:
  /// `local_key` is one whose token of this version nobody else of this core has.
  Connection(const Environment& environment, const tcp::Config& tcp, const Config& config,
             Version version, Key local_key, Instant now);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // The first subflow.
  SubflowId open_first(const SubflowOpen& open, Instant now);
  /// After our SYN-ACK with MP_CAPABLE was answered by `third`, which goes through on_segment()
  /// next.
  SubflowId accept_first(const SubflowOpen& open, const tcp::PeerSyn& syn, Instant now,
                         std::optional<Instant> syn_ack_sent, const MpCapable& third);

  // Further subflows.
  std::optional<JoinWish> next_join(Instant now);
  SubflowId open_join(const SubflowOpen& open, const JoinWish& wish, Nonce nonce, Instant now);
  void on_join_refused(const JoinWish& wish, Instant now);
  /// Whether a join of the peer to this address and port of ours can be taken now.
  bool may_be_joined(const Endpoint& local) const;
  /// The connection was established only when it asked without MP_CAPABLE (RFC 8684 §3.7).
  bool met_a_blackhole() const;
  Duration blackhole_time() const { return config_.blackhole_time; }
  AddressId id_of(const IpAddress& local) const;
  bool is_backup(const IpAddress& local) const;
  MpJoinSynAck answer_join(const MpJoinSyn& syn, Nonce local_nonce, const IpAddress& local) const;
  /// Whether the third segment of a join proves that its sender knows the keys.
  bool proves_keys(const MpJoinAck& third, Nonce local_nonce, Nonce remote_nonce) const;
  struct PeerJoin {
    AddressId remote_id{};
    Nonce local_nonce{};
    Nonce remote_nonce{};
    bool backup = false;
  };
  SubflowId accept_join(const SubflowOpen& open, const tcp::PeerSyn& syn, Instant now,
                        std::optional<Instant> syn_ack_sent, const PeerJoin& join);

  // Commands of the application for the paths (connection_commands.cpp); what they cause, or why
  // not.
  using Commanded = SocketResult<tcp::Outcome>;
  /// The join that is to be opened, if it may be.
  SocketResult<JoinWish> wish_for(const OpenPath& command) const;
  Commanded command(Instant now, const ClosePath& command);
  Commanded command(Instant now, const SetBackup& command);
  Commanded command(Instant now, const AnnounceAddress& command);
  Commanded command(Instant now, const WithdrawAddresses& command);
  bool has_path_change() const { return !changes_.empty(); }
  std::optional<PathChange> next_path_change();

  // Inputs: each returns what it caused.
  tcp::Outcome on_segment(Instant now, SubflowId id, wire::TcpSegment segment);
  /// tcp::Connection::on_run() for a subflow.
  tcp::Outcome on_run(Instant now, SubflowId id, wire::TcpSegment segment, std::span<Packet>& more);
  tcp::Outcome on_deadline(Instant now);
  tcp::Outcome on_unreachable(Instant now, SubflowId id, SeqNum quoted);
  void on_packet_too_big(Instant now, SubflowId id, SeqNum quoted, std::uint16_t mss);

  // Outputs.
  /// Gives to each subflow what it may send now. Before a round of poll_transmit().
  void schedule(Instant now);
  /// `most`: segments of new data in one value (tcp::Connection::poll_transmit).
  bool poll_transmit(Instant now, SubflowId id, wire::TxSegment& out, std::uint32_t most = 1);
  Instant next_deadline() const;
  /// A subflow that is over and has nothing more to say; the core forgets its four-tuple and calls
  /// remove().
  std::optional<SubflowId> next_gone() const;
  void remove(SubflowId id, Instant now);

  // Commands of the application.
  std::size_t write(dataplane::ByteSpan octets);
  std::size_t write_reference(dataplane::ByteSpan octets);
  std::size_t writable() const;
  std::size_t read(Instant now, dataplane::MutableByteSpan out);
  Packet take_packet(Instant now);
  std::size_t readable() const { return receive_.readable(); }
  bool at_end_of_stream() const { return fin_received_ && receive_.readable() == 0; }
  bool has_received_fin() const { return fin_received_; }
  void close(Instant now);   ///< DATA_FIN after what is queued; reading goes on.
  void abort();              ///< MP_FASTCLOSE, everything dropped.
  void detach(Instant now);  ///< The application has gone.
  bool wants_to_ack() const { return ack_wanted_; }
  /// Whether a subflow that was asked already has something to send by now.
  bool take_wanted_round() { return std::exchange(round_wanted_, false); }

  /// Ids from 0 on that subflow() may have something for.
  SubflowId place_count() const { return place_count_; }
  const Subflow* subflow(SubflowId id) const { return subflows_[id].get(); }
  Subflow* subflow(SubflowId id) { return subflows_[id].get(); }
  std::size_t subflow_count() const;
  Token local_token() const { return local_.token; }
  Version version() const { return version_; }
  const tcp::Config& tcp_config() const { return tcp_config_; }
  bool is_fallen_back() const { return fallback_.is_infinite(); }
  std::string_view state_name() const;
  tcp::CloseReason close_reason() const { return reason_; }
  /// No subflow is left and none will come.
  bool is_finished() const { return over_ && subflow_count() == 0; }
  bool is_time_wait() const;
  struct Info {
    FourTuple tuple;  ///< Of the first subflow, even when it is gone.
    std::uint64_t bytes_sent = 0;
    std::uint64_t bytes_acked = 0;
    std::uint64_t bytes_received = 0;
    std::uint64_t snd_wnd = 0;
    std::uint64_t rcv_wnd = 0;
  };
  Info info() const;
  std::vector<SubflowInfo> subflow_infos() const;

 private:
  struct Received;
  struct Announcement;

  // connection.cpp
  tcp::Config subflow_config(bool is_join) const;
  std::string_view state_of_the_only_subflow() const;
  SubflowId add(std::unique_ptr<Subflow> subflow, bool is_join);
  void set_remote_key(Key key);
  std::uint32_t send_limit() const;
  void size_receive_buffer(Instant now);
  void offer_window();
  Dsn rcv_nxt() const { return first_rcv_ + (receive_.next() + (fin_received_ ? 1U : 0U)); }
  void make_room_behind_holes();
  std::uint64_t next_edge() const;
  Duration longest_rtt() const;
  Duration shortest_rtt() const;  ///< 0: nobody knows.
  std::uint32_t largest_mss() const;
  std::span<std::unique_ptr<Subflow>> places() { return std::span(subflows_).first(place_count_); }
  std::span<const std::unique_ptr<Subflow>> places() const {
    return std::span(subflows_).first(place_count_);
  }
  template <class F>
  void for_each_alive(F&& visit);
  template <class F>
  void for_each_alive(F&& visit) const;

  // connection_input.cpp
  static void keep_only(wire::TcpSegment& segment, std::uint32_t octets);
  void trim_to_mapping(Subflow& subflow, const Received& in, wire::TcpSegment& segment) const;
  bool is_mapped_until_end(const Subflow& subflow, const Received& in,
                           std::span<const Packet> more) const;
  void take_options(Instant now, Subflow& subflow, const Received& in, const tcp::Outcome& out);
  void on_syn_ack(Instant now, Subflow& subflow, const Received& in);
  void on_first_syn_ack(Subflow& subflow, const Received& in);
  void on_join_syn_ack(Instant now, Subflow& subflow, const Received& in);
  void on_no_option(Subflow& subflow, const Received& in);
  void confirm(Instant now, Subflow& subflow);
  void on_option(Instant now, Subflow& subflow, const Option& option, const Received& in);
  void on_dss(Subflow& subflow, const Dss& dss, const Received& in);
  void on_data_ack(Dsn ack, std::uint32_t window);
  void on_mapping(Subflow& subflow, const DssMapping& mapping, bool data_fin);
  void note_mapping(Subflow& subflow, const DssMapping& wire, Dsn dsn, std::uint32_t octets);
  void on_reset(Subflow& subflow, const Received& in);
  void drain(Instant now, Subflow& subflow, tcp::Outcome& up);
  /// Takes what continues a segment that drain() was called for, from the front of `more`.
  void take_run(Instant now, Subflow& subflow, SeqNum seq, std::span<Packet>& more,
                tcp::Outcome& up);
  bool deliver(Subflow& subflow, Packet packet, tcp::Outcome& up);
  bool deliver_verified(Subflow& subflow, const Mapping& mapping, Packet part, tcp::Outcome& up);
  bool on_unmapped(Subflow& subflow);
  void take_data(Subflow& subflow, Dsn dsn, Packet packet, tcp::Outcome& up);
  void take_mapped(Subflow& subflow, Dsn dsn, std::span<Packet> run, std::uint32_t octets,
                   tcp::Outcome& up);
  void insert(std::uint64_t position, Packet packet, tcp::Outcome& up);
  void check_peer_fin(Subflow& subflow, tcp::Outcome& up);
  bool fall_back(FallbackCause cause);

  // connection_output.cpp
  void note_window_said(Subflow& subflow);
  void add_options(Instant now, Subflow& subflow, wire::TxSegment& out);
  std::size_t add_reset_options(Subflow& subflow);
  std::size_t add_syn_options(Subflow& subflow);
  std::size_t add_third_options(Subflow& subflow, const wire::TxSegment& out);
  std::size_t add_dss(Subflow& subflow, const wire::TxSegment& out);
  /// Has a subflow say an option that is no DSS; false when too many wait already.
  bool say(Subflow& subflow, const Option& option);
  std::size_t add_signal(Instant now, Subflow& subflow, SeqNum ack, std::size_t used,
                         std::size_t room);
  Dss dss_for(Subflow& subflow, const wire::TxSegment& out);
  std::uint16_t checksum_of(Dsn dsn, std::uint32_t subflow_seq, std::uint16_t length,
                            const wire::TxSegment& out) const;
  void update_reserves(Subflow& subflow) const;
  bool sends_data_fin() const;

  // connection_fastclose.cpp
  Subflow* fastclose_carrier();
  bool poll_fastclose(Instant now, wire::TxSegment& out);
  void on_fastclose_answer(const Received& in);

  // connection_schedule.cpp
  void schedule_fallen_back();
  void schedule_new(Instant now);
  bool may_take_new(const Subflow& subflow) const;
  void couple_subflows(Instant now);
  std::optional<Grant> grant_to_idle(std::span<const SubflowView> views,
                                     const Demand& wanted) const;
  void note_stall(Instant now, std::span<const SubflowView> views);
  std::uint32_t room_of(const Subflow& subflow) const;
  SubflowView view_of(SubflowId id) const;
  std::uint64_t behind_of(const Subflow& subflow) const;
  Demand demand(Instant now) const;
  void schedule_probe(Instant now);
  std::uint32_t give(Subflow& subflow, Dsn at, std::uint32_t length);
  std::size_t usable_subflows() const;

  // connection_reinject.cpp
  void schedule_reinjections();
  /// How much of `wanted` octets that were sent before goes to the subflow at once: whole segments,
  /// or all. Linux counts the memory of what waits behind a hole, and once small segments have
  /// filled it, it takes not even what fills the hole.
  std::uint32_t portion_for(const Subflow& subflow, std::uint64_t wanted) const;
  Subflow* choose(std::optional<Dsn> head);
  void reinject(const Subflow& subflow);
  bool is_carried_well(Dsn dsn) const;
  void reinject_head();
  /// What keeps a subflow that has room from new octets.
  enum class Stall : std::uint8_t {
    None,
    Window,  ///< The peer's window is full.
    Buffer,  ///< The application may write no more before octets are acknowledged.
    Tail,    ///< All was given out.
  };
  Stall stall(Instant now) const;
  struct Late {
    Dsn begin;
    Dsn end;
  };
  std::optional<Late> first_late(const Subflow& fast);
  std::optional<Late> first_late_of(Subflow& slow, const Subflow& fast) const;
  void schedule_opportunistic(Instant now);
  void penalise(Instant now, const Subflow& fast);

  // connection_timer.cpp
  void after_tcp(Instant now, Subflow& subflow, const tcp::Outcome& out, tcp::Outcome& up);
  void release_acked(Subflow& subflow);
  void watch_timeouts(Subflow& subflow);
  void on_subflow_over(Instant now, Subflow& subflow, tcp::Outcome& up);
  void reset_subflow(Subflow& subflow, ResetReason reason);
  void close_subflows_when_done();
  void check_over(Instant now, tcp::Outcome& up);
  void finish(tcp::CloseReason reason, tcp::Outcome& up);
  void on_meta_timeout(Instant now);
  void rearm_meta(Instant now);
  void on_third_ack_timer(Instant now);
  void on_signal_timer(Instant now);
  void limit_timeouts();

  // connection_commands.cpp
  Subflow* find_path(const FourTuple& path);
  bool is_commanded() const;
  Subflow* carrier_beside(std::span<const AddressId> locals);
  void tell(const PathChange& change);
  void tell(PathChange::Kind kind, const Subflow& subflow);
  void tell_end(const Subflow& subflow, bool was_opening);

  // connection_paths.cpp
  void know_first_addresses();
  void plan(Instant at) { plan_at_ = std::min(plan_at_, at); }
  void announce_addresses(Instant now);
  void on_add_addr(Instant now, Subflow& subflow, const AddAddr& option);
  void on_echo(AddressId id, const IpAddress& address);
  void on_remove_addr(Instant now, const RemoveAddr& option);
  void on_priority(Subflow& subflow, const MpPrio& option);
  void on_announcement_timer(Instant now);
  bool is_genuine(const AddAddr& option) const;
  void echo(Subflow& subflow, AddAddr option);
  void announce(Subflow& carrier, const Announcement& announcement);
  void on_ready(Instant now, Subflow& subflow);
  /// Its index, or that behind the last.
  std::size_t announcement_under_way() const;
  Instant next_announcement() const;

  Environment env_;
  tcp::Config tcp_config_;
  Config config_;
  Fallback fallback_;
  tcp::CloseReason reason_ = tcp::CloseReason::None;
  tcp::CloseReason last_reason_ = tcp::CloseReason::TimedOut;  ///< Of the subflow lost last.
  FourTuple first_tuple_;
  bool active_ = false;  ///< We opened it.

  // Who we are to each other (RFC 8684 §3.1).
  Version version_;
  Key local_key_;
  Key remote_key_{};
  KeyDigest local_;
  KeyDigest remote_;
  bool checksum_ = false;
  bool peer_is_wide_ = false;  ///< The peer sends 8-octet DSNs and so gets 8-octet DATA_ACKs.
  bool heard_dss_ = false;
  bool data_acked_ = false;  ///< A DATA_ACK covered octets of ours.

  std::array<std::unique_ptr<Subflow>, kMaxSubflows> subflows_;
  SubflowId place_count_ = 0;  ///< Of subflows_, so many from the front were ever in use.

  // Sending.
  SendQueue send_;
  Dsn data_nxt_;
  Dsn snd_edge_;
  AnyScheduler scheduler_;
  Instant couple_at_{};       ///< When subflows hear of each other again.
  std::uint64_t stalls_ = 0;  ///< Demand::stalls
  bool was_stalled_ = false;
  dataplane::IntervalSet<Dsn> reinject_;  ///< To go once more, on another subflow, before new data.
  dataplane::IntervalSet<Dsn> rescued_;   ///< Sent once more by a faster subflow, in a stall.
  bool fin_queued_ = false;
  bool fin_acked_ = false;
  bool was_full_ = false;
  bool fin_before_peers_ = false;
  bool infinite_map_pending_ = false;

  // Receiving.
  Dsn first_rcv_;  ///< The DSN of the peer's first octet.
  ReorderQueue receive_;
  std::uint64_t rcv_edge_ = 0;
  bool round_wanted_ = false;
  bool closed_somewhere_ = false;  ///< Subflow::said_closed of one of them.
  std::uint32_t rcv_buffer_;
  std::optional<std::uint64_t> peer_fin_;  ///< Position of the peer's DATA_FIN.
  bool fin_received_ = false;
  bool ack_wanted_ = false;
  Instant rate_epoch_;
  Instant rate_seen_{};           ///< When it was looked whether the round is over.
  std::size_t rate_arrived_ = 0;  ///< Octets that were new, on all paths, since then.
  std::size_t rate_best_ = 0;

  // The end.
  bool established_ = false;  ///< The first subflow was.
  bool detached_ = false;
  bool closing_ = false;  ///< FINs were queued on all subflows.
  bool over_ = false;
  bool was_reset_ = false;
  Subflow* fastclose_by_ = nullptr;  ///< Carries MP_FASTCLOSE until the peer's reset (version 0).
  std::uint8_t fastcloses_sent_ = 0;
  Instant fastclose_at_ = kNever;  ///< When it goes out next.

  // Time.
  Instant meta_deadline_ = kNever;
  std::uint8_t meta_backoff_ = 0;
  Dsn meta_una_;  ///< DATA_ACK when the timer was armed last.
  Dsn recover_;   ///< data_nxt_ when the timer last found the head missing.
  bool probe_due_ = false;
  Instant alone_until_ = kNever;   ///< Without a subflow until then.
  Instant linger_until_ = kNever;  ///< Half closed, and nobody reads.

  // Paths.
  struct Announcement {
    AddressId id{};
    IpAddress address;
    std::optional<std::uint16_t> port;
    std::uint8_t sent = 0;
    Instant next{};
    bool echoed = false;
  };
  std::vector<LocalAddress> locals_;    ///< With the ids that they have here.
  std::vector<RemoteAddress> remotes_;  ///< At most kMostRemotes.
  std::vector<Announcement> announcements_;
  RestTable rests_;
  Instant plan_at_ = kNever;             ///< When the path manager is asked again.
  Instant settled_at_ = kNever;          ///< By then the peer has announced what it has.
  dataplane::Ring<PathChange> changes_;  ///< At most kMostChanges.
};

template <class F>
void Connection::for_each_alive(F&& visit) {
  for (auto& subflow : places())
    if (subflow && subflow->is_alive()) visit(*subflow);
}
template <class F>
void Connection::for_each_alive(F&& visit) const {
  for (const auto& subflow : places())
    if (subflow && subflow->is_alive()) visit(std::as_const(*subflow));
}

}  // namespace mptcp
