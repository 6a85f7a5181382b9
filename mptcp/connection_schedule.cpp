#include <algorithm>
#include <array>
#include <span>

#include "mptcp/connection.hpp"

namespace mptcp {
namespace {

/// Decisions of one turn; the rest waits for the next.
constexpr int kGrantsPerTurn = 256;
/// What is granted and not sent can go by no other path: a subflow that cannot send now gets
/// nothing, one that sends at a rate of its own what it needs until it is asked again, and the rest
/// what they send in one turn.
constexpr std::uint32_t kSegmentsAhead = 64;
constexpr std::uint64_t kPacedPerSecond = 250;  ///< 4 ms, some visits of a pacer.
/// Between two times that subflows hear of each other: about a round trip of a short path, and many
/// in one of a long path.
constexpr Duration kCoupleEvery = std::chrono::milliseconds(2);

}  // namespace

void Connection::schedule(Instant now) {
  if (over_ || !established_ || usable_subflows() == 0) return;
  if (fallback_.is_infinite()) {
    schedule_fallen_back();
    return;
  }
  limit_timeouts();
  couple_subflows(now);
  schedule_reinjections();
  schedule_new(now);
  schedule_opportunistic(now);
  schedule_probe(now);
  rearm_meta(now);
  close_subflows_when_done();
}

std::size_t Connection::usable_subflows() const {
  std::size_t usable = 0;
  for_each_alive([&](const Subflow& subflow) {
    if (subflow.may_carry()) ++usable;
  });
  return usable;
}

std::uint32_t Connection::give(Subflow& subflow, Dsn at, std::uint32_t length) {
  std::uint32_t given = 0;
  while (given < length) {
    if (!subflow.sent.empty() && subflow.sent.back().dsn_end() != at + given)
      subflow.tcp.separate_writes();
    const dataplane::ByteSpan octets = send_.lend(at + given, length - given);
    const std::uint64_t position = subflow.tcp.written_position();
    const auto taken = static_cast<std::uint32_t>(subflow.tcp.write_reference(octets));
    const auto offered = static_cast<std::uint32_t>(octets.size());
    if (taken != 0) subflow.sent.append({position, at + given, taken, {}});
    if (taken < offered) send_.give_back(at + given + taken, offered - taken);
    given += taken;
    if (taken < offered) break;
  }
  return given;
}

void Connection::schedule_fallen_back() {
  for_each_alive([&](Subflow& subflow) {
    if (!subflow.may_carry()) return;
    // TCP decides alone now; it gets what it would have been written.
    const std::uint32_t limit = send_limit();
    while (data_nxt_ != send_.end()) {
      const std::uint64_t held = subflow.tcp.written_position() - subflow.tcp.acked_position();
      if (held >= limit) break;
      const auto most = static_cast<std::uint32_t>(
          std::min<std::uint64_t>(send_.end() - data_nxt_, limit - held));
      const std::uint32_t given = give(subflow, data_nxt_, most);
      if (given == 0) break;
      data_nxt_ += given;
    }
    if (fin_queued_ && data_nxt_ == send_.end()) subflow.tcp.close();
  });
}

std::uint64_t Connection::behind_of(const Subflow& subflow) const {
  const Dsn from = max(send_.begin(), subflow.granted_until);
  return from < data_nxt_ ? data_nxt_ - from : 0;
}

std::uint32_t Connection::room_of(const Subflow& subflow) const {
  if (subflow.device_full) return 0;
  const std::uint64_t mss = subflow.tcp.info().mss;
  const std::uint64_t paced = subflow.tcp.pacing_rate() / kPacedPerSecond;
  const std::uint64_t ahead = subflow.tcp.pacing_rate() == 0
                                  ? kSegmentsAhead * mss
                                  : std::clamp(paced, 2 * mss, kSegmentsAhead * mss);
  const std::uint64_t unsent = subflow.tcp.unsent_octets();
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(subflow.tcp.send_room(), ahead - std::min(ahead, unsent)));
}

SubflowView Connection::view_of(SubflowId id) const {
  const Subflow& subflow = *subflows_[id];
  const tcp::Connection::Info info = subflow.tcp.info();
  return {.id = id,
          .backup = subflow.is_backup(),
          .stale = subflow.stale,
          .mss = info.mss,
          .srtt = info.srtt,
          .rttvar = info.rttvar,
          .cwnd = info.cwnd,
          .in_flight = info.in_flight,
          .queued = subflow.tcp.unsent_octets(),
          .room = room_of(subflow),
          .behind = behind_of(subflow)};
}

Demand Connection::demand(Instant now) const {
  Demand out;
  out.now = now;
  out.stalls = stalls_;
  out.waiting = send_.end() - data_nxt_;
  out.window_room = snd_edge_ > data_nxt_ ? snd_edge_ - data_nxt_ : 0;
  out.window = std::min<std::uint64_t>(snd_edge_ > send_.begin() ? snd_edge_ - send_.begin() : 0,
                                       tcp_config_.send_buffer_max);
  // Silly window avoidance at the data level (RFC 9293 §3.8.6.2.1): small room is no room while
  // something is on its way that will make it larger.
  const bool silly = out.window_room < largest_mss() && out.window_room < out.waiting;
  if (silly && send_.begin() != data_nxt_) out.window_room = 0;
  return out;
}

