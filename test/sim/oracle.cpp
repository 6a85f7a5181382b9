#include "test/sim/oracle.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <fmt/format.h>

namespace sim {

namespace {

enum State : unsigned {
  kNone,
  kClosed,
  kListen,
  kSynSent,
  kSynReceived,
  kEstablished,
  kFinWait1,
  kFinWait2,
  kCloseWait,
  kClosing,
  kLastAck,
  kTimeWait,
  kStates
};
constexpr std::array<std::string_view, kStates> kStateNames = {
    "",           "CLOSED",     "LISTEN",     "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED",
    "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING",  "LAST-ACK",     "TIME-WAIT"};

constexpr unsigned bit(unsigned state) { return 1U << state; }

/// The arrows of RFC 9293 §3.3.2, Figure 5. Every state may also end in CLOSED.
constexpr std::array<unsigned, kStates> kArrows = [] {
  std::array<unsigned, kStates> to{};
  to[kNone] = bit(kStates) - 1;
  to[kClosed] = bit(kListen) | bit(kSynSent);
  to[kListen] = bit(kSynReceived) | bit(kSynSent);
  to[kSynSent] = bit(kSynReceived) | bit(kEstablished);
  to[kSynReceived] = bit(kEstablished) | bit(kFinWait1);
  to[kEstablished] = bit(kFinWait1) | bit(kCloseWait);
  to[kFinWait1] = bit(kFinWait2) | bit(kClosing) | bit(kTimeWait);
  to[kFinWait2] = bit(kTimeWait);
  to[kCloseWait] = bit(kLastAck);
  to[kClosing] = bit(kTimeWait);
  for (unsigned& states : to)
    states |= bit(kClosed);
  return to;
}();

/// What can be reached in one turn: several segments and calls may lie between two looks. The way
/// never leads through CLOSED, where a connection ends.
constexpr std::array<unsigned, kStates> kReachable = [] {
  std::array<unsigned, kStates> reach = kArrows;
  for (unsigned round = 0; round < kStates; ++round)
    for (unsigned from = 0; from < kStates; ++from)
      for (unsigned via = 0; via < kStates; ++via)
        if (via != kClosed && (reach[from] & bit(via)) != 0) reach[from] |= kArrows[via];
  return reach;
}();

unsigned state_of(std::string_view name) {
  for (unsigned i = 1; i < kStates; ++i)
    if (kStateNames[i] == name) return i;
  return kStates;
}

}  // namespace

std::string Violation::to_string() const {
  const double seconds = std::chrono::duration<double>(at - kStart).count();
  std::string out = fmt::format("{:.9f} s, {}: {}", seconds, host, what);
  if (!frame.empty()) out += "\n  " + frame;
  return out;
}

std::size_t TupleHash::operator()(const FourTuple& tuple) const {
  std::uint64_t hash = std::uint64_t{tuple.local.port} << 16 | tuple.remote.port;
  for (const Endpoint* end : {&tuple.local, &tuple.remote}) {
    const auto& octets = end->address.octets();
    hash =
        (hash ^ dataplane::load_be<std::uint32_t>(std::as_bytes(std::span(octets)).data() + 12)) *
        0x9e37'79b9'7f4a'7c15;
    hash ^= hash >> 29;
  }
  return hash;
}

std::size_t Oracle::add_host(HostFacts facts) {
  Host host;
  host.facts = std::move(facts);
  hosts_.push_back(std::move(host));
  return hosts_.size() - 1;
}

bool Oracle::is_watched(const IpAddress& remote) const {
  return std::find(peers_.begin(), peers_.end(), remote) != peers_.end();
}

End& Oracle::fresh(Host& host, const FourTuple& tuple) {
  const std::uint16_t server_port = host.facts.is_client ? tuple.remote.port : tuple.local.port;
  auto& all = host.ends[tuple];
  // The engine lets packets hold some times the octets that they carry, headers and all.
  const std::size_t solid = (host.facts.packet_room + 256) / 4;
  const std::uint64_t key = Content::key(server_port, host.facts.is_client);
  all.push_back(std::make_unique<End>(content_, key, solid, tuple.to_string()));
  host.cached = all.back().get();
  host.cached_tuple = tuple;
  return *host.cached;
}

End& Oracle::current(Host& host, const FourTuple& tuple) {
  if (host.cached != nullptr && host.cached_tuple == tuple) return *host.cached;
  const auto found = host.ends.find(tuple);
  if (found == host.ends.end()) return fresh(host, tuple);
  host.cached = found->second.back().get();
  host.cached_tuple = tuple;
  return *host.cached;
}

End& Oracle::end_of(std::size_t host, const FourTuple& tuple) {
  return current(hosts_[host], tuple);
}

void Oracle::fail(Instant now, std::size_t host, std::string what, ByteSpan frame) {
  if (violation_) return;
  violation_ = Violation{now, hosts_[host].facts.name, std::move(what),
                         frame.empty() ? "" : describe(frame)};
}

std::optional<std::string> Oracle::check_frame(const Host& host, ByteSpan frame) const {
  if (frame.size() < 14) return "a frame without a whole Ethernet header";
  const auto [type, at] = ether_type(frame);
  const auto is_source = [&](const dataplane::MacAddress& mac) {
    return std::memcmp(mac.octets.data(), &frame[6], mac.octets.size()) == 0;
  };
  if (std::none_of(host.facts.macs.begin(), host.facts.macs.end(), is_source))
    return "a source MAC address that is not the host's";
  if ((at == 18) != host.facts.vlan.has_value()) return "a VLAN tag too many or too few";
  if (type == kEtherArp) return {};
  const std::optional<Layout> ip = find_ip(frame);
  if (!ip) return "a malformed IP packet";
  if (ip->end - ip->ip > host.facts.mtu)
    return fmt::format("an IP packet of {} octets exceeds the MTU", ip->end - ip->ip);
  if (frame.size() > ip->end && frame.size() > 64) return "octets behind the IP packet";
  if (ip->protocol == kProtocolTcp && !find_tcp(frame)) return "a malformed TCP header";
  if (!checksums_match(frame, *ip)) return "a wrong checksum";
  return {};
}

void Oracle::on_sent(Instant now, std::size_t host_index, ByteSpan frame) {
  ++frames_checked_;
  Host& host = hosts_[host_index];
  if (std::optional<std::string> bad = check_frame(host, frame))
    return fail(now, host_index, *bad, frame);
  const std::optional<Layout> layout = find_tcp(frame);
  if (!layout) return;
  const Segment s = decode(frame, *layout);
  if (!s.options_ok) return fail(now, host_index, "malformed TCP options", frame);
  if (s.reserved != 0 || s.urgent != 0 || s.has(kUrg))
    return fail(now, host_index, "reserved or urgent bits", frame);
  if (s.has(kSyn) && (s.flags & (kFin | kRst)) != 0)
    return fail(now, host_index, "SYN with FIN or RST", frame);
  if (s.flags == 0) return fail(now, host_index, "a segment without flags", frame);
  if (!is_watched(s.destination)) return;

  const FourTuple tuple{{s.source, s.source_port}, {s.destination, s.destination_port}};
  End* end = &current(host, tuple);
  if (s.has(kRst)) {
    end->reset_sent = true;
    if (std::optional<std::string> bad = check_reset(*end, s)) fail(now, host_index, *bad, frame);
    return;
  }
  // A path of several may be over before its connection is.
  const bool over = !end->is_live() || end->multipath;
  // Behind a reset an attacker may begin a connection with its four-tuple.
  const bool reset = end->witness.reset_arrived() || (end->reset_sent && over);
  if (reset && s.has(kSyn) && s.has(kAck) && end->forged_syn == s.ack - 1) return;
  if (s.has(kSyn) && end->witness.syn_sent() && end->witness.iss() != s.seq && over) {
    // The same four-tuple again, or another answer to the same SYN.
    const std::optional<Segment> asked = end->last_syn;
    end = &fresh(host, tuple);
    if (asked && s.has(kAck)) {
      end->last_syn = asked;
      end->witness.on_delivered(now, *asked);
    }
  }
  note_multipath(*end, s);
  end->witness.allow_skipped(host.unresolved_drops * host.facts.mtu);
  if (std::optional<std::string> bad = end->witness.on_sent(now, s))
    return fail(now, host_index, *bad, frame);
  if (end->multipath) return;
  if (end->opened && end->witness.sent_end() > end->written)
    fail(now, host_index,
         fmt::format("sent {} octets of {} written", end->witness.sent_end(), end->written), frame);
  if (end->is_live() && end->witness.fin_sent() && !end->shut_down)
    fail(now, host_index, "a FIN although the application goes on writing", frame);
}

void Oracle::on_delivered(Instant now, std::size_t host_index, const Frame& frame) {
  const std::optional<Layout> layout = find_tcp(frame.data());
  if (!layout) return;
  const Segment s = decode(frame.data(), *layout);
  if (!is_watched(s.source)) return;
  Host& host = hosts_[host_index];
  End* end = &current(host, {{s.destination, s.destination_port}, {s.source, s.source_port}});
  const bool opens = s.has(kSyn) && !s.has(kAck) && !s.has(kRst);
  if (!frame.genuine()) {
    if (opens) end->forged_syn = s.seq;
    return;
  }
  if (opens) {
    end->last_syn = s;
    end->last_syn->payload = {};
  }
  note_multipath(*end, s);
  end->witness.on_delivered(now, s);
  // A server that has the peer's key from no segment yet can accept nothing (RFC 8684 §3.1).
  // And octets without a mapping may be left to come again, with one (§3.3.1).
  if (end->multipath && (!end->opened || !s.mptcp)) end->witness.owe_nothing();
  if (end->is_live()) check_overdue(now, host_index, *end);
}

void Oracle::note_multipath(End& end, const Segment& s) {
  if (s.mptcp && !s.has(kSyn)) end.carry_anything();
}

std::optional<std::string> Oracle::check_reset(const End& end, const Segment& s) const {
  if (!s.payload.empty()) return "a reset with payload";
  if (!end.is_live() || end.aborted || end.multipath) return {};
  // In SYN-SENT and SYN-RECEIVED a reset answers an acknowledgment of something else (RFC 9293
  // §3.5.2, group 2).
  if (!end.witness.syn_arrived() || !end.witness.syn_acked()) return {};
  return "a reset although the application holds the connection";
}

void Oracle::on_wrote(Instant now, End& end, std::size_t offered, std::size_t taken) {
  static_cast<void>(now);
  ASSERT(taken <= offered);
  end.written += taken;
}

void Oracle::on_read(Instant now, std::size_t host, End& end, std::uint64_t key, ByteSpan octets) {
  if (!end.multipath && end.read + octets.size() > end.witness.arrived()) {
    fail(now, host,
         fmt::format("{}: read {} octets, but only {} arrived", end.label, end.read + octets.size(),
                     end.witness.arrived()));
  }
  if (!content_.matches(key, end.read, octets))
    fail(now, host,
         fmt::format("{}: octets read at stream position {} are not those written", end.label,
                     end.read));
  end.read += octets.size();
}

void Oracle::on_end_of_stream(Instant now, std::size_t host, const End& end) {
  if (end.multipath) return;
  if (!end.witness.fin_reached())
    return fail(now, host, end.label + ": end of stream although no FIN was reached");
  if (end.read != end.witness.arrived())
    fail(now, host,
         fmt::format("{}: end of stream after {} of {} octets", end.label, end.read,
                     end.witness.arrived()));
}

void Oracle::on_closed(Instant now, std::size_t host, End& end,
                       dataplane::tcp::CloseReason reason) {
  using dataplane::tcp::CloseReason;
  end.released = true;
  // Which of its paths ended in which way says little about a connection of several.
  if (end.multipath && reason != CloseReason::None) return;
  const Witness& wire = end.witness;
  bool plausible = false;
  switch (reason) {
    case CloseReason::None:
      break;
    case CloseReason::Finished:
      // A peer that is through answers our FIN with a reset.
      plausible =
          wire.fin_sent() && wire.fin_reached() && (wire.fin_acked() || wire.reset_arrived());
      break;
    case CloseReason::Refused:
    case CloseReason::Reset:
      plausible = wire.reset_arrived();
      break;
    case CloseReason::Aborted:
      plausible = end.aborted;
      break;
    case CloseReason::TimedOut:
      plausible = timeouts_allowed_;
      break;
    case CloseReason::Unreachable:
      plausible = timeouts_allowed_ || (unreachable_allowed_ && !wire.syn_acked());
      break;
  }
  if (!plausible)
    fail(now, host,
         fmt::format("{}: closed for the reason {}, which did not happen", end.label,
                     name_of(reason)));
}

std::optional<std::string> Oracle::check_against_wire(const End& end,
                                                      std::string_view state) const {
  if (end.multipath) return {};
  const Witness& wire = end.witness;
  const unsigned now = state_of(state);
  const bool ours = now == kFinWait1 || now == kFinWait2 || now == kClosing || now == kLastAck ||
                    now == kTimeWait;
  const bool theirs = now == kCloseWait || now == kClosing || now == kLastAck || now == kTimeWait;
  if (now == kEstablished && !wire.syn_acked()) return "although its SYN was not acknowledged";
  if (ours && !end.shut_down) return "although the application did not shut down";
  if (theirs && !wire.fin_reached()) return "although the peer's FIN did not arrive";
  if ((now == kFinWait2 || now == kTimeWait) && !wire.fin_acked())
    return "although its FIN was not acknowledged";
  return {};
}

void Oracle::on_state(Instant now, std::size_t host, End& end, std::string_view state) {
  const unsigned next = state_of(state);
  if (next == kStates)
    return fail(now, host, fmt::format("{}: unknown state {}", end.label, state));
  if (next == end.state) return;
  if ((kReachable[end.state] & bit(next)) == 0)
    fail(now, host,
         fmt::format("{}: from {} to {} (RFC 9293 §3.3.2)", end.label, kStateNames[end.state],
                     state));
  if (std::optional<std::string> bad = check_against_wire(end, state))
    fail(now, host, fmt::format("{}: in {} {}", end.label, state, *bad));
  end.state = next;
}

void Oracle::on_window(Instant now, std::size_t host, End& end, std::uint64_t edge) {
  // RFC 8684 §3.3.1: it is one for all subflows, and never moves back.
  if (edge < end.window_edge)
    fail(now, host,
         fmt::format("{}: the right edge of the shared window moved back by {} octets", end.label,
                     end.window_edge - edge));
  end.window_edge = edge;
}

void Oracle::check_overdue(Instant now, std::size_t host, const End& end) {
  if (late_acks_allowed_ || !end.is_live()) return;
  if (std::optional<std::string> bad = end.witness.check_delayed_ack(now))
    fail(now, host, fmt::format("{}: {}", end.label, *bad));
}

std::uint64_t Oracle::resent_octets() const {
  std::uint64_t sum = 0;
  for (const Host& host : hosts_)
    for (const auto& [tuple, all] : host.ends)
      for (const auto& end : all)
        sum += end->witness.resent_octets();
  return sum;
}

}  // namespace sim
