#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "apps/common/units.hpp"
#include "apps/hawser/context.hpp"
#include "apps/hawser/listen.hpp"
#include "apps/hawser/path_samples.hpp"
#include "apps/hawser/perf_core.hpp"

namespace apps::hawser {

namespace {

using namespace std::chrono_literals;

/// A client that vanished must not hold its connection for ever.
constexpr Duration kStall = 60s;

PerfPlan plan_of(const PerfServeOptions& options) {
  PerfPlan plan;
  plan.verify = options.verify;
  switch (options.mode) {
    case PerfServeOptions::Mode::Protocol:
      plan.role = PerfPlan::Role::Server;
      break;
    case PerfServeOptions::Mode::Sink:
      plan.role = PerfPlan::Role::Plain;
      plan.receives = true;
      break;
    case PerfServeOptions::Mode::Source:
      plan.role = PerfPlan::Role::Plain;
      plan.sends = true;
      break;
  }
  return plan;
}

class PerfServeCore final : public PerfCore {
 public:
  PerfServeCore(Context& context, std::size_t index, PerfBoard& board, const PerfPattern& pattern,
                const PerfServeOptions& options)
      : PerfCore(context.engine, index, board, pattern),
        context_(context),
        options_(options),
        rows_(context.reporter, options.interval) {}

 private:
  void step(Instant now) override {
    if (index() != 0) return;
    if (context_.signals.poll(now)) return context_.engine.stop();
    const PerfTotals totals = board().sum();
    if (totals.live != 0 && !rows_.started()) rows_.start(now, totals);
    rows_.poll(now, board());
    if (totals.live == 0 && rows_.started()) rows_.stop();
    if (options_.once && totals.over != 0 && totals.live == 0) context_.engine.stop();
  }

  void on_acceptable(Instant, mptcp::SocketId listener) override {
    while (const auto socket = core().accept(listener))
      add(*socket, plan_of(options_), true);
  }

  void on_over(Instant now, PerfSession& session) override {
    const mptcp::SocketInfo info = session.info();
    const std::string remote = info.tuple.remote.to_string();
    const Duration elapsed = session.elapsed(now);
    const double seconds = std::max(to_seconds(elapsed), 1e-9);
    const std::string trouble =
        session.failure() ? fmt::format("; {}", session.failure()->message) : std::string{};
    context_.reporter.result(fmt::format(
        "{}: received {} ({}), sent {} ({}) in {}, {} retransmitted{}{}{}", remote,
        format_size(session.received()),
        format_rate(static_cast<double>(session.received()) * 8 / seconds),
        format_size(session.sent()), format_rate(static_cast<double>(session.sent()) * 8 / seconds),
        format_elapsed(seconds), info.segments_retransmitted,
        session.mismatches() == 0 ? std::string{}
                                  : fmt::format(", {} WRONG OCTETS", session.mismatches()),
        trouble, format_links(by_addresses(session.paths()), elapsed)));
    boost::json::object fields{{"remote", remote},
                               {"elapsed_s", to_seconds(elapsed)},
                               {"received_bytes", session.received()},
                               {"sent_bytes", session.sent()},
                               {"segments_sent", info.segments_sent},
                               {"segments_retransmitted", info.segments_retransmitted},
                               {"srtt_us", static_cast<double>(info.srtt.count()) / 1e3},
                               {"cwnd_bytes", info.cwnd},
                               {"mismatches", session.mismatches()},
                               {"paths", path_array(session.paths(), elapsed)}};
    if (session.failure()) fields["error"] = session.failure()->message;
    context_.reporter.event("session", fields);
  }

  Duration stall_timeout() const override { return kStall; }

  Context& context_;
  const PerfServeOptions& options_;
  PerfRows rows_;
};

}  // namespace

ExitCode run_perf_serve(Context& context, const PerfServeOptions& options) {
  const PerfPattern pattern;
  PerfBoard board(context.engine.core_count());
  std::vector<std::unique_ptr<PerfServeCore>> cores;
  std::vector<CoreApplication*> applications;
  for (std::size_t i = 0; i < context.engine.core_count(); ++i) {
    if (const auto listening = listen_on(context.engine.core(i), options.listen); !listening) {
      context.reporter.error(ExitCode::Setup, listening.error());
      return ExitCode::Setup;
    }
    cores.push_back(std::make_unique<PerfServeCore>(context, i, board, pattern, options));
    applications.push_back(cores.back().get());
  }
  announce_listening(context, options.listen, "perf");
  context.engine.run(applications);

  if (options.profile) say_profile(context.reporter, cores);
  const PerfTotals totals = board.sum();
  context.reporter.summary(
      ExitCode::Ok,
      fmt::format("{} sessions, {} received, {} sent", totals.over + totals.live,
                  format_size(totals.received), format_size(totals.acked)),
      {{"sessions", totals.over + totals.live},
       {"received_bytes", totals.received},
       {"sent_bytes", totals.acked},
       {"segments_retransmitted", totals.segments_retransmitted},
       {"mismatches", totals.mismatches},
       {"busy_cycles", totals.busy_cycles},
       {"cycles_per_byte", cycles_per_byte(totals.busy_cycles, totals.received + totals.acked)}});
  return totals.mismatches == 0 ? ExitCode::Ok : ExitCode::Checksum;
}

}  // namespace apps::hawser
