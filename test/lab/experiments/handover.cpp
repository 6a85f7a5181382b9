#include <fmt/format.h>

#include "test/lab/experiments/experiments.hpp"
#include "test/lab/paths.hpp"

namespace lab {

namespace {

constexpr Duration kJoin = 1s;
constexpr Duration kCut = 10s;
constexpr Duration kEnd = 20s;
/// A join over the second path takes two round trips until the peer has confirmed it.
constexpr Duration kHandshake = 130ms;

enum class Mode { Full, Backup, Single };

const char* name_of(Mode mode) {
  if (mode == Mode::Full) return "full";
  return mode == Mode::Backup ? "backup" : "single path";
}

dataplane::IpAddress ip(const Machine& machine, std::size_t port) {
  return dataplane::IpAddress::v4(machine.address(port));
}

Series rate_of(const Flow& flow, const std::string& name) {
  constexpr Duration kStep = 100ms;
  Series out{name, {}};
  for (Duration at = kCut - 2s; at < kCut + 4s; at += kStep)
    out.points.emplace_back(in_seconds(at), 1e-6 * flow.rate_between(at, at + kStep));
  return out;
}

/// An upload by a machine that loses its WLAN, and perhaps notices.
Outcome lose_wlan(Mode mode, bool notices, std::uint64_t seed) {
  Network network(seed, 32'768);
  const LinkConfig wlan = emulated(20'000'000, 15ms, 0, 100);
  const LinkConfig cellular = emulated(10'000'000, 30ms, 0, 200);
  const Paths paths(network, {wlan, cellular});
  FlowPlan plan = paths.plan();
  plan.mptcp.path_manager = mptcp::PathManagerKind::None;
  Flow& flow = network.add_flow(plan);
  const mptcp::OpenPath second{
      ip(paths.sender(), 1), {ip(paths.receiver(), 1), flow.tcp_port()}, mode == Mode::Backup};
  network.run_for(kJoin);
  if (mode != Mode::Single) paths.sender().command(network.now(), flow, second);
  // Not always at the same place in the sawtooth.
  const Duration cut = kCut + network.rng().between(0ms, 500ms);
  network.run_for(cut - kJoin);
  LinkConfig dead = wlan;
  dead.faults.loss = 1;
  paths.there(0).change(dead);
  paths.back(0).change(dead);
  if (notices) {
    const mptcp::WithdrawAddresses gone{{ip(paths.sender(), 0)}};
    if (mode == Mode::Single) {
      // The word goes by the new path, when that is there.
      paths.sender().command(network.now(), flow, second);
      network.run_for(kHandshake);
    }
    paths.sender().command(network.now(), flow, gone);
  }
  network.run_for(kEnd - network.elapsed());
  return {.figures = {1e3 * in_seconds(flow.longest_silence(cut, cut + 500ms)),
                      1e-6 * flow.rate_between(cut, cut + 1s),
                      1e-6 * flow.rate_between(kEnd - 5s, kEnd)},
          .series = {rate_of(flow, name_of(mode))}};
}

}  // namespace

Experiment handover() {
  Experiment out;
  out.name = "E18";
  out.title = "a host that loses its WLAN goes on over its second path";
  out.setup =
      "An upload with CUBIC over a WLAN of 20 Mbit/s, 30 ms, 100 packets, which is dead from about "
      "10 s on, and a second path of 10 Mbit/s, 60 ms, 200 packets: in use all the time (full), a "
      "backup, or opened only then (single path). The host knows, and says it by REMOVE_ADDR, or "
      "its retransmission timer finds out. Paasch and others (CellNet 2012): a single path dips "
      "while it is opened again, a backup does not; no numbers in our source.";
  out.seeds = 3;
  const auto add = [&](Mode mode, bool notices, Band silence, Band next) {
    out.cases.push_back({fmt::format("{}, {}", name_of(mode), notices ? "told" : "not told"),
                         {{.name = "silence", .unit = "ms", .band = silence},
                          {.name = "rate of the next second", .unit = "Mbit/s", .band = next},
                          {.name = "rate at the end", .unit = "Mbit/s", .band = {9, 9.6}}},
                         [=](std::uint64_t seed) { return lose_wlan(mode, notices, seed); }});
  };
  add(Mode::Full, true, {0, 400}, {8, 15});
  add(Mode::Backup, true, {0, 200}, {6, 11});
  add(Mode::Single, true, {0, 600}, {5, 11});
  add(Mode::Full, false, {0, 700}, {8, 16});
  add(Mode::Backup, false, {0, 700}, {3, 9});
  out.plot = Plot{"seconds", "Mbit/s"};
  return out;
}

}  // namespace lab
