#include <fmt/format.h>

#include "test/lab/experiments/experiments.hpp"
#include "test/lab/paths.hpp"

namespace lab {

namespace {

constexpr Duration kTurns = 5s;
constexpr Duration kGoodAgain = 15s;
constexpr Duration kEnd = 25s;
constexpr std::uint64_t kRate = 10'000'000;

/// What is done half a second later.
enum class Answer { Nothing, Close, Reset };

const char* name_of(Answer answer) {
  if (answer == Answer::Nothing) return "nothing is done";
  return answer == Answer::Close ? "closed and joined again" : "reset and joined again";
}

void leave_path(Answer answer, Machine& sender, const Flow& flow, Instant now) {
  const auto own = dataplane::IpAddress::v4(sender.address(1));
  if (answer == Answer::Reset) sender.command(now, flow, mptcp::WithdrawAddresses{{own}});
  if (answer != Answer::Close) return;
  for (const mptcp::SubflowInfo& each : flow.info().subflows)
    if (each.tuple.local.address == own) sender.command(now, flow, mptcp::ClosePath{each.tuple});
}

void return_to_path(Answer answer, const Paths& paths, const Flow& flow, Instant now) {
  const auto own = dataplane::IpAddress::v4(paths.sender().address(1));
  const auto remote = dataplane::IpAddress::v4(paths.receiver().address(1));
  if (answer == Answer::Reset) paths.sender().command(now, flow, mptcp::AnnounceAddress{own, {}});
  if (answer != Answer::Nothing)
    paths.sender().command(now, flow, mptcp::OpenPath{own, {remote, flow.tcp_port()}, false});
}

void set_loss(const Paths& paths, double loss) {
  LinkConfig link = paths.there(1).config();
  link.faults.loss = loss;
  paths.there(1).change(link);
  paths.back(1).change(link);
}

/// The second path loses so much from the fifth second to the fifteenth.
Outcome turn_lossy(double loss, Answer answer, std::uint64_t seed) {
  Network network(seed, 32'768);
  const LinkConfig good = emulated(kRate, 10ms, 0, 50);
  const Paths paths(network, {good, good});
  FlowPlan plan = paths.plan();
  // What is closed waits in TIME-WAIT and counts.
  plan.mptcp.max_subflows = 4;
  const Flow& flow = network.add_flow(plan);
  const auto reinjected = [&] { return reinjected_packets(paths.sender()); };
  const auto lost = [&] { return static_cast<double>(paths.there(1).stats().losses); };
  network.run_for(kTurns);
  const double reinjected_before = reinjected();
  set_loss(paths, loss);
  network.run_for(500ms);
  leave_path(answer, paths.sender(), flow, network.now());
  network.run_for(kGoodAgain - network.elapsed());
  const double reinjected_by_then = reinjected();
  const double lost_by_then = lost();
  set_loss(paths, 0);
  return_to_path(answer, paths, flow, network.now());
  network.run_for(kEnd - kGoodAgain);
  return {.figures = {1e-6 * flow.rate_between(kTurns, kGoodAgain),
                      1e-6 * flow.rate_between(kGoodAgain, kEnd), lost_by_then,
                      reinjected_by_then - reinjected_before,
                      1e3 * in_seconds(flow.longest_silence(kTurns))}};
}

}  // namespace

Experiment lossy_path() {
  Experiment out;
  out.name = "E19";
  out.title = "a path that turns lossy in mid-transfer";
  out.setup =
      "Two paths of 10 Mbit/s, 20 ms, 50 packets, CUBIC; the second one loses 10 or 30 % of its "
      "frames from 5 to 15 s. What another path delivered long ago must still be sent again by the "
      "subflow that has it, or the subflow has to be reset and joined again when the path is good "
      "(INFOCOM 2014, without numbers in our source). The waste is what the path loses, and what "
      "goes by the other one as well.";
  out.seeds = 3;
  for (const double loss : {0.1, 0.3}) {
    for (const Answer answer : {Answer::Nothing, Answer::Close, Answer::Reset}) {
      const Band during{9, loss < 0.2 ? 12.5 : 10.5};
      out.cases.push_back({fmt::format("{:.0f} %, {}", 100 * loss, name_of(answer)),
                           {{.name = "rate, lossy", .unit = "Mbit/s", .band = during},
                            {.name = "rate, good again", .unit = "Mbit/s", .band = {16, 19}},
                            {.name = "lost", .unit = "packets", .band = {20, 300}},
                            {.name = "reinjected", .unit = "packets", .band = {0, 150}},
                            {.name = "longest silence", .unit = "ms", .band = {0, 1100}}},
                           [=](std::uint64_t seed) { return turn_lossy(loss, answer, seed); }});
    }
  }
  return out;
}

}  // namespace lab
