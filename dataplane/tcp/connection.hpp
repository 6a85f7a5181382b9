#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "cc/controller.hpp"
#include "dataplane/base/block_pool.hpp"
#include "dataplane/base/packet.hpp"
#include "dataplane/base/seq.hpp"
#include "dataplane/base/time.hpp"
#include "dataplane/tcp/config.hpp"
#include "dataplane/tcp/ecn.hpp"
#include "dataplane/tcp/frto.hpp"
#include "dataplane/tcp/mtu_search.hpp"
#include "dataplane/tcp/pacer.hpp"
#include "dataplane/tcp/peer_syn.hpp"
#include "dataplane/tcp/prr.hpp"
#include "dataplane/tcp/rack.hpp"
#include "dataplane/tcp/receive_buffer.hpp"
#include "dataplane/tcp/rtt.hpp"
#include "dataplane/tcp/scoreboard.hpp"
#include "dataplane/tcp/send_buffer.hpp"
#include "dataplane/tcp/state.hpp"
#include "dataplane/tcp/stats.hpp"
#include "dataplane/tcp/tail_probe.hpp"
#include "dataplane/tcp/undo.hpp"
#include "dataplane/wire/segment.hpp"

namespace dataplane::tcp {

/// What the connections of one core share. It outlives them.
struct Environment {
  BlockPool& blocks;
  Stats& stats;
  MemoryBudget& receive_memory;
};

/// What the core chooses for a new connection.
struct OpenParameters {
  const Config& config;
  SeqNum iss;                          ///< RFC 6528.
  std::uint32_t timestamp_offset = 0;  ///< RFC 7323 §7.1: TSval does not show the clock.
  std::uint16_t mss = 536;  ///< Payload of a segment without options on our link: what we announce.
};

/// What an input caused, for the layer above: a set of bits.
struct Outcome {
  bool established = false;
  bool readable = false;       ///< New octets in order.
  bool end_of_stream = false;  ///< The peer's FIN was reached.
  bool writable = false;       ///< Room in the send buffer where there was none.
  bool closed = false;    ///< The connection is over or in TIME-WAIT: nothing more will happen for
                          ///< the application.
  bool accepted = false;  ///< The segment is the peer's, as far as its sequence number, its flags
                          ///< and its ACK can say.
};

/// One TCP connection (RFC 9293), sans-IO: segments, times and commands go in, segments and values
/// come out.
///
///      acknowledged      in flight             may be sent         not yet
///   ------------------|-----------------|--------------------|-------------
///                  SND.UNA           SND.NXT         SND.UNA + SND.WND
///
///      taken             may be received                           not yet
///   ------------------|------------------------------------------|---------
///                  RCV.NXT                                 RCV.NXT + RCV.WND
class Connection {
 public:
  /// Active open: the first poll_transmit() gives the SYN.
  Connection(const Environment& environment, const OpenParameters& open, Instant now);
  /// Passive open, after our SYN-ACK was answered: the answering segment goes through on_segment()
  /// next. `syn_ack_sent`: for a first RTT sample; empty when it was sent more than once or by a
  /// cookie.
  Connection(const Environment& environment, const OpenParameters& open, const PeerSyn& syn,
             Instant now, std::optional<Instant> syn_ack_sent);

  // Inputs: each returns what it caused.
  Outcome on_segment(Instant now, wire::TcpSegment segment);  ///< RFC 9293 §3.10.7
  /// A segment and the payload of others that continue it (wire::ReceivedSegment). Takes from the
  /// front of `more` what can be taken without a look at its header; the rest goes through here
  /// again.
  Outcome on_run(Instant now, wire::TcpSegment segment, std::span<Packet>& more);
  /// Takes note of segments that continue the last one, `seq` being the place of their first octet,
  /// for a caller who takes all that is in order at once and keeps these octets, too. Returns how
  /// many are taken, from the front on: none while there are holes, or packets to take.
  std::size_t pass_run(Instant now, SeqNum seq, std::span<const Packet> run);
  Outcome on_deadline(Instant now);  ///< Calling too early does nothing.
  /// A segment of ours with sequence number `quoted` was too big; `mss` fits (RFC 1191, RFC 8201,
  /// RFC 5927 §7).
  void on_packet_too_big(Instant now, SeqNum quoted, std::uint16_t mss);
  /// ICMP unreachable, or the next hop is silent: ends an attempt to connect, only noted afterwards
  /// (RFC 5461).
  Outcome on_unreachable(SeqNum quoted);

