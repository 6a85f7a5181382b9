#pragma once

#include <cstdint>

#include "dataplane/base/time.hpp"
#include "mptcp/path/kind.hpp"
#include "mptcp/scheduler/kind.hpp"
#include "mptcp/wire/ids.hpp"

namespace mptcp {

/// What may be chosen per connection about Multipath TCP.
struct Config {
  bool enabled = false;
  /// The newest that is spoken, which a SYN of ours asks for. A listener of version 0 answers a SYN
  /// of version 1 as TCP, as those did that knew no other (RFC 8684 §3.1).
  Version version = Version::V1;
  /// The oldest that is spoken with a peer who asks for it; not above `version`.
  Version oldest_version = Version::V0;
  bool checksum = false;  ///< RFC 8684 §3.3.1; on when either side wants it.
  SchedulerKind scheduler = SchedulerKind::MinRtt;
  /// Which subflows a connection opens by itself. Only the side that opened the connection does.
  PathManagerKind path_manager = PathManagerKind::FixedPairs;
  /// Subflows of one connection, at most kMaxSubflows.
  std::uint8_t max_subflows = 8;
  /// Whether our further addresses are announced to the peer (RFC 8684 §3.4.1).
  bool announce = true;
  /// SYNs with MP_CAPABLE that stay unanswered before one goes without (RFC 8684 §3.7).
  std::uint8_t syns_with_option = 3;
  /// Whether further subflows may come to the address and port of the first one; if not, the C flag
  /// says so (RFC 8684 §3.1). Behind a load balancer they would reach another host.
  bool join_first_address = true;
  /// How long connects to a destination go without MP_CAPABLE after only a SYN without it was
  /// answered there; zero: each tries anew.
  dataplane::Duration blackhole_time = std::chrono::hours(1);
  /// Where what one subflow holds keeps a faster one idle, the faster one sends it again (Raiciu et
  /// al., NSDI 2012, §4.2: opportunistic retransmission) ...
  bool opportunistic_retransmission = true;
  /// ... and the slower one's congestion window is reduced when the peer's window was the cause.
  bool penalisation = true;
  /// How long a connection lives without any subflow (RFC 8684 §3.3.3, break before make).
  dataplane::Duration close_timeout = std::chrono::seconds(60);
  /// The longest retransmission timeout of a subflow while there are others: a dead path is asked
  /// so often whether it lives again.
  dataplane::Duration probe_interval = std::chrono::seconds(2);
};

}  // namespace mptcp
