#include "apps/hawser/perf_core.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "apps/common/units.hpp"

namespace apps::hawser {

namespace {

using namespace std::chrono_literals;

constexpr Duration kSample = 20ms;
constexpr std::size_t kEventsPerTurn = 256;

/// The totals as fields in a row, for the atomics of the board.
std::array<std::uint64_t, PerfTotals::kFields> fields_of(const PerfTotals& t) {
  return {t.acked,       t.received, t.mismatches, t.segments_sent, t.segments_retransmitted,
          t.busy_cycles, t.live,     t.over,       t.srtt_ns,       t.cwnd_octets};
}

PerfTotals totals_of(const std::array<std::uint64_t, PerfTotals::kFields>& f) {
  return {f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8], f[9]};
}

double per_second(std::uint64_t octets, Duration time) {
  return time > Duration{0} ? static_cast<double>(octets) * 8 / to_seconds(time) : 0;
}

}  // namespace

void PerfBoard::publish(std::size_t core, const PerfTotals& totals) {
  const auto fields = fields_of(totals);
  for (std::size_t i = 0; i < fields.size(); ++i)
    tallies_[core].fields[i].store(fields[i], std::memory_order_relaxed);
}

PerfTotals PerfBoard::sum() const {
  PerfTotals all;
  std::uint64_t srtt = 0;
  std::uint64_t cwnd = 0;
  for (std::size_t core = 0; core < cores_; ++core) {
    std::array<std::uint64_t, PerfTotals::kFields> fields{};
    for (std::size_t i = 0; i < fields.size(); ++i)
      fields[i] = tallies_[core].fields[i].load(std::memory_order_relaxed);
    const PerfTotals one = totals_of(fields);
    all.acked += one.acked;
    all.received += one.received;
    all.mismatches += one.mismatches;
    all.segments_sent += one.segments_sent;
    all.segments_retransmitted += one.segments_retransmitted;
    all.busy_cycles += one.busy_cycles;
    all.live += one.live;
    all.over += one.over;
    srtt += one.srtt_ns * one.live;
    cwnd += one.cwnd_octets * one.live;
  }
  if (all.live != 0) {
    all.srtt_ns = srtt / all.live;
    all.cwnd_octets = cwnd / all.live;
  }
  return all;
}

void PerfBoard::fail(PerfFailure failure) {
  const std::scoped_lock lock(mutex_);
  if (!failure_) failure_ = std::move(failure);
}

std::optional<PerfFailure> PerfBoard::failure() const {
  const std::scoped_lock lock(mutex_);
  return failure_;
}

PerfCore::PerfCore(Engine& engine, std::size_t index, PerfBoard& board, const PerfPattern& pattern)
    : engine_(engine), index_(index), board_(board), pattern_(pattern) {}

void PerfCore::add(mptcp::SocketId socket, const PerfPlan& plan, bool is_connected) {
  auto session = std::make_unique<PerfSession>(core(), pattern_, socket, plan, is_connected);
  session->set_cycles(engine_.loop_stats(index_).busy_cycles);
  profile_.note(engine_.loop_stats(index_));
  sessions_.emplace(socket, std::move(session));
}

void PerfCore::on_acceptable(Instant, mptcp::SocketId) {}

bool PerfCore::poll(Instant now) {
  bool busy = take_events(now);
  step(now);
  busy |= move_sessions(now);
  if (now >= next_sample_) sample(now);
  return busy;
}

bool PerfCore::take_events(Instant now) {
  std::size_t count = 0;
  for (; count < kEventsPerTurn; ++count) {
    const std::optional<mptcp::Event> event = core().next_event();
    if (!event) break;
    if (event->kind == mptcp::Event::Kind::Acceptable) {
      on_acceptable(now, event->socket);
    } else if (const auto at = sessions_.find(event->socket); at != sessions_.end()) {
      at->second->on_event(now, *event);
    }
  }
  return count != 0;
}

