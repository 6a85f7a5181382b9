#include <algorithm>
#include <cmath>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "apps/common/units.hpp"
#include "apps/hawser/context.hpp"
#include "apps/hawser/path_samples.hpp"
#include "apps/hawser/perf_core.hpp"

namespace apps::hawser {

namespace {

using namespace std::chrono_literals;
using Direction = PerfRunOptions::Direction;

/// What finished sessions add up to; written by all cores, read when they stand.
struct PerfOutcome {
  std::mutex mutex;
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint64_t mismatches = 0;
  std::uint64_t segments_retransmitted = 0;  ///< By us.
  std::uint64_t peer_segments_retransmitted = 0;
  std::uint64_t peer_busy_cycles = 0;
  Duration elapsed{};  ///< Of the longest session.
  bool has_result = false;
  mptcp::SocketInfo last;
  std::vector<PathSample> paths;  ///< Of all sessions, by addresses.
  boost::json::array sessions;
};

PerfPlan plan_of(const PerfRunOptions& options, std::uint32_t session) {
  PerfPlan plan;
  plan.role = options.plain ? PerfPlan::Role::Plain : PerfPlan::Role::Client;
  plan.sends = options.direction != Direction::Receive;
  plan.receives = options.direction != Direction::Send;
  plan.verify = options.verify;
  plan.time = options.time;
  if (options.bytes) {
    const std::uint64_t share = *options.bytes / options.connections;
    plan.octets = share + (session < *options.bytes % options.connections ? 1 : 0);
  } else if (!plan.time) {
    plan.time = 10s;
  }
  plan.request = {.client_sends = plan.sends,
                  .server_sends = plan.receives,
                  .verify = options.verify,
                  .send_octets = plan.receives ? plan.octets.value_or(0) : 0,
                  .send_time = plan.receives ? plan.time.value_or(Duration{0}) : Duration{0}};
  return plan;
}

class PerfRunCore final : public PerfCore {
 public:
  PerfRunCore(Context& context, std::size_t index, PerfBoard& board, const PerfPattern& pattern,
              const PerfRunOptions& options, const dataplane::IpAddress& host, PerfOutcome& outcome)
      : PerfCore(context.engine, index, board, pattern),
        context_(context),
        options_(options),
        host_(host),
        outcome_(outcome),
        rows_(context.reporter, options.interval) {}

  bool was_interrupted() const { return interrupted_; }

 private:
  void step(Instant now) override {
    if (!connected_) connect_all(now);
    if (index() != 0) return;
    if (!rows_.started()) rows_.start(now, board().sum());
    rows_.poll(now, board());
    if (context_.signals.poll(now)) {
      interrupted_ = true;
      stop(now);
    } else if (board().failure() || board().sum().over >= options_.connections) {
      stop(now);
    }
  }

  void stop(Instant now) {
    abort_all(now);
    context_.engine.stop();
  }

  /// This core's share of the connections.
  void connect_all(Instant now) {
    connected_ = true;
    const auto cores = static_cast<std::uint32_t>(engine().core_count());
    for (auto i = static_cast<std::uint32_t>(index()); i < options_.connections; i += cores) {
      const auto socket =
          core().connect(now, {.remote = {host_, options_.port}, .local = {}, .tcp = {}});
      if (!socket)
        return board().fail(
            {ExitCode::Connect, fmt::format("cannot connect to {}: {}", host_.to_string(),
                                            mptcp::name_of(socket.error()))});
      add(*socket, plan_of(options_, i), false);
    }
  }

  void on_over(Instant now, PerfSession& session) override {
    const std::scoped_lock lock(outcome_.mutex);
    const mptcp::SocketInfo info = session.info();
    const PerfResult* const result = session.result();
    outcome_.sent += result ? result->received : std::min(info.bytes_acked, session.sent());
    outcome_.received += session.received();
    outcome_.mismatches += session.mismatches() + (result ? result->mismatches : 0);
    outcome_.segments_retransmitted += info.segments_retransmitted;
    outcome_.elapsed = std::max(outcome_.elapsed, session.elapsed(now));
    outcome_.last = info;
    if (result) {
      outcome_.has_result = true;
      outcome_.peer_segments_retransmitted += result->segments_retransmitted;
      outcome_.peer_busy_cycles = std::max(outcome_.peer_busy_cycles, result->busy_cycles);
    }
    outcome_.sessions.push_back({{"local", info.tuple.local.to_string()},
                                 {"remote", info.tuple.remote.to_string()},
                                 {"elapsed_s", to_seconds(session.elapsed(now))},
                                 {"sent_bytes", result ? result->received : info.bytes_acked},
                                 {"received_bytes", session.received()},
                                 {"segments_retransmitted", info.segments_retransmitted},
                                 {"srtt_us", static_cast<double>(info.srtt.count()) / 1e3},
                                 {"cwnd_bytes", info.cwnd},
                                 {"mss", info.mss},
                                 {"paths", path_array(session.paths(), session.elapsed(now))}});
    std::vector<PathSample> paths = session.paths();
    paths.insert(paths.end(), outcome_.paths.begin(), outcome_.paths.end());
    outcome_.paths = by_addresses(paths);
    if (session.failure())
      board().fail({session.failure()->code,
                    fmt::format("{}: {}", dataplane::Endpoint{host_, options_.port}.to_string(),
                                session.failure()->message)});
    else if (result && result->received != session.sent())
      board().fail({ExitCode::Checksum, fmt::format("of {} octets sent, the peer got {}",
                                                    session.sent(), result->received)});
  }

