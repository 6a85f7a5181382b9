#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "dataplane/base/address.hpp"
#include "dataplane/base/packet.hpp"
#include "dataplane/base/ring.hpp"
#include "dataplane/base/time.hpp"
#include "dataplane/tcp/connection.hpp"
#include "mptcp/mapping.hpp"
#include "mptcp/shared_mappings.hpp"
#include "mptcp/signal_queue.hpp"
#include "mptcp/wire/option.hpp"

namespace mptcp {

namespace tcp = dataplane::tcp;
namespace wire = dataplane::wire;
using dataplane::Duration;
using dataplane::FourTuple;
using dataplane::Instant;
using dataplane::kNever;
using dataplane::Packet;
using dataplane::PortIndex;
using dataplane::SeqNum;

/// The place of a subflow in its connection; free for the next one when the subflow is gone.
using SubflowId = std::uint8_t;

/// What the core chooses for a new subflow.
struct SubflowOpen {
  FourTuple tuple;
  PortIndex port{};
  SeqNum iss;
  std::uint32_t timestamp_offset = 0;
  std::uint16_t mss = 536;
};

/// One TCP connection of an MPTCP connection, with what MPTCP knows of it.
struct Subflow {
  enum class Phase : std::uint8_t {
    Opening,      ///< TCP's handshake.
    Unconfirmed,  ///< We opened it, and the peer has not shown that it got the third segment.
    Ready,        ///< Data may travel both ways.
    Draining,     ///< Gets nothing new: a FIN was queued or has come.
    Over,  ///< What it carried was given to others; only TCP may still have something to say.
  };

  Subflow(const tcp::Environment& environment, const SubflowOpen& open, const tcp::Config& config,
          Instant now)
      : tcp(environment, {config, open.iss, open.timestamp_offset, open.mss}, now),
        tuple(open.tuple),
        port(open.port),
        opened_by_us(true) {}
  Subflow(const tcp::Environment& environment, const SubflowOpen& open, const tcp::Config& config,
          const tcp::PeerSyn& syn, Instant now, std::optional<Instant> syn_ack_sent)
      : tcp(environment, {config, open.iss, open.timestamp_offset, open.mss}, syn, now,
            syn_ack_sent),
        tuple(open.tuple),
        port(open.port) {}

  /// New data may be given to it.
  bool may_carry() const {
    return phase == Phase::Ready || (phase == Phase::Unconfirmed && !is_join);
  }
  bool is_alive() const { return phase != Phase::Over; }
  bool is_backup() const { return backup_here || backup_there; }
  /// All that was given to it is acknowledged.
  bool is_idle() const { return tcp.written_position() == tcp.acked_position(); }
  /// Whether an octet is given to it and not acknowledged.
  bool carries(Dsn dsn) const {
    for (std::size_t i = 0; i < sent.size(); ++i)
      if (dsn.in(sent[i].dsn, sent[i].dsn_end())) return true;
    return false;
  }

  tcp::Connection tcp;
  FourTuple tuple;
  PortIndex port{};
  Phase phase = Phase::Opening;
  bool opened_by_us = false;
  bool is_join = false;           ///< MP_JOIN; else it is the first subflow.
  bool syns_crossed = false;      ///< We answered a SYN with ours.
  bool stale = false;             ///< Timed out and has acknowledged nothing since.
  bool device_full = false;       ///< Its port takes nothing in this turn.
  bool backup_here = false;       ///< We asked for it to be a backup.
  bool backup_there = false;      ///< The peer did.
  bool sent_capable_ack = false;  ///< The ACK with both keys went out; the next may say else.
  bool valid_checksum_seen = false;
  bool said_closed = false;  ///< The last window that was announced on it had no room.
  Dsn granted_until;         ///< Where its last grant ended.
  std::uint8_t syns_sent = 0;
  std::uint8_t unmapped_in_row = 0;  ///< Segments dropped because no mapping was known.
  std::uint8_t third_acks = 0;       ///< Of a join, sent without an answer.
  AddressId local_id{};
  AddressId remote_id{};
  Nonce local_nonce{};
  Nonce remote_nonce{};
  Instant third_ack_at = kNever;  ///< When the third segment of a join is sent again.
  Instant ready_at{};
  Instant penalised_until{};

  MappingList sent;  ///< Of what TCP holds for us.
  /// Positions in `sent`: a faster subflow has sent again all between these two.
  std::uint64_t rescued_from = 0;
  std::uint64_t rescued_until = 0;
  SharedMappings shared;               ///< Those of the wire that several segments have.
  MappingList received;                ///< Of what TCP has not given to us, as far as it is mapped.
  std::uint64_t delivered = 0;         ///< Position of the next octet that TCP gives to us.
  dataplane::Ring<Packet> unverified;  ///< Octets of a mapping whose checksum waits for the rest.
  std::uint32_t unverified_octets = 0;
  std::uint64_t bytes_received = 0;

  SignalQueue signals;
  std::optional<ResetReason> reset_reason;  ///< Ours, to be said, or the peer's.
  bool fastclose = false;                   ///< The reset says that the whole connection is over.
  std::array<std::byte, kMaxOptionLength> options{};  ///< Of the segment sent last.
};

}  // namespace mptcp