bool PerfCore::move_sessions(Instant now) {
  bool busy = false;
  for (auto at = sessions_.begin(); at != sessions_.end();) {
    PerfSession& session = *at->second;
    busy |= session.poll(now);
    if (!session.is_over()) {
      ++at;
      continue;
    }
    count(finished_, session);
    ++finished_.over;
    sample(now);
    on_over(now, session);
    at = sessions_.erase(at);
    busy = true;
  }
  return busy;
}

void PerfCore::count(PerfTotals& totals, PerfSession& session) {
  const mptcp::SocketInfo info = session.info();
  totals.acked += info.bytes_acked;
  totals.received += session.received();
  totals.mismatches += session.mismatches();
  totals.segments_sent += info.segments_sent;
  totals.segments_retransmitted += info.segments_retransmitted;
}

void PerfCore::sample(Instant now) {
  next_sample_ = now + kSample;
  PerfTotals totals = finished_;
  totals.busy_cycles = engine_.loop_stats(index_).busy_cycles;
  if (!sessions_.empty()) profile_.note(engine_.loop_stats(index_));
  std::uint64_t srtt = 0;
  std::uint64_t cwnd = 0;
  for (auto& [id, session] : sessions_) {
    if (session->is_over()) continue;
    if (stall_timeout() != Duration{0} && now - session->last_progress(now) > stall_timeout())
      session->give_up(now, stall_timeout());
    session->set_cycles(totals.busy_cycles);
    session->look_at_paths(now);
    count(totals, *session);
    srtt += static_cast<std::uint64_t>(session->info().srtt.count());
    cwnd += session->info().cwnd;
    ++totals.live;
  }
  if (totals.live != 0) {
    totals.srtt_ns = srtt / totals.live;
    totals.cwnd_octets = cwnd / totals.live;
  }
  board_.publish(index_, totals);
}

void PerfCore::abort_all(Instant now) {
  for (auto& [id, session] : sessions_)
    session->abort(now);
}

double cycles_per_byte(std::uint64_t cycles, std::uint64_t octets) {
  return octets == 0 ? 0 : static_cast<double>(cycles) / static_cast<double>(octets);
}

void PerfRows::start(Instant now, const PerfTotals& totals) {
  started_ = true;
  begin_ = last_ = now;
  before_ = totals;
  reporter_.result(
      "     interval           sent       received   retr      rtt       cwnd   cycles/B");
}

void PerfRows::poll(Instant now, const PerfBoard& board) {
  if (!started_ || now - last_ < interval_) return;
  const PerfTotals totals = board.sum();
  row(now, totals);
  last_ = now;
  before_ = totals;
}

void PerfRows::row(Instant now, const PerfTotals& totals) {
  const Duration time = now - last_;
  const std::uint64_t sent = totals.acked - before_.acked;
  const std::uint64_t received = totals.received - before_.received;
  const std::uint64_t retransmitted =
      totals.segments_retransmitted - before_.segments_retransmitted;
  const double cycles = cycles_per_byte(totals.busy_cycles - before_.busy_cycles, sent + received);
  reporter_.result(fmt::format("{:5.1f}-{:5.1f} s  {:>13}  {:>13}  {:>5}  {:>7}  {:>9}  {:>9.3f}",
                               to_seconds(last_ - begin_), to_seconds(now - begin_),
                               format_rate(per_second(sent, time)),
                               format_rate(per_second(received, time)), retransmitted,
                               format_short(Duration(static_cast<std::int64_t>(totals.srtt_ns))),
                               format_size(totals.cwnd_octets), cycles));
  reporter_.event("interval", {{"start_s", to_seconds(last_ - begin_)},
                               {"end_s", to_seconds(now - begin_)},
                               {"sent_bytes", sent},
                               {"sent_bps", std::round(per_second(sent, time))},
                               {"received_bytes", received},
                               {"received_bps", std::round(per_second(received, time))},
                               {"segments_retransmitted", retransmitted},
                               {"srtt_us", static_cast<double>(totals.srtt_ns) / 1e3},
                               {"cwnd_bytes", totals.cwnd_octets},
                               {"cycles_per_byte", cycles},
                               {"connections", totals.live}});
}

}  // namespace apps::hawser
