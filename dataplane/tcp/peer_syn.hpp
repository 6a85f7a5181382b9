#pragma once

#include <cstdint>
#include <optional>

#include "dataplane/base/seq.hpp"
#include "dataplane/wire/tcp_header.hpp"

namespace dataplane::tcp {

/// RFC 9293 §3.7.1: what the peer takes when its SYN says nothing.
inline constexpr std::uint16_t kDefaultMss = 536;

/// What the peer's SYN said; kept by the listener until the handshake is done.
struct PeerSyn {
  SeqNum irs;
  std::uint16_t window = 0;  ///< Never scaled (RFC 7323 §2.2).
  std::uint16_t mss = kDefaultMss;
  std::optional<std::uint8_t> window_scale;
  bool sack_permitted = false;
  std::optional<std::uint32_t> ts_recent;
  bool ecn = false;  ///< It asks for ECN, or as a SYN-ACK agrees to it (RFC 3168 §6.1.1).

  static PeerSyn from(const wire::TcpHeader& syn) {
    PeerSyn out{.irs = syn.seq,
                .window = syn.window,
                .mss = syn.options.mss.value_or(kDefaultMss),
                .window_scale = syn.options.window_scale,
                .sack_permitted = syn.options.sack_permitted,
                .ts_recent = {},
                .ecn = asks_for_ecn(syn.flags)};
    // RFC 7323 §2.3: a shift above 14 is taken as 14.
    if (out.window_scale && *out.window_scale > 14) out.window_scale = 14;
    if (syn.options.timestamps) out.ts_recent = syn.options.timestamps->value;
    return out;
  }

 private:
  static bool asks_for_ecn(wire::TcpFlags flags) {
    using wire::TcpFlags;
    if (!has(flags, TcpFlags::Ece)) return false;
    // An answer with both bits is an echo of somebody who does not know them.
    return has(flags, TcpFlags::Cwr) != has(flags, TcpFlags::Ack);
  }
};

}  // namespace dataplane::tcp
