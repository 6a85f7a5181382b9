#include <algorithm>

#include "mptcp/connection.hpp"

namespace mptcp {
namespace {

/// Octets that one decision gives to one subflow.
constexpr std::uint32_t kBurst = 65'536;
/// Decisions of one turn; the rest waits for the next.
constexpr int kGrantsPerTurn = 64;
/// Mappings of a subflow that one look for late octets goes through.
constexpr std::size_t kMappingsPerLook = 64;

}  // namespace

Subflow* Connection::choose(std::optional<Dsn> head) {
  Subflow* best = nullptr;
  bool regular_alive = false;
  // A backup carries data only when no regular subflow can (RFC 8684 §3.3.8).
  for_each_alive([&](Subflow& subflow) {
    if (subflow.may_carry() && !subflow.is_backup() && !subflow.stale) regular_alive = true;
  });
  for_each_alive([&](Subflow& subflow) {
    if (!subflow.may_carry() || (regular_alive && (subflow.is_backup() || subflow.stale))) return;
    if (room_of(subflow) == 0 || (head && subflow.carries(*head))) return;
    if (best != nullptr) {
      if (best->stale != subflow.stale) {
        if (best->stale) best = &subflow;
        return;
      }
      if (best->tcp.srtt() <= subflow.tcp.srtt()) return;
    }
    best = &subflow;
  });
  return best;
}

void Connection::schedule_reinjections() {
  for (int i = 0; i < kGrantsPerTurn && !reinject_.empty(); ++i) {
    const Dsn at = reinject_.front().begin;
    Subflow* subflow = choose(at);
    if (subflow == nullptr) return;
    const std::uint64_t left = reinject_.front().length();
    const auto length =
        static_cast<std::uint32_t>(std::min<std::uint64_t>({left, kBurst, room_of(*subflow)}));
    const std::uint32_t given = give(*subflow, at, length);
    if (given == 0) return;
    env_.stats.mptcp_retrans += given;
    reinject_.erase_below(at + given);
  }
}

void Connection::reinject(const Subflow& subflow) {
  for (std::size_t i = 0; i < subflow.sent.size(); ++i) {
    const Mapping& mapping = subflow.sent[i];
    const Dsn begin = max(mapping.dsn, send_.begin());
    if (begin < mapping.dsn_end()) reinject_.insert(begin, mapping.dsn_end());
  }
}

bool Connection::is_carried_well(Dsn dsn) const {
  bool carried = false;
  for_each_alive([&](const Subflow& subflow) {
    if (!subflow.stale && subflow.carries(dsn)) carried = true;
  });
  return carried;
}

Connection::Stall Connection::stall(Instant now) const {
  const Demand wanted = demand(now);
  if (wanted.waiting != 0) return wanted.window_room == 0 ? Stall::Window : Stall::None;
  if (send_.begin() == data_nxt_) return Stall::None;
  if (fin_queued_) return Stall::Tail;
  return was_full_ ? Stall::Buffer : Stall::None;
}

Duration Connection::time_until_acked(const Subflow& subflow, std::uint64_t position) const {
  const auto info = subflow.tcp.info();
  const double windows = static_cast<double>(position - subflow.tcp.acked_position()) /
                         static_cast<double>(std::max<std::uint64_t>(info.cwnd, info.mss));
  // What is lost has its round trip before it.
  const double rounds = windows + (subflow.tcp.is_repairing() ? 1 : 0);
  return Duration(static_cast<Duration::rep>(static_cast<double>(info.srtt.count()) * rounds));
}

std::optional<Connection::Late> Connection::first_late(const Subflow& fast) const {
  std::optional<Late> first;
  const Duration patience = fast.tcp.srtt();
  for_each_alive([&](const Subflow& slow) {
    if (&slow == &fast || slow.tcp.srtt() <= patience) return;
    for (std::size_t i = 0; i < std::min(slow.sent.size(), kMappingsPerLook); ++i) {
      const Mapping& mapping = slow.sent[i];
      if (first && mapping.dsn >= first->begin) continue;
      const Dsn begin = rescued_.first_gap(max(mapping.dsn, send_.begin()));
      if (begin >= mapping.dsn_end() || (first && begin >= first->begin)) continue;
      if (fast.carries(begin)) continue;
      const std::uint64_t position = mapping.position + (begin - mapping.dsn);
      if (time_until_acked(slow, position) <= patience) continue;
      first = Late{begin, mapping.dsn_end()};
    }
  });
  return first;
}

void Connection::schedule_opportunistic(Instant now) {
  if (usable_subflows() < 2) return;
  const Stall why = stall(now);
  if (why == Stall::None) return;
  for (int i = 0; i < kGrantsPerTurn; ++i) {
    Subflow* const fast = choose(std::nullopt);
    if (fast == nullptr) return;
    if (why == Stall::Window) penalise(now, *fast);
    if (!config_.opportunistic_retransmission) return;
    const std::optional<Late> late = first_late(*fast);
    if (!late) return;
    const auto length = static_cast<std::uint32_t>(
        std::min<std::uint64_t>({late->end - late->begin, kBurst, room_of(*fast)}));
    const std::uint32_t given = give(*fast, late->begin, length);
    if (given == 0) return;
    rescued_.insert(late->begin, late->begin + given);
    env_.stats.mptcp_retrans += given;
    env_.stats.opportunistic += given;
  }
}

void Connection::penalise(Instant now, const Subflow& fast) {
  if (!config_.penalisation) return;
  for_each_alive([&](Subflow& slow) {
    if (slow.tcp.srtt() <= fast.tcp.srtt() || now < slow.penalised_until) return;
    // A window whose octets wait in a queue costs no rate when it is reduced; any other does.
    if (slow.tcp.srtt() < 2 * slow.tcp.min_rtt() || !slow.carries(send_.begin())) return;
    slow.tcp.penalise(now);
    slow.penalised_until = now + slow.tcp.srtt();
    ++env_.stats.penalties;
  });
}

}  // namespace mptcp
