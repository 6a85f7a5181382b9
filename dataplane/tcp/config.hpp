#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "cc/kind.hpp"
#include "dataplane/base/time.hpp"

namespace dataplane::tcp {

/// What a connection does about ECN (RFC 3168 §6.1.1).
enum class EcnMode : std::uint8_t {
  Off,
  Answer,  ///< Used where the peer asks for it.
  On,      ///< Asked for, too.
};
inline constexpr std::size_t kEcnModeCount = 3;
/// As in a configuration file: "off", "answer", "on".
std::string_view name_of(EcnMode mode);
std::optional<EcnMode> ecn_mode_named(std::string_view name);

/// What may be chosen per connection. Defaults are right for one bulk transfer.
struct Config {
  /// RTO bounds (RFC 6298 §2.4 lets a finer clock use less than a second).
  Duration rto_min = 200ms;
  Duration rto_max = 60s;
  Duration rto_initial = 1s;  ///< RFC 6298 §2.1.

  /// SYN retransmissions before the attempt fails, and the same for an answered SYN.
  std::uint8_t syn_retries = 6;
  /// How long data may stay unacknowledged before the connection fails (RFC 9293 §3.8.3); 0: never.
  Duration user_timeout = 120s;
  /// Idle time before the first keepalive probe; 0: no keepalive (RFC 9293 §3.8.4).
  Duration keepalive_idle = 0s;
  Duration keepalive_interval = 10s;
  std::uint8_t keepalive_probes = 6;

  /// Longest wait for a second segment before an ACK (RFC 9293 §3.8.6.3: below 500 ms).
  Duration delayed_ack = 40ms;
  /// TIME-WAIT. RFC 9293 asks for 2 MSL; 2 x 30 s is what the field uses.
  Duration time_wait = 60s;
  /// How long FIN-WAIT-2 lasts after our side was closed for both directions.
  Duration fin_wait_2 = 60s;

  bool nagle = false;          ///< Off: a bulk sender fills segments anyway (RFC 9293 §3.7.4).
  bool timestamps = true;      ///< RFC 7323 §3.
  bool sack = true;            ///< RFC 2018.
  bool window_scaling = true;  ///< RFC 7323 §2.
  bool rack = true;  ///< With SACK: losses by time and tail probes (RFC 8985); else RFC 6675.

  /// Where segments vanish for their size and no ICMP says so, it falls, and is found again by
  /// probes (RFC 4821).
  bool mtu_probing = true;

  /// Receive buffer: where autotuning starts and where it ends, octets, at most 1 GiB (RFC 7323
  /// §2.3).
  std::uint32_t receive_buffer_initial = 256 * 1024;
  std::uint32_t receive_buffer_max = 256 * 1024 * 1024;
  /// Send buffer, octets that the application may have written and the peer not acknowledged.
  std::uint32_t send_buffer_initial = 256 * 1024;
  std::uint32_t send_buffer_max = 256 * 1024 * 1024;

  /// Congestion is told by marks where routers do so, instead of by losses. Asking is not the
  /// default, because some old firewalls drop a SYN that asks: that costs a retransmission, which
  /// does not ask any more.
  EcnMode ecn = EcnMode::Answer;

  cc::Kind congestion_control = cc::Kind::Cubic;
  /// Segments in the first flight (RFC 6928).
  std::uint8_t initial_window_segments = 10;
};

/// What holds: DCTCP asks in any case, as marks are what it goes by.
constexpr EcnMode ecn_mode(const Config& config) {
  return config.congestion_control == cc::Kind::Dctcp ? EcnMode::On : config.ecn;
}

inline constexpr std::uint32_t kMaxReceiveBuffer = 1U << 30;  ///< RFC 7323 §2.3.

/// The smallest shift with which 16 bits can say `window` (RFC 7323 §2.3).
constexpr std::uint8_t window_scale_for(std::uint32_t window) {
  std::uint8_t shift = 0;
  while (shift < 14 && (0xffffU << shift) < window)
    ++shift;
  return shift;
}

/// Why a connection ended.
enum class CloseReason : std::uint8_t {
  None,
  Finished,     ///< Both sides closed in good order.
  Refused,      ///< RST in answer to our SYN.
  Reset,        ///< RST from the peer.
  Aborted,      ///< We sent RST, or gave up on our own wish.
  TimedOut,     ///< Nothing acknowledged for the user timeout, SYN retries or keepalive probes used
                ///< up.
  Unreachable,  ///< ICMP or the neighbour cache says that the host cannot be reached.
};
std::string_view name_of(CloseReason reason);

}  // namespace dataplane::tcp
