#include <algorithm>

#include "test/sim/scenario.hpp"

namespace sim {

namespace {

constexpr std::uint64_t kMiB = 1ULL << 20;

Scenario base(const char* name, const char* about) {
  Scenario out;
  out.name = name;
  out.about = about;
  out.seed = 1;
  for (Station* station : {&out.client, &out.server}) {
    station->tcp.time_wait = 1s;
    station->tcp.syn_retries = 30;
  }
  out.connections.resize(1);
  return out;
}

Scenario transfer(const char* name, const char* about, std::uint64_t up, std::uint64_t down) {
  Scenario out = base(name, about);
  out.connections[0].client_app.octets = up;
  out.connections[0].server_app.octets = down;
  return out;
}

void both(Scenario& scenario, auto&& change) {
  change(scenario.up);
  change(scenario.down);
}

/// A long download over a path of given rate and delay, with a queue of one bandwidth-delay product
/// before it.
Scenario download(const char* name, const char* about, std::uint64_t rate_bps, Duration one_way) {
  Scenario out = base(name, about);
  const auto bdp = static_cast<std::uint64_t>(static_cast<double>(rate_bps) / 8 *
                                              std::chrono::duration<double>(2 * one_way).count());
  both(out, [&](LinkConfig& link) {
    link.rate_bps = rate_bps;
    link.delay = one_way;
    link.queue_octets = std::max<std::uint64_t>(bdp, 256'000);
    link.queue_frames = 1'000'000;
  });
  for (Station* station : {&out.client, &out.server}) {
    station->tcp.receive_buffer_max = 64U << 20;
    station->tcp.send_buffer_max = 64U << 20;
    station->pool_packets = 60'000;
    station->burst = 64;
    station->turn_interval = 10us;
    station->back_pressure = false;
  }
  out.send_memory = 128UL << 20;
  AppPlan& server = out.connections[0].server_app;
  server.octets = rate_bps / 8 * 27;  // Thirty seconds at most.
  server.write_chunk = 1 << 20;
  out.connections[0].client_app.read_chunk = 1 << 20;
  out.bound = 200s;
  out.goal = Goal{};
  return out;
}

void add_throughput(std::vector<Scenario>& all) {
  Scenario wan = download("wan-1g-100ms", "1 Gbit/s with a round trip of 100 ms, no loss",
                          1'000'000'000, 50ms);
  wan.goal->utilisation = 0.95;
  all.push_back(wan);

  wan.name = "wan-1g-100ms-loss";
  wan.about = "the same with 0.01 % loss";
  wan.down.faults.loss = 0.0001;
  // CUBIC takes each of these losses for a full queue: 2.5 % (RFC 9438 §5.1).
  wan.server.tcp.congestion_control = cc::Kind::Bbr;
  wan.goal->utilisation = 0.90;
  all.push_back(wan);

  Scenario lan = download("lan-10g", "10 Gbit/s with a round trip of 50 us", 10'000'000'000, 25us);
  lan.connections[0].server_app.octets = 2'500'000'000;
  lan.client.turn_interval = lan.server.turn_interval = 2us;
  all.push_back(lan);

  Scenario reorder = download(
      "reorder-3pct", "100 Mbit/s, 20 ms, 3 % of the frames late by up to 5 ms", 100'000'000, 10ms);
  reorder.down.faults.reorder = 0.03;
  reorder.down.faults.reorder_delay = 5ms;
  reorder.goal->utilisation = 0.90;
  all.push_back(reorder);

  Scenario bloat =
      download("bufferbloat", "20 Mbit/s, 20 ms, a queue of two seconds", 20'000'000, 10ms);
  bloat.down.queue_octets = 5'000'000;
  all.push_back(bloat);
}

void add_plain(std::vector<Scenario>& all) {
  all.push_back(transfer("clean", "1 MiB each way on a perfect path", kMiB, kMiB));
  all.push_back(transfer("empty", "a connection that says nothing", 0, 0));
  all.push_back(transfer("one-octet", "one octet each way", 1, 1));

  Scenario v6 =
      transfer("clean-v6", "1 MiB each way over IPv6 with jumbo frames and a VLAN tag", kMiB, kMiB);
  v6.v6 = true;
  v6.vlan = 42;
  v6.client.mtu = v6.server.mtu = 9000;
  all.push_back(v6);

  Scenario simultaneous =
      transfer("simultaneous-open", "both ends call each other", 100'000, 100'000);
  simultaneous.connections[0].simultaneous = true;
  all.push_back(simultaneous);

  Scenario half = transfer("half-close", "the server answers after the client's end of stream",
                           300'000, 300'000);
  half.connections[0].server_app.answer_last = true;
  all.push_back(half);

  Scenario closed =
      transfer("closed-event", "both ends keep their ids until they hear of the end", 10, 10);
  closed.connections[0].client_app.await_closed = closed.connections[0].server_app.await_closed =
      true;
  all.push_back(closed);

  Scenario many = transfer("many", "200 connections at once", 20'000, 20'000);
  many.connections[0].count = 200;
  many.client.pool_packets = many.server.pool_packets = 20'000;
  all.push_back(many);
}

void add_slow_readers(std::vector<Scenario>& all) {
  Scenario zero =
      transfer("zero-window", "the reader stops for a minute in the middle", 0, 2 * kMiB);
  zero.client.tcp.receive_buffer_max = zero.client.tcp.receive_buffer_initial = 65'536;
  zero.connections[0].client_app.stop_at = 500'000;
  zero.connections[0].client_app.stop_for = 60s;
  all.push_back(zero);

  Scenario lost = zero;
  lost.name = "zero-window-lost-update";
  lost.about = "the same, and the path is cut when the window opens again";
  lost.up.faults.cuts = {{kStart + 55s, kStart + 66s}};
  all.push_back(lost);

  Scenario tiny =
      transfer("tiny-window", "a reader that takes 100 octets each millisecond", 0, 100'000);
  tiny.client.tcp.receive_buffer_max = tiny.client.tcp.receive_buffer_initial = 4096;
  tiny.connections[0].client_app.read_chunk = 100;
  tiny.connections[0].client_app.read_pause = 1ms;
  all.push_back(tiny);
}

void add_faults(std::vector<Scenario>& all) {
  Scenario loss = transfer("loss-20", "20 % loss both ways", kMiB / 2, kMiB / 2);
  both(loss, [](LinkConfig& link) { link.faults.loss = 0.2; });
  loss.bound = 3600s;
  all.push_back(loss);

  Scenario bursts = transfer("bursts", "loss in bursts of about ten frames", kMiB, kMiB);
  both(bursts, [](LinkConfig& link) { link.faults.burst = {0.005, 0.1, 0.9}; });
  bursts.bound = 1200s;
  all.push_back(bursts);

  Scenario chaos = transfer("chaos", "every fault at once", kMiB, kMiB);
  both(chaos, [](LinkConfig& link) {
    link.faults.loss = link.faults.duplicate = link.faults.corrupt = link.faults.deface = 0.03;
    link.faults.reorder = 0.1;
    link.faults.reorder_delay = 5ms;
    link.faults.cuts = {{kStart + 30ms, kStart + 2s}};
  });
  chaos.bound = 1200s;
  all.push_back(chaos);

  Scenario cuts = transfer("cuts", "three cuts of some retransmission timeouts each", kMiB, kMiB);
  both(cuts, [](LinkConfig& link) {
    link.rate_bps = 10'000'000;
    link.faults.cuts = {{kStart + 100ms, kStart + 1s},
                        {kStart + 1500ms, kStart + 5s},
                        {kStart + 12s, kStart + 27s}};
  });
  all.push_back(cuts);

  Scenario vanish =
      transfer("peer-vanishes", "the path is cut for good in the middle", kMiB, 16 * kMiB);
  both(vanish, [](LinkConfig& link) { link.faults.cuts = {{kStart + 50ms, kNever}}; });
  vanish.timeouts_allowed = true;
  for (Station* station : {&vanish.client, &vanish.server}) {
    station->tcp.user_timeout = 30s;
    station->tcp.keepalive_idle = 10s;
    station->tcp.keepalive_interval = 2s;
  }
  all.push_back(vanish);

  Scenario dry = transfer("packets-run-out",
                          "the receiver has 200 packets and a window for many more", 0, 4 * kMiB);
  dry.client.pool_packets = 200;
  dry.down.faults.loss = 0.02;
  dry.down.faults.end = kStart + 20s;
  dry.late_acks_allowed = true;
  all.push_back(dry);
}

void add_boxes(std::vector<Scenario>& all) {
  Scenario boxes = transfer("boxes", "every middlebox that is harmless, in a row", kMiB, kMiB);
  boxes.boxes = {{BoxKind::StripUnknownOptions, 0},
                 {BoxKind::Split, 600},
                 {BoxKind::RewriteSequence, 0},
                 {BoxKind::Merge, 1400},
                 {BoxKind::Nat, 0}};
  both(boxes, [](LinkConfig& link) { link.faults.loss = 0.02; });
  boxes.bound = 1200s;
  all.push_back(boxes);

  Scenario mptcp =
      transfer("boxes-against-mptcp", "every middlebox that hurts Multipath TCP and nothing else",
               kMiB, kMiB);
  mptcp.boxes = {{BoxKind::StripMptcpLater, 100},
                 {BoxKind::SplitKeepFirst, 900},
                 {BoxKind::MergeKeepFirst, 1400},
                 {BoxKind::SplitKeepLast, 600},
                 {BoxKind::RefuseJoins, 1},
                 {BoxKind::StripMptcp, kStripSyn | kStripSynAck | kStripLater}};
  both(mptcp, [](LinkConfig& link) { link.faults.loss = 0.02; });
  mptcp.bound = 1200s;
  all.push_back(mptcp);

  for (const bool v6 : {false, true}) {
    Scenario narrow = transfer(v6 ? "narrow-v6" : "narrow",
                               "a link of 1,300 octets in the middle of the path", kMiB, kMiB);
    narrow.v6 = v6;
    narrow.boxes = {{BoxKind::Narrow, 1300}};
    all.push_back(narrow);
  }

  Scenario sack = transfer("foreign-sacks",
                           "a firewall rewrites sequence numbers but not SACK blocks", kMiB, kMiB);
  sack.boxes = {{BoxKind::RewriteSequenceOnly, 0}};
  both(sack, [](LinkConfig& link) { link.faults.loss = 0.02; });
  sack.bound = 1200s;
  all.push_back(sack);
}

void add_attacks(std::vector<Scenario>& all) {
  Scenario flood =
      transfer("syn-flood", "50,000 SYNs a second beside transfers", kMiB / 2, kMiB / 2);
  flood.connections[0].count = 4;
  flood.connections[0].spacing = 20ms;
  flood.attack.syn_flood = 1;
  flood.attack.frames_per_second = 50'000;
  flood.attack.until = kStart + 200ms;
  both(flood, [](LinkConfig& link) { link.rate_bps = 200'000'000; });
  flood.syn_table_size = 64;
  all.push_back(flood);

  Scenario cookies = flood;
  cookies.name = "cookies-without-timestamps";
  cookies.about = "a SYN cookie has no place for the window scale then";
  cookies.server.tcp.timestamps = false;
  cookies.syn_table_size = 1;
  all.push_back(cookies);

  Scenario blind = transfer("blind", "resets, SYNs and data that guess the window (RFC 5961)",
                            4 * kMiB, 4 * kMiB);
  both(blind, [](LinkConfig& link) { link.rate_bps = 50'000'000; });
  blind.attack.blind = 1;
  blind.attack.frames_per_second = 5'000;
  blind.attack.until = kStart + 1s;
  all.push_back(blind);

  Scenario garbage = blind;
  garbage.name = "garbage";
  garbage.about = "noise, cut and damaged frames, port scans";
  garbage.attack.blind = 0;
  garbage.attack.garbage = 3;
  garbage.attack.scan = 1;
  all.push_back(garbage);
}

}  // namespace

std::vector<Scenario> named_scenarios() {
  std::vector<Scenario> all;
  add_plain(all);
  add_slow_readers(all);
  add_faults(all);
  add_boxes(all);
  add_attacks(all);
  add_throughput(all);
  for (Scenario& scenario : recovery_scenarios())
    all.push_back(std::move(scenario));
  for (Scenario& scenario : multipath_scenarios())
    all.push_back(std::move(scenario));
  for (Scenario& scenario : ecn_scenarios())
    all.push_back(std::move(scenario));
  return all;
}

std::optional<Scenario> find_scenario(std::string_view name) {
  for (Scenario& scenario : named_scenarios())
    if (scenario.name == name) return std::move(scenario);
  return {};
}

}  // namespace sim
