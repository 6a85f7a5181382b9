#pragma once

#include <cstdint>

#include "mptcp/stats.hpp"

namespace mptcp {

/// Why a connection goes on as plain TCP, or would have (RFC 8684 §3.7).
enum class FallbackCause : std::uint8_t {
  SynAckWithoutOption,  ///< The peer does not speak MPTCP, or something took the option away.
  AckWithoutOption,     ///< The third segment had none.
  FirstSegmentWithout,  ///< The first segment behind the handshake had none.
  DataWithoutMapping,   ///< Octets came that no DSS maps.
  BadChecksum,          ///< Something changed the payload.
  PeerFellBack,         ///< MP_FAIL or an infinite mapping of the peer.
  NeverDataAcked,       ///< TCP acknowledged the first octets of ours, and no DATA_ACK came.
  SimultaneousOpen,     ///< RFC 8684 §3.1 has none.
};

/// Whether and how a connection still speaks MPTCP: the one place that decides it.
///
///   Offered ----------> Unconfirmed ----------> Established
///      |   keys known       |    the peer was heard   |
///      |                    |    with an option       | MP_FAIL, infinite mapping,
///      v                    v                         v no other subflow
///   +------------------------------------------------------+
///   |                     Infinite                         |
///   +------------------------------------------------------+
///
/// In Infinite the one subflow that is left carries the data stream as TCP would, without options,
/// and there is no way back (RFC 8684 §3.7).
class Fallback {
 public:
  enum class Phase : std::uint8_t { Offered, Unconfirmed, Established, Infinite };

  Phase phase() const { return phase_; }
  bool is_infinite() const { return phase_ == Phase::Infinite; }
  bool is_established() const { return phase_ == Phase::Established; }
  bool is_confirmed_or_infinite() const { return phase_ >= Phase::Established; }

  void on_keys_known() {
    if (phase_ == Phase::Offered) phase_ = Phase::Unconfirmed;
  }
  void on_peer_confirmed() {
    if (phase_ < Phase::Established) phase_ = Phase::Established;
  }

  /// Goes on as TCP if that is still right; false: the subflow must be reset instead.
  /// `in_order`: nothing of the data stream is missing on this side.
  bool enter(FallbackCause cause, bool alone, bool in_order, Stats& stats) {
    if (phase_ == Phase::Infinite) return true;
    const bool by_options = cause == FallbackCause::FirstSegmentWithout ||
                            cause == FallbackCause::DataWithoutMapping ||
                            cause == FallbackCause::AckWithoutOption;
    // A peer that took a FIN for the end of the data, while the other still counts on mappings,
    // would lose what is on its way: one mapping seen, and both hold to them.
    const bool too_late = by_options && seen_mapping_;
    if (!alone || !in_order || too_late) {
      ++(cause == FallbackCause::BadChecksum ? stats.dss_corruption_reset : stats.fallback_failed);
      return false;
    }
    phase_ = Phase::Infinite;
    count(cause, stats);
    return true;
  }
  /// A mapping of the peer was taken: the way back to TCP is MP_FAIL from now on.
  void on_mapping() { seen_mapping_ = true; }
  bool has_seen_mapping() const { return seen_mapping_; }

 private:
  static void count(FallbackCause cause, Stats& stats) {
    switch (cause) {
      case FallbackCause::SynAckWithoutOption:
        ++stats.mp_capable_fallback_syn_ack;
        break;
      case FallbackCause::AckWithoutOption:
        ++stats.mp_capable_fallback_ack;
        break;
      case FallbackCause::FirstSegmentWithout:
      case FallbackCause::NeverDataAcked:
        ++stats.mp_capable_data_fallback;
        break;
      case FallbackCause::DataWithoutMapping:
        ++stats.dss_fallback;
        break;
      case FallbackCause::BadChecksum:
        ++stats.dss_corruption_fallback;
        break;
      case FallbackCause::PeerFellBack:
        ++stats.infinite_map_rx;
        break;
      case FallbackCause::SimultaneousOpen:
        ++stats.simult_connect_fallback;
        break;
    }
  }

  Phase phase_ = Phase::Offered;
  bool seen_mapping_ = false;
};

}  // namespace mptcp
