#include "dataplane/tcp/listener.hpp"

#include <algorithm>

namespace dataplane::tcp {

using wire::TcpFlags;

wire::TxSegment syn_ack(const PeerSyn& syn, const SynAnswer& answer, const Config& config) {
  wire::TxSegment out;
  out.header.seq = answer.iss;
  out.header.ack = syn.irs + 1U;
  out.header.flags = TcpFlags::Syn | TcpFlags::Ack;
  if (ecn_mode(config) != EcnMode::Off && syn.ecn) out.header.flags |= TcpFlags::Ece;
  out.header.window =
      static_cast<std::uint16_t>(std::min<std::uint32_t>(config.receive_buffer_initial, 0xffff));
  out.header.options.mss = answer.mss;
  if (config.window_scaling && syn.window_scale)
    out.header.options.window_scale = window_scale_for(config.receive_buffer_max);
  out.header.options.sack_permitted = config.sack && syn.sack_permitted;
  if (config.timestamps && syn.ts_recent)
    out.header.options.timestamps = wire::Timestamps{answer.ts_value, *syn.ts_recent};
  return out;
}

std::optional<wire::TxSegment> reset_for(const wire::TcpSegment& segment) {
  const wire::TcpHeader& header = segment.header;
  if (has(header.flags, TcpFlags::Rst)) return std::nullopt;
  wire::TxSegment out;
  if (has(header.flags, TcpFlags::Ack)) {
    out.header.seq = header.ack;
    out.header.flags = TcpFlags::Rst;
  } else {
    out.header.ack = header.seq + segment.length();
    out.header.flags = TcpFlags::Rst | TcpFlags::Ack;
  }
  return out;
}

}  // namespace dataplane::tcp
