#include <utility>

#include <fmt/format.h>

#include "test/sim/scenario.hpp"

namespace sim {

namespace {

/// A way with a queue of one bandwidth-delay product before it.
LinkConfig link_of(std::uint64_t rate_bps, Duration one_way) {
  LinkConfig out;
  out.rate_bps = rate_bps;
  out.delay = one_way;
  const double seconds = std::chrono::duration<double>(2 * one_way).count();
  out.queue_octets = static_cast<std::size_t>(static_cast<double>(rate_bps) / 8 * seconds) + 20'000;
  out.queue_frames = 1'000'000;
  return out;
}

/// A download over one path, of TCP alone.
Scenario download(std::string name, std::string about, const LinkConfig& link,
                  std::uint64_t octets) {
  Scenario out;
  out.name = std::move(name);
  out.about = std::move(about);
  out.seed = 1;
  for (Station* station : {&out.client, &out.server}) {
    station->tcp.time_wait = 1s;
    station->tcp.syn_retries = 30;
    station->pool_packets = 20'000;
    station->back_pressure = false;
  }
  out.send_memory = 64UL << 20;
  out.connections.resize(1);
  out.connections[0].server_app.octets = octets;
  out.connections[0].server_app.write_chunk = 1 << 20;
  out.connections[0].client_app.read_chunk = 1 << 20;
  out.up = out.down = link;
  out.goal = Goal{};
  out.goal->quick = true;
  return out;
}

/// The window holds less than the path and its queue, so that no congestion loses anything.
void bound_window(Scenario& scenario, std::uint32_t octets) {
  for (Station* station : {&scenario.client, &scenario.server})
    station->tcp.receive_buffer_initial = station->tcp.receive_buffer_max = octets;
}

/// The way gets longer by more than the timer waits for, without a loss: what was in flight is not
/// sent again.
void add_detours(std::vector<Scenario>& all) {
  Scenario jump = download("delay-jump", "20 Mbit/s, 40 ms; for 5 s the round trip is 600 ms more",
                           link_of(20'000'000, 20ms), 20'000'000);
  jump.up.faults.detours = {{kStart + 3s, kStart + 8s, 600ms}};
  bound_window(jump, 160'000);
  jump.goal->least_undone = 1;
  jump.goal->most_resent = 3 * 1460;
  jump.goal->within = 14s;
  all.push_back(jump);

  Scenario beside = jump;
  beside.name = "delay-jump-beside";
  beside.about = "the same on one of two paths of Multipath TCP";
  beside.client.mptcp.enabled = beside.server.mptcp.enabled = true;
  beside.more_paths.push_back({beside.down, beside.down, {}});
  bound_window(beside, 320'000);
  for (LinkConfig* link :
       {&beside.up, &beside.down, &beside.more_paths[0].up, &beside.more_paths[0].down})
    link->queue_octets = 1'000'000;
  all.push_back(beside);

  Scenario forward = jump;
  forward.name = "delay-jump-forward";
  forward.about = "the same on the way of the data, and without timestamps";
  forward.down.faults.detours = std::exchange(forward.up.faults.detours, {});
  forward.client.tcp.timestamps = false;
  all.push_back(forward);

  Scenario reno = forward;
  reno.name = "delay-jump-without-sack";
  reno.about = "the same without SACK";
  reno.client.tcp.sack = false;
  all.push_back(reno);
}

/// A path that is away for a while is used again soon after it is back, and what is sent again is
/// what was in flight and what asked for the path.
void add_cuts(std::vector<Scenario>& all) {
  constexpr std::uint32_t kWindow = 160'000;
  for (const Duration length :
       {Duration(10ms), Duration(100ms), Duration(1s), Duration(10s), Duration(60s)}) {
    Scenario cut =
        download(fmt::format("cut-{}ms", length / 1ms), "20 Mbit/s, 40 ms, nothing for so long",
                 link_of(20'000'000, 20ms), 10'000'000);
    bound_window(cut, kWindow);
    cut.up.faults.cuts = cut.down.faults.cuts = {{kStart + 2s, kStart + 2s + length}};
    // The timer of a short cut has not doubled; that of a long one waits for a second.
    const Duration timeout = length < 1s ? 300ms : 1s;
    constexpr Duration kRoundTrip = 80ms;
    cut.goal->silence = length + timeout + kRoundTrip;
    cut.goal->most_resent = kWindow + static_cast<std::uint64_t>(length / 1s) * 1460;
    cut.goal->within = length + 6s;
    all.push_back(cut);
  }
}

void add_reordering(std::vector<Scenario>& all) {
  Scenario reorder =
      download("reorder-quarter", "3 % of the frames late by up to a quarter of the RTT",
               link_of(100'000'000, 10ms), 40'000'000);
  reorder.down.faults.reorder = 0.03;
  reorder.down.faults.reorder_delay = 5ms;
  bound_window(reorder, 400'000);
  reorder.goal->most_resent = 0;
  all.push_back(reorder);
}

void add_pauses(std::vector<Scenario>& all) {
  Scenario pauses = download("pauses", "1 MiB each second over 100 Mbit/s and 100 ms",
                             link_of(100'000'000, 50ms), 20 << 20);
  pauses.connections[0].server_app.write_pause = 1s;
  // The last of twenty, too, is there within two round trips and its own length of 100 ms; from ten
  // segments on it would take six.
  pauses.goal->within = 19'950ms;
  all.push_back(pauses);
}

void add_black_holes(std::vector<Scenario>& all) {
  Scenario hole = download("black-hole", "packets of more than 1,300 octets vanish",
                           link_of(20'000'000, 10ms), 25'000'000);
  hole.boxes = {{BoxKind::BlackHole, 1300}};
  hole.goal->within = 12s;
  all.push_back(hole);

  Scenario small = hole;
  small.name = "black-hole-576";
  small.about = "packets of more than 576 octets vanish";
  small.boxes[0].parameter = 576;
  small.goal->within = 15s;
  all.push_back(small);

  Scenario beside = download("black-hole-beside", "one of two paths is one",
                             link_of(20'000'000, 10ms), 25'000'000);
  beside.client.mptcp.enabled = beside.server.mptcp.enabled = true;
  beside.goal->within = 6'500ms;
  beside.more_paths.push_back({beside.up, beside.down, {{BoxKind::BlackHole, 1300}}});
  all.push_back(beside);
}

}  // namespace

std::vector<Scenario> recovery_scenarios() {
  std::vector<Scenario> all;
  add_detours(all);
  add_cuts(all);
  add_reordering(all);
  add_pauses(all);
  add_black_holes(all);
  return all;
}

}  // namespace sim
