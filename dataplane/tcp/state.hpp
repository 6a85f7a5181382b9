#pragma once

#include <cstdint>
#include <string_view>

namespace dataplane::tcp {

/// RFC 9293 §3.3.2. LISTEN is the listener's; it has no connection.
enum class State : std::uint8_t {
  Closed,
  SynSent,
  SynReceived,
  Established,
  FinWait1,
  FinWait2,
  CloseWait,
  Closing,
  LastAck,
  TimeWait,
};

/// As RFC 9293 spells it, such as "FIN-WAIT-1".
std::string_view name_of(State state);

/// Both sides know both initial sequence numbers.
constexpr bool is_synchronized(State s) { return s >= State::Established; }
/// Our FIN is not queued yet: the application may still write.
constexpr bool may_write(State s) {
  return s == State::SynSent || s == State::SynReceived || s == State::Established ||
         s == State::CloseWait;
}
/// The peer may still send octets.
constexpr bool may_receive(State s) {
  return s == State::Established || s == State::FinWait1 || s == State::FinWait2;
}
/// Data and FIN may be in flight from us.
constexpr bool may_send(State s) {
  return s == State::Established || s == State::CloseWait || s == State::FinWait1 ||
         s == State::Closing || s == State::LastAck;
}

}  // namespace dataplane::tcp