  Duration stall_timeout() const override { return options_.timeout; }

  Context& context_;
  const PerfRunOptions& options_;
  dataplane::IpAddress host_;
  PerfOutcome& outcome_;
  PerfRows rows_;
  bool connected_ = false;
  bool interrupted_ = false;
};

void say_outcome(Context& context, ExitCode code, const PerfOutcome& outcome,
                 const PerfTotals& totals) {
  const double seconds = std::max(to_seconds(outcome.elapsed), 1e-9);
  const double sent_bps = static_cast<double>(outcome.sent) * 8 / seconds;
  const double received_bps = static_cast<double>(outcome.received) * 8 / seconds;
  const std::uint64_t moved = outcome.sent + outcome.received;
  const double cycles = cycles_per_byte(totals.busy_cycles, moved);
  const double peer_cycles = cycles_per_byte(outcome.peer_busy_cycles, moved);
  std::string text = fmt::format(
      "sent {} ({}), received {} ({}) in {}\n{} retransmitted here{}, rtt {}, cwnd {}, {:.3f} "
      "cycles per byte here{}",
      format_size(outcome.sent), format_rate(sent_bps), format_size(outcome.received),
      format_rate(received_bps), format_elapsed(seconds), outcome.segments_retransmitted,
      outcome.has_result ? fmt::format(", {} there", outcome.peer_segments_retransmitted)
                         : std::string{},
      format_short(outcome.last.srtt), format_size(outcome.last.cwnd), cycles,
      outcome.has_result ? fmt::format(", {:.3f} there", peer_cycles) : std::string{});
  text += format_links(outcome.paths, outcome.elapsed);
  boost::json::object fields{{"elapsed_s", to_seconds(outcome.elapsed)},
                             {"sent_bytes", outcome.sent},
                             {"sent_bps", std::round(sent_bps)},
                             {"received_bytes", outcome.received},
                             {"received_bps", std::round(received_bps)},
                             {"mismatches", outcome.mismatches},
                             {"segments_sent", totals.segments_sent},
                             {"segments_retransmitted", outcome.segments_retransmitted},
                             {"srtt_us", static_cast<double>(outcome.last.srtt.count()) / 1e3},
                             {"cwnd_bytes", outcome.last.cwnd},
                             {"mss", outcome.last.mss},
                             {"busy_cycles", totals.busy_cycles},
                             {"cycles_per_byte", cycles},
                             {"connections", outcome.sessions}};
  if (outcome.has_result) {
    fields["peer_segments_retransmitted"] = outcome.peer_segments_retransmitted;
    fields["peer_cycles_per_byte"] = peer_cycles;
  }
  context.reporter.summary(code, text, fields);
}

}  // namespace

ExitCode run_perf(Context& context, const PerfRunOptions& options) {
  const auto host = dataplane::IpAddress::parse(options.host);
  if (!host) {
    context.reporter.error(
        ExitCode::Usage,
        fmt::format("\"{}\" is not an address; names are not resolved", options.host));
    return ExitCode::Usage;
  }
  const PerfPattern pattern;
  PerfBoard board(context.engine.core_count());
  PerfOutcome outcome;
  std::vector<std::unique_ptr<PerfRunCore>> cores;
  std::vector<CoreApplication*> applications;
  for (std::size_t i = 0; i < context.engine.core_count(); ++i) {
    cores.push_back(
        std::make_unique<PerfRunCore>(context, i, board, pattern, options, *host, outcome));
    applications.push_back(cores.back().get());
  }
  context.engine.run(applications);

  ExitCode code = ExitCode::Ok;
  if (cores.front()->was_interrupted()) code = ExitCode::Interrupted;
  if (const auto failure = board.failure()) {
    code = failure->code;
    context.reporter.error(code, failure->message);
  } else if (outcome.mismatches != 0) {
    code = ExitCode::Checksum;
    context.reporter.error(code, fmt::format("{} octets arrived wrong", outcome.mismatches));
  }
  if (options.profile) say_profile(context.reporter, cores);
  say_outcome(context, code, outcome, board.sum());
  return code;
}

}  // namespace apps::hawser
