#include <algorithm>

#include "mptcp/connection.hpp"
#include "mptcp/scheduler/candidates.hpp"

namespace mptcp {
namespace {

using namespace std::chrono_literals;

/// Octets that one decision gives to one subflow.
constexpr std::uint32_t kBurst = 65'536;
/// Decisions of one turn; the rest waits for the next.
constexpr int kGrantsPerTurn = 64;
/// Mappings of a subflow that one look for late octets goes through.
constexpr std::size_t kMappingsPerLook = 64;

/// The position that a subflow's acknowledgments reach in so short a time. What was sent last of
/// all that is in flight has a whole round trip before it, and what is lost has so too.
std::uint64_t acked_within(const Subflow& subflow, Duration time) {
  const std::uint64_t acked = subflow.tcp.acked_position();
  if (subflow.tcp.is_repairing()) return acked;
  const std::uint64_t flight =
      std::min(subflow.tcp.info().cwnd, subflow.tcp.written_position() - acked);
  const double round_trips =
      static_cast<double>(time.count()) /
      static_cast<double>(std::max<Duration>(subflow.tcp.srtt(), 1us).count());
  return acked + static_cast<std::uint64_t>(static_cast<double>(flight) * round_trips);
}

/// Whether what the slow one carries comes hardly later than what the fast one would send again.
bool is_comparable(const Subflow& slow, const Subflow& fast) {
  return 2 * slow.tcp.srtt() < 3 * fast.tcp.srtt();
}

/// Whether both may wait in one and the same queue. What the slow one gave up there would be taken
/// by others on that link: a rival TCP took a third of the rate of two subflows.
bool shares_queue(const Subflow& slow, const Subflow& fast) {
  const Duration slow_waits = slow.tcp.srtt() - slow.tcp.min_rtt();
  const Duration fast_waits = fast.tcp.srtt() - fast.tcp.min_rtt();
  // The second condition is for a shortest time that was measured when the queue was full already.
  return 4 * slow_waits < 5 * fast_waits || 4 * slow.tcp.srtt() < 5 * fast.tcp.srtt();
}

}  // namespace

std::uint32_t Connection::portion_for(const Subflow& subflow, std::uint64_t wanted) const {
  const std::uint64_t most = std::min<std::uint64_t>(kBurst, room_of(subflow));
  const std::uint64_t whole = whole_segments(wanted, most, subflow.tcp.mss());
  // A window that never has room for a segment is used as it is.
  const bool is_tiny = whole == 0 && subflow.is_idle();
  return static_cast<std::uint32_t>(is_tiny ? std::min(wanted, most) : whole);
}

Subflow* Connection::choose(std::optional<Dsn> head) {
  Subflow* best = nullptr;
  bool regular_alive = false;
  // A backup carries data only when no regular subflow can (RFC 8684 §3.3.8).
  for_each_alive([&](Subflow& subflow) {
    if (subflow.may_carry() && !subflow.is_backup() && !subflow.stale) regular_alive = true;
  });
  for_each_alive([&](Subflow& subflow) {
    if (!subflow.may_carry() || (regular_alive && (subflow.is_backup() || subflow.stale))) return;
    if (portion_for(subflow, kBurst) == 0 || (head && subflow.carries(*head))) return;
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
    const std::uint32_t length = portion_for(*subflow, reinject_.front().length());
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
    if (!subflow.stale && !subflow.tcp.is_window_closed() && subflow.carries(dsn)) carried = true;
  });
  return carried;
}

void Connection::reinject_head() {
  const Dsn head = send_.begin();
  reinject_.insert(head, head + whole_segments(data_nxt_ - head, kBurst, largest_mss()));
}

Connection::Stall Connection::stall(Instant now) const {
  const Demand wanted = demand(now);
  if (wanted.waiting != 0) return wanted.window_room == 0 ? Stall::Window : Stall::None;
  if (send_.begin() == data_nxt_) return Stall::None;
  if (fin_queued_) return Stall::Tail;
  return was_full_ ? Stall::Buffer : Stall::None;
}

std::optional<Connection::Late> Connection::first_late_of(Subflow& slow,
                                                          const Subflow& fast) const {
  const std::uint64_t soon = acked_within(slow, fast.tcp.srtt());
  if (soon < slow.rescued_from || soon > slow.rescued_until)
    slow.rescued_from = slow.rescued_until = soon;
  const std::size_t first = slow.sent.first_ending_after(slow.rescued_until);
  const std::size_t end = std::min(slow.sent.size(), first + kMappingsPerLook);
  for (std::size_t i = first; i < end; ++i) {
    const Mapping& mapping = slow.sent[i];
    std::uint64_t from = std::max(mapping.position, slow.rescued_until);
    // From the start of a segment: a peer that keeps what overlaps twice runs out of memory.
    from -= (from - mapping.position) % slow.tcp.mss();
    const Dsn begin = rescued_.first_gap(max(mapping.dsn_at(from), send_.begin()));
    if (begin < mapping.dsn_end() && !fast.carries(begin)) return Late{begin, mapping.dsn_end()};
    slow.rescued_until = mapping.end();
  }
  return std::nullopt;
}

std::optional<Connection::Late> Connection::first_late(const Subflow& fast) {
  std::optional<Late> first;
  for_each_alive([&](Subflow& slow) {
    if (&slow == &fast || slow.tcp.srtt() <= fast.tcp.srtt()) return;
    if (is_comparable(slow, fast) && !slow.tcp.is_repairing()) return;
    const std::optional<Late> late = first_late_of(slow, fast);
    if (late && (!first || late->begin < first->begin)) first = late;
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
    const std::uint32_t length = portion_for(*fast, late->end - late->begin);
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
    if (shares_queue(slow, fast)) return;
    slow.tcp.penalise(now);
    slow.penalised_until = now + slow.tcp.srtt();
    ++env_.stats.penalties;
  });
}

}  // namespace mptcp