  // Outputs: ask after any input, until there is nothing.
  /// Fills `out` with the next segment; its pieces are valid until the next call of anything here.
  /// New data may come as several full segments in one, `most` of them.
  bool poll_transmit(Instant now, wire::TxSegment& out, std::uint32_t most = 1);
  Instant next_deadline() const;

  // Commands of the layer above.
  std::size_t write(ByteSpan octets);
  /// By reference: the octets stay valid until acknowledged, or until the connection is destroyed.
  std::size_t write_reference(ByteSpan octets);
  std::size_t writable() const;
  std::size_t read(Instant now, MutableByteSpan out);
  Packet take_packet(Instant now);
  std::size_t readable() const { return receive_.readable(); }
  bool at_end_of_stream() const { return fin_received_ && receive_.readable() == 0; }
  void close();  ///< FIN after what is queued; reading goes on (RFC 9293 §3.10.4).
  void abort();  ///< RST by the next poll_transmit(), everything dropped (RFC 9293 §3.10.5).
  /// The application has gone: octets that still arrive are answered with a reset (RFC 1122
  /// §4.2.2.13).
  void detach(Instant now);

  State state() const { return state_; }
  CloseReason close_reason() const { return reason_; }
  /// Nothing more to send or to wait for: the owner may forget it.
  bool is_finished() const { return state_ == State::Closed && !reset_pending_; }
  bool is_time_wait() const { return state_ == State::TimeWait; }
  /// For coupled congestion control among the subflows of one connection.
  std::optional<cc::Sibling> sibling() const { return cc::sibling(cc_); }
  void on_coupling(const cc::Coupling& coupling) { cc::on_coupling(cc_, coupling); }
  /// Whether a SYN that arrives in TIME-WAIT may open anew (RFC 9293 §3.10.7.4, RFC 6191 §2).
  bool allows_reuse_by(const wire::TcpHeader& syn) const;
  SeqNum snd_nxt() const { return snd_nxt_; }
  SeqNum iss() const { return iss_; }
  bool has_received_fin() const { return fin_received_; }
  /// Whether reading has opened the window far enough for an ACK of its own.
  bool wants_to_ack() const { return ack_now_; }

  // For a layer above that has more to say in the options, more than one connection, and buffers
  // and a window of its own.
  /// Octets of options, multiples of 4, that the caller will add to each segment with payload and
  /// to each one without.
  void reserve_options(std::uint8_t with_payload, std::uint8_t without) {
    reserve_with_payload_ = with_payload;
    reserve_without_ = without;
  }
  /// From now on no segment holds both what was written before and what is written after.
  void separate_writes() { send_.separate(); }
  /// The window is the caller's from now on: `window` octets are announced with each segment until
  /// the next call, also when that takes back what was announced before. `buffer` bounds the memory
  /// of octets behind a hole.
  void set_receive_window(std::uint32_t window, std::uint32_t buffer);
  /// An ACK is sent even if nothing asks for one.
  void request_ack() { ack_now_ = is_synchronized(state_); }
  /// The same without payload and before any: there are options that fit into no data segment.
  void request_bare_ack() { ack_now_ = bare_ack_wanted_ = is_synchronized(state_); }
  /// Octets that may be written now without waiting here: what the congestion window and the peer's
  /// window leave, and one segment more, so that what limits the flight is seen.
  std::uint32_t send_room() const;
  /// Octets per second at which segments leave; 0: as fast as the window allows.
  std::uint64_t pacing_rate() const { return pacer_.rate(); }
  /// Octets that were written and not sent yet.
  std::uint64_t unsent_octets() const { return unsent(); }
  /// Where in the stream of written octets a segment of ours starts that was just made.
  std::uint64_t position_of(SeqNum seq) const { return stream_una_ + (seq - snd_una_); }
  /// Positions of the first octet that is not acknowledged, and of the next to be written.
  std::uint64_t acked_position() const { return stream_una_; }
  std::uint64_t written_position() const { return send_.end(); }
  /// What the window field of a segment of the peer says, in octets.
  std::uint32_t window_of(const wire::TcpHeader& header) const;
  SeqNum rcv_nxt() const { return rcv_nxt_; }
  SeqNum irs() const { return irs_; }
  /// Retransmission timeouts one after another, without anything acknowledged between them.
  std::uint8_t timeouts_in_row() const { return rtt_.backoff(); }
  /// What was lost is being sent again.
  bool is_repairing() const { return recovery_ != Recovery::None; }
  /// The congestion window is reduced as by a loss, because octets here keep others waiting.
  void penalise(Instant now) {
    if (recovery_ != Recovery::None) return;
    cc::on_loss(cc_, now, snd_nxt_ - snd_una_);
    ecn_answer_.on_reduced(snd_nxt_, false);
  }
  /// No retransmission timeout is longer from now on.
  void limit_rto(Duration longest) { rtt_.limit(longest); }
  /// The peer takes nothing now: timeouts say nothing about the path.
  bool is_window_closed() const { return snd_wnd_ == 0; }
  Duration srtt() const { return rtt_.srtt(); }
  Duration min_rtt() const { return rtt_.min_rtt(); }
  Duration rto() const { return rtt_.rto(); }