std::optional<Grant> Connection::grant_to_idle(std::span<const SubflowView> views,
                                               const Demand& wanted) const {
  // A scheduler may wait for something that is under way. When nothing is, and what a subflow's own
  // window leaves is less than a segment, there is nothing to wait for.
  const std::uint64_t most = std::min(wanted.waiting, wanted.window_room);
  if (send_.begin() != data_nxt_ || most == 0) return std::nullopt;
  const SubflowView* best =
      Candidates(views).fastest([](const SubflowView& view) { return view.room != 0; });
  if (best == nullptr) return std::nullopt;
  return Grant{best->id, false, std::min(most, best->room)};
}

void Connection::note_stall(Instant now, std::span<const SubflowView> views) {
  const Stall why = stall(now);
  const bool blocked = why == Stall::Window || why == Stall::Buffer;
  const bool has_room = std::any_of(views.begin(), views.end(),
                                    [](const SubflowView& view) { return view.room >= view.mss; });
  const bool stalled = blocked && has_room;
  if (stalled && !was_stalled_) ++stalls_;
  was_stalled_ = stalled;
}

bool Connection::may_take_new(const Subflow& subflow) const {
  if (!subflow.may_carry()) return false;
  // What is first goes in order, by one subflow, until the peer has acknowledged some of it. Linux
  // has no window before that for what comes out of order: it lets TCP acknowledge it and drops it,
  // and nothing but a timer finds out.
  const bool is_first = data_nxt_ == local_.idsn + 1U;
  return data_acked_ || is_first || subflow.tcp.written_position() != 0;
}

void Connection::schedule_new(Instant now) {
  std::array<SubflowView, kMaxSubflows> views;
  std::array<std::uint8_t, kMaxSubflows> place{};
  std::size_t count = 0;
  for (SubflowId id = 0; id < place_count_; ++id) {
    if (!subflows_[id] || !may_take_new(*subflows_[id])) continue;
    place[id] = static_cast<std::uint8_t>(count);
    views[count++] = view_of(id);
  }
  if (count == 0) return;
  std::span<const SubflowView> all = std::span(views).first(count);
  note_stall(now, all);
  for (int i = 0; i < kGrantsPerTurn; ++i) {
    const Demand wanted = demand(now);
    auto grant = next_grant(scheduler_, all, wanted);
    if (!grant || grant->octets == 0) grant = grant_to_idle(all, wanted);
    if (!grant) return;
    Subflow& subflow = *subflows_[grant->subflow];
    const Dsn at = grant->again ? max(send_.begin(), subflow.granted_until) : data_nxt_;
    const std::uint32_t given = give(subflow, at, static_cast<std::uint32_t>(grant->octets));
    if (given == 0) return;
    subflow.granted_until = at + given;
    if (!grant->again) data_nxt_ += given;
    // What is behind has changed for all, the rest for the one that got it.
    for (std::size_t k = 0; k < count; ++k)
      views[k].behind = behind_of(*subflows_[views[k].id]);
    views[place[grant->subflow]] = view_of(grant->subflow);
    if (!data_acked_) all = std::span(views).subspan(place[grant->subflow], 1);
  }
}

void Connection::couple_subflows(Instant now) {
  if (now < couple_at_) return;
  couple_at_ = now + kCoupleEvery;
  std::array<cc::Sibling, kMaxSubflows> siblings;
  std::array<Subflow*, kMaxSubflows> whose{};
  std::size_t count = 0;
  for_each_alive([&](Subflow& subflow) {
    const auto sibling = subflow.may_carry() ? subflow.tcp.sibling() : std::nullopt;
    if (!sibling) return;
    whose[count] = &subflow;
    siblings[count++] = *sibling;
  });
  for (std::size_t i = 0; i < count; ++i)
    whose[i]->tcp.on_coupling(cc::couple(std::span(siblings).first(count), i));
}

void Connection::schedule_probe(Instant /*now*/) {
  if (!probe_due_) return;
  probe_due_ = false;
  if (data_nxt_ == send_.end() || send_.begin() != data_nxt_) return;
  // One octet beyond the window: TCP's own zero-window probes carry it until there is room. On the
  // best of the subflows: others wait for it, and it may be the only one that knows of no room.
  const auto rank = [](const Subflow& subflow) {
    return (subflow.stale ? 2 : 0) + (subflow.is_backup() ? 1 : 0);
  };
  Subflow* best = nullptr;
  for_each_alive([&](Subflow& subflow) {
    if (!subflow.may_carry() || !subflow.is_idle()) return;
    if (best == nullptr || rank(subflow) < rank(*best)) best = &subflow;
  });
  if (best == nullptr) return;
  const std::uint32_t given = give(*best, data_nxt_, 1);
  if (given != 0) ++env_.stats.win_probe;
  data_nxt_ += given;
}

}  // namespace mptcp
