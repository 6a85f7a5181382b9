#pragma once

#include <cstdint>
#include <optional>

#include "dataplane/base/time.hpp"
#include "dataplane/tcp/config.hpp"
#include "dataplane/tcp/peer_syn.hpp"
#include "dataplane/wire/segment.hpp"

namespace dataplane::tcp {

/// What a SYN-ACK says besides answering the SYN.
struct SynAnswer {
  SeqNum iss;
  std::uint16_t mss = 0;  ///< What we announce.
  std::uint32_t ts_value = 0;
};

/// The SYN-ACK of a passive open, from a table entry or for a cookie. It offers only what the SYN
/// offered.
wire::TxSegment syn_ack(const PeerSyn& syn, const SynAnswer& answer, const Config& config);

/// The reset for a segment that no connection takes (RFC 9293 §3.10.7.1); none answers a reset.
std::optional<wire::TxSegment> reset_for(const wire::TcpSegment& segment);

}  // namespace dataplane::tcp