  /// For SocketInfo.
  struct Info {
    std::uint64_t bytes_sent, bytes_acked, bytes_received;
    std::uint64_t segments_sent, segments_received, segments_retransmitted;
    Duration srtt, rttvar, rto;
    std::uint64_t cwnd, in_flight, snd_wnd, rcv_wnd;
    std::uint32_t mss;
  };
  Info info() const;
  /// Payload of a full segment.
  std::uint32_t mss() const { return payload_room(); }

 private:
  enum class Timer : std::uint8_t {
    Retransmit,  ///< RFC 6298; for SYN, data, FIN and zero-window probes.
    Persist,     ///< Before the first zero-window probe (RFC 9293 §3.8.6.1), and the SWS override.
    DelayedAck,
    Keepalive,
    State,      ///< The end of TIME-WAIT, or of FIN-WAIT-2 when nobody reads.
    Trim,       ///< Gives memory of an idle connection back.
    Pace,       ///< When the pacer lets more segments go.
    Reorder,    ///< When what is only late so far is lost (RFC 8985 §6.3).
    TailProbe,  ///< When the end of a flight is asked for (RFC 8985 §7.2).
  };
  static constexpr std::size_t kTimers = 9;

  // handshake.cpp
  void negotiate(const PeerSyn& syn);
  void negotiate_ecn(const PeerSyn& syn);
  Outcome on_syn_sent(Instant now, const wire::TcpSegment& segment);
  void become_established(Instant now, Outcome& out);
  bool emit_syn(Instant now, wire::TxSegment& out);

  // input.cpp: the steps of RFC 9293 §3.10.7.4.
  bool continues_run(SeqNum seq) const;
  bool check_sequence(Instant now, const wire::TcpSegment& segment);
  void note_timestamp(Instant now, const wire::TcpHeader& header);
  bool check_paws(Instant now, const wire::TcpSegment& segment);
  bool is_overtaken(std::uint32_t value) const;
  bool check_reset(Instant now, const wire::TcpSegment& segment, Outcome& out);
  bool check_syn(Instant now, const wire::TcpSegment& segment);
  void accept_text(Instant now, wire::TcpSegment& segment, Outcome& out);
  void note_marks(const wire::TcpSegment& segment);
  void accept_fin(Instant now, const wire::TcpSegment& segment, Outcome& out);
  void reject_as_duplicate(Instant now, const wire::TcpSegment& segment);
  bool trim_to_window(wire::TcpSegment& segment);
  void note_arrival(Instant now);
  bool keep_text(Instant now, SeqNum seq, Packet text, Outcome& out);
  void schedule_ack(Instant now, std::uint32_t octets, bool at_once);
  Duration ack_spacing() const;
  void challenge(Instant now);
  void measure_receive_rate(Instant now, std::size_t read);

  // ack.cpp
  bool apply_ack(Instant now, const wire::TcpSegment& segment, Outcome& out);
  void on_new_ack(Instant now, const wire::TcpSegment& segment, const Scoreboard::Acked& acked,
                  Outcome& out);
  void detect_loss(Instant now, const Scoreboard::Acked& acked, bool duplicate,
                   std::uint64_t in_flight);
  void tell_controller(Instant now, const Scoreboard::Acked& acked, std::uint64_t in_flight,
                       bool is_marked);
  void enter_recovery(Instant now, std::uint64_t in_flight);
  bool detects_by_time() const { return sack_ && config_.rack; }
  void detect_by_time(Instant now);
  void undo_if_spurious(const wire::SackBlock& duplicate);
  void judge_timeout(const wire::TcpSegment& segment, const Scoreboard::Acked& acked,
                     bool duplicate);
  void undo_timeout();
  void react_to_loss(Instant now, std::uint64_t in_flight);
  void end_recovery(bool lost);
  void update_send_window(Instant now, const wire::TcpSegment& segment);
  void take_rtt_sample(Instant now, const wire::TcpSegment& segment,
                       const Scoreboard::Acked& acked);
  void on_fin_acked(Instant now, Outcome& out);
  std::uint32_t pipe() const;
  std::uint64_t congestion_window() const;

