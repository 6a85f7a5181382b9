#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "apps/common/engine.hpp"
#include "apps/common/report.hpp"
#include "apps/hawser/perf_profile.hpp"
#include "apps/hawser/perf_session.hpp"

namespace apps::hawser {

/// Sums over sessions, of one core or of all.
struct PerfTotals {
  std::uint64_t acked = 0;     ///< Octets that peers acknowledged.
  std::uint64_t received = 0;  ///< Octets.
  std::uint64_t mismatches = 0;
  std::uint64_t segments_sent = 0;
  std::uint64_t segments_retransmitted = 0;
  std::uint64_t busy_cycles = 0;
  std::uint64_t live = 0;  ///< Sessions that are not over.
  std::uint64_t over = 0;
  std::uint64_t srtt_ns = 0;      ///< Mean of the live sessions.
  std::uint64_t cwnd_octets = 0;  ///< Mean of the live sessions.

  static constexpr std::size_t kFields = 10;
};

/// What cores tell each other: each writes its own totals, anyone reads all. Failures and finished
/// sessions are rare and go through a lock.
class PerfBoard {
 public:
  explicit PerfBoard(std::size_t cores)
      : tallies_(std::make_unique<Tally[]>(cores)), cores_(cores) {}

  void publish(std::size_t core, const PerfTotals& totals);
  PerfTotals sum() const;
  /// Keeps the first.
  void fail(PerfFailure failure);
  std::optional<PerfFailure> failure() const;

 private:
  struct Tally {
    std::atomic<std::uint64_t> fields[PerfTotals::kFields];
  };
  std::unique_ptr<Tally[]> tallies_;
  std::size_t cores_;
  mutable std::mutex mutex_;
  std::optional<PerfFailure> failure_;
};

/// The sessions of one core. What makes sessions and what becomes of them is said by perf serve and
/// perf run.
class PerfCore : public CoreApplication {
 public:
  PerfCore(Engine& engine, std::size_t index, PerfBoard& board, const PerfPattern& pattern);
  bool poll(Instant now) final;
  const PerfProfile& profile() const { return profile_; }

 protected:
  /// Once per turn, before the sessions move.
  virtual void step(Instant now) = 0;
  virtual void on_acceptable(Instant now, mptcp::SocketId listener);
  virtual void on_over(Instant now, PerfSession& session) = 0;
  /// How long a session may stand still before it is given up; 0: for ever.
  virtual Duration stall_timeout() const = 0;

  void add(mptcp::SocketId socket, const PerfPlan& plan, bool is_connected);
  void abort_all(Instant now);

  mptcp::Core& core() { return engine_.core(index_); }
  Engine& engine() { return engine_; }
  PerfBoard& board() { return board_; }
  std::size_t index() const { return index_; }
  std::size_t live() const { return sessions_.size(); }

 private:
  bool take_events(Instant now);
  bool move_sessions(Instant now);
  void sample(Instant now);
  void count(PerfTotals& totals, PerfSession& session);

  Engine& engine_;
  std::size_t index_;
  PerfBoard& board_;
  const PerfPattern& pattern_;
  std::unordered_map<mptcp::SocketId, std::unique_ptr<PerfSession>> sessions_;
  PerfTotals finished_;
  Instant next_sample_{};
  PerfProfile profile_;
};

/// Tells what the turns of each core cost.
template <class Cores>
void say_profile(Reporter& reporter, const Cores& cores) {
  for (std::size_t i = 0; i < cores.size(); ++i) {
    reporter.result(cores[i]->profile().text(i));
    reporter.event("profile", cores[i]->profile().fields(i));
  }
}

/// Prints a row per interval, and remembers when the last one was.
class PerfRows {
 public:
  PerfRows(Reporter& reporter, Duration interval) : reporter_(reporter), interval_(interval) {}

  /// A row if it is time to and there is traffic; call it once per turn of core 0.
  void poll(Instant now, const PerfBoard& board);
  /// Begins the first interval now, with a table head.
  void start(Instant now, const PerfTotals& totals);
  bool started() const { return started_; }
  void stop() { started_ = false; }

 private:
  void row(Instant now, const PerfTotals& totals);

  Reporter& reporter_;
  Duration interval_;
  bool started_ = false;
  Instant begin_{};
  Instant last_{};
  PerfTotals before_;
};

/// Busy cycles of the engine cores per octet moved in either direction; 0 when nothing moved.
double cycles_per_byte(std::uint64_t cycles, std::uint64_t octets);

}  // namespace apps::hawser