  // output.cpp
  bool emit_retransmission(Instant now, wire::TxSegment& out);
  bool emit_new(Instant now, wire::TxSegment& out, std::uint32_t most);
  bool emit_new_after_timeout(Instant now, wire::TxSegment& out);
  void on_nothing_to_send();
  void on_window_full(Instant now);
  bool emit_tail_probe(Instant now, wire::TxSegment& out);
  void resend(Instant now, const Scoreboard::Sent& segment, wire::TxSegment& out);
  bool emit_turn(Instant now, wire::TxSegment& out);
  bool emit_ack(Instant now, wire::TxSegment& out);
  bool emit_reset(wire::TxSegment& out);
  std::uint32_t new_payload_length(std::uint32_t room);
  std::uint32_t full_segments(Instant now, std::uint32_t room, std::uint32_t most) const;
  void gather(std::uint32_t length, std::uint32_t room, wire::TxSegment& out);
  bool check_pace(Instant now);
  void pace_refill(Instant now);
  void note_departure(Instant now, std::uint32_t length);
  void start_segment(Instant now, SeqNum seq, wire::TxSegment& out) const;
  void add_sack_blocks(wire::TcpOptions& options, std::size_t reserved) const;
  bool has_sacks_for_an_ack_only() const;
  void on_ack_emitted(Instant now, std::uint32_t segments = 1);
  void on_data_emitted(Instant now, std::uint32_t segments);
  void mark_capable(wire::TxSegment& out);
  void on_new_emitted(Instant now, const wire::TxSegment& out);
  std::uint16_t announce_window();
  std::uint32_t timestamp(Instant now) const;
  std::uint64_t unsent() const;
  std::uint32_t payload_room() const;
  std::uint32_t size_probe(Instant now, std::uint32_t room, std::uint64_t queued) const;
  void set_payload_room(std::uint32_t octets);
  std::uint32_t payload_room_beside(const wire::TcpOptions& options) const;
  std::uint32_t send_limit() const;

  // deadline.cpp
  void arm(Timer timer, Instant at) { deadlines_[static_cast<std::size_t>(timer)] = at; }
  void disarm(Timer timer) { arm(timer, kNever); }
  bool is_armed(Timer timer) const { return deadlines_[static_cast<std::size_t>(timer)] != kNever; }
  bool take_expired(Timer timer, Instant now);
  void rearm_retransmit(Instant now);
  void on_retransmit_timeout(Instant now, Outcome& out);
  void arm_tail_probe(Instant now);
  void on_reorder_timeout(Instant now);
  void enter_timeout_recovery(Instant now);
  bool is_in_black_hole(Instant now);
  void on_keepalive(Instant now, Outcome& out);
  bool gives_up(Instant now) const;
  void enter_time_wait(Instant now);
  void finish(CloseReason reason, Outcome& out);
  void maybe_trim();

  Environment env_;
  Config config_;

  State state_ = State::Closed;
  CloseReason reason_ = CloseReason::None;

  // Send sequence variables (RFC 9293 §3.3.1). snd_una_ <= snd_nxt_; a retransmission does not move
  // snd_nxt_ back.
  SeqNum iss_;
  SeqNum snd_una_;
  SeqNum snd_nxt_;
  SeqNum snd_wl1_;  ///< SEG.SEQ of the last window update.
  SeqNum snd_wl2_;  ///< SEG.ACK of the last window update.
  std::uint32_t snd_wnd_ = 0;
  std::uint32_t max_snd_wnd_ = 0;
  std::uint64_t stream_una_ =
      0;                   ///< Position in the send buffer of the first octet not acknowledged.
  std::uint16_t our_mss_;  ///< What we announced, and the most that our link takes.
  std::uint16_t peer_mss_ = kDefaultMss;
  std::uint16_t snd_mss_ = kDefaultMss;  ///< The lesser of both and of what path MTU discovery
                                         ///< found; options not subtracted.
  std::uint8_t snd_wscale_ = 0;
  std::uint8_t rcv_wscale_ = 0;

  // Receive sequence variables.
  SeqNum irs_;
  SeqNum rcv_nxt_;
  SeqNum rcv_adv_;        ///< The right edge that we announced; it never moves back.
  SeqNum last_ack_sent_;  ///< RFC 7323 §4.3.
  std::uint32_t rcv_buffer_ = 0;
  std::optional<std::uint32_t> given_window_;  ///< Of set_receive_window().
  std::uint32_t rcv_mss_ =
      kDefaultMss;  ///< The largest payload seen: what a full segment of the peer is.
  std::uint32_t ts_recent_ = 0;
  Instant ts_recent_at_{};
  std::uint32_t ts_offset_;

  std::uint8_t reserve_with_payload_ = 0;  ///< Of reserve_options().
  std::uint8_t reserve_without_ = 0;
  bool timestamps_ = false;  ///< Negotiated (RFC 7323 §3.2).
  bool sack_ = false;        ///< Negotiated (RFC 2018 §2).
  bool fin_queued_ = false;
  bool fin_sent_ = false;
  bool fin_received_ = false;
  bool detached_ = false;
  bool syn_pending_ = false;    ///< SYN or SYN-ACK is to be sent.
  bool reset_pending_ = false;  ///< RST for the connection is to be sent.
  std::optional<SeqNum>
      reset_reply_;  ///< RST with this SEQ answers a segment; the connection goes on.
  bool ack_now_ = false;
  bool bare_ack_wanted_ = false;
  bool probe_pending_ =
      false;  ///< One octet beyond the window is to be sent, or what SWS avoidance held back.
  bool probe_in_flight_ = false;
  bool keepalive_pending_ = false;
  bool tail_probe_pending_ = false;
  bool was_full_ = false;      ///< The application was told that there is no room.
  bool cwnd_limited_ = false;  ///< The congestion window was what stopped the last flight.

  // Loss recovery (RFC 5681, RFC 6675, RFC 6582 without SACK).
  enum class Recovery : std::uint8_t { None, Fast, Timeout };
  Recovery recovery_ = Recovery::None;
  bool refilling_ = false;  ///< The pacer stands in for the ACK clock.
  bool force_retransmit_ =
      false;  ///< The first retransmission of a recovery does not wait for cwnd.
  std::uint8_t duplicate_acks_ = 0;
  SeqNum recovery_point_;
  std::uint32_t reno_left_network_ =
      0;  ///< Without SACK: octets that duplicate ACKs say have arrived.

  std::uint32_t delayed_octets_ = 0;  ///< Received since the last ACK was sent.
  Instant last_ack_at_{};
  std::uint8_t quick_acks_ =
      8;  ///< ACKs to be sent without delay, while the peer's window is small.
  std::uint8_t syn_retries_ = 0;
  std::uint8_t keepalive_sent_ = 0;
  std::optional<wire::SackBlock> dsack_;

  EcnEcho ecn_echo_;
  EcnAnswer ecn_answer_;
  Scoreboard scoreboard_;
  Rack rack_;
  TailProbe tail_probe_;
  Undo undo_;
  Frto frto_;
  MtuSearch mtu_search_;
  Prr prr_;
  Pacer pacer_;
  RttEstimator rtt_;
  cc::AnyController cc_;
  SendBuffer send_;
  ReceiveBuffer receive_;

  std::array<Instant, kTimers> deadlines_;
  Instant unacked_since_{};  ///< Since when the peer has acknowledged nothing new.
  Instant last_arrival_{};
  Instant last_sent_{};
  Instant challenge_allowed_{};  ///< RFC 5961 §7, per connection.
  Instant syn_sent_at_{};

  // Receive buffer autotuning: what the application reads in a round trip decides how much must be
  // on the way.
  Instant rate_epoch_{};
  std::uint32_t rate_read_ = 0;
  std::uint32_t rate_best_ = 0;

  std::uint64_t bytes_sent_ = 0;
  std::uint64_t bytes_received_ = 0;
  std::uint64_t segments_sent_ = 0;
  std::uint64_t segments_received_ = 0;
  std::uint64_t segments_retransmitted_ = 0;
};

}  // namespace dataplane::tcp
