#include <algorithm>

#include "test/sim/scenario.hpp"

namespace sim {

namespace {

constexpr std::uint64_t kMiB = 1ULL << 20;

/// One way of a path, with a queue of one bandwidth-delay product, but of 64 frames at the least.
LinkConfig link_of(std::uint64_t rate_bps, Duration one_way) {
  LinkConfig out;
  out.rate_bps = rate_bps;
  out.delay = one_way;
  const double seconds = std::chrono::duration<double>(2 * one_way).count();
  out.queue_octets = std::max<std::uint64_t>(
      static_cast<std::uint64_t>(static_cast<double>(rate_bps) / 8 * seconds), 96'000);
  out.queue_frames = 1'000'000;
  return out;
}

Scenario speaking(const char* name, const char* about) {
  Scenario out;
  out.name = name;
  out.about = about;
  out.seed = 1;
  for (Station* station : {&out.client, &out.server}) {
    station->mptcp.enabled = true;
    station->mptcp.close_timeout = 10s;
    station->tcp.time_wait = 1s;
    station->tcp.syn_retries = 30;
    station->pool_packets = 20'000;
  }
  out.send_memory = 64UL << 20;
  out.connections.resize(1);
  return out;
}

void add_path(Scenario& scenario, const LinkConfig& link) {
  scenario.more_paths.push_back({link, link, {}});
}

/// A download over two paths that ends within `bound` and uses so much of both together.
Scenario download(const char* name, const char* about, const LinkConfig& first,
                  const LinkConfig& second) {
  Scenario out = speaking(name, about);
  out.up = out.down = first;
  add_path(out, second);
  out.connections[0].server_app.octets = (first.rate_bps + second.rate_bps) / 8 * 8;
  out.connections[0].server_app.write_chunk = 1 << 20;
  out.connections[0].client_app.read_chunk = 1 << 20;
  out.goal = Goal{};
  return out;
}

/// 8 MiB each way over two paths of 50 Mbit/s.
Scenario exchange(const char* name, const char* about) {
  Scenario out = speaking(name, about);
  out.up = out.down = link_of(50'000'000, 10ms);
  add_path(out, out.up);
  out.connections[0].client_app.octets = out.connections[0].server_app.octets = 8 * kMiB;
  return out;
}

void add_shapes(std::vector<Scenario>& all) {
  Scenario equal = download("two-equal-paths", "two paths of 100 Mbit/s and 20 ms",
                            link_of(100'000'000, 10ms), link_of(100'000'000, 10ms));
  equal.goal->utilisation = 0.85;
  all.push_back(equal);

  Scenario rates = download("two-rates", "100 and 20 Mbit/s, 20 ms both",
                            link_of(100'000'000, 10ms), link_of(20'000'000, 10ms));
  rates.goal->utilisation = 0.80;
  all.push_back(rates);

  Scenario delays = download("two-delays", "50 Mbit/s both, 10 and 100 ms",
                             link_of(50'000'000, 5ms), link_of(50'000'000, 50ms));
  delays.goal->utilisation = 0.70;
  all.push_back(delays);

  Scenario four = download("four-paths", "four paths of 50 Mbit/s and 20 ms",
                           link_of(50'000'000, 10ms), link_of(50'000'000, 10ms));
  add_path(four, four.up);
  add_path(four, four.up);
  four.connections[0].server_app.octets = 200'000'000;
  four.goal->utilisation = 0.80;
  all.push_back(four);
}

/// What a second path must not cost.
void add_burdens(std::vector<Scenario>& all) {
  LinkConfig wide = link_of(31'000'000, 88ms);
  LinkConfig thin = link_of(3'300'000, 46ms);
  wide.queue_frames = 124;
  thin.queue_frames = 20;
  Scenario beside = download(
      "thin-beside-wide", "31 Mbit/s and 176 ms with a short queue, beside 3.3 Mbit/s", wide, thin);
  beside.connections[0].server_app.octets = 20'000'000;
  for (Station* station : {&beside.client, &beside.server})
    station->back_pressure = false;
  beside.goal->within = 6'800ms;
  beside.goal->quick = true;
  all.push_back(beside);

  Scenario window = download("narrow-window", "50 and 5 Mbit/s, 10 and 200 ms, window of 250,000",
                             link_of(50'000'000, 5ms), link_of(5'000'000, 100ms));
  window.connections[0].server_app.octets = 16 * kMiB;
  window.client.tcp.receive_buffer_initial = window.client.tcp.receive_buffer_max = 250'000;
  window.goal->within = 4s;
  window.goal->quick = true;
  all.push_back(window);
}

/// What a slow path holds at the end is sent again by the fast one, however much it is.
void add_tail(std::vector<Scenario>& all) {
  LinkConfig slow = link_of(3'200'000, 150ms);
  LinkConfig fast = link_of(54'800'000, 2'750us);
  slow.queue_frames = 261;
  slow.queue_octets = 10'000'000;
  fast.queue_frames = 75;
  Scenario tail = download("slow-tail", "55 Mbit/s and 5.5 ms, beside 3 Mbit/s with a queue of 1 s",
                           slow, fast);
  tail.connections[0].server_app.octets = 34'000'000;
  for (Station* station : {&tail.client, &tail.server}) {
    station->back_pressure = false;
    station->pool_packets = 60'000;
  }
  tail.goal->within = 6'250ms;
  tail.goal->quick = true;
  all.push_back(tail);
}

void add_cuts(std::vector<Scenario>& all) {
  for (const bool first : {true, false}) {
    Scenario cut = exchange(first ? "cut-first-path" : "cut-second-path",
                            "one of two paths is cut for good in the middle");
    LinkConfig& up = first ? cut.up : cut.more_paths[0].up;
    LinkConfig& down = first ? cut.down : cut.more_paths[0].down;
    up.faults.cuts = down.faults.cuts = {{kStart + 500ms, kNever}};
    all.push_back(cut);
  }
  Scenario turns = exchange("cuts-in-turn", "both paths are cut, one after the other, and return");
  turns.up.faults.cuts = turns.down.faults.cuts = {{kStart + 300ms, kStart + 3s}};
  turns.more_paths[0].up.faults.cuts =
      turns.more_paths[0].down.faults.cuts = {{kStart + 4s, kStart + 9s}};
  turns.connections[0].server_app.write_chunk = 100'000;
  turns.connections[0].server_app.write_pause = 100ms;
  all.push_back(turns);

  Scenario dark = exchange("both-paths-cut", "for three seconds there is no path at all");
  dark.up.faults.cuts = dark.down.faults.cuts = {{kStart + 300ms, kStart + 3s}};
  dark.more_paths[0].up.faults.cuts = dark.more_paths[0].down.faults.cuts = dark.up.faults.cuts;
  all.push_back(dark);
}

void add_faults(std::vector<Scenario>& all) {
  Scenario loss = exchange("multipath-loss", "5 % loss and reordering on both paths");
  for (LinkConfig* link :
       {&loss.up, &loss.down, &loss.more_paths[0].up, &loss.more_paths[0].down}) {
    link->faults.loss = 0.05;
    link->faults.reorder = 0.05;
    link->faults.reorder_delay = 30ms;
  }
  loss.bound = 1200s;
  all.push_back(loss);

  Scenario checksums = loss;
  checksums.name = "multipath-checksums";
  checksums.about = "the same with data checksums";
  checksums.server.mptcp.checksum = true;
  all.push_back(checksums);

  Scenario slow = exchange("multipath-zero-window", "the reader stops for twenty seconds");
  slow.client.tcp.receive_buffer_max = slow.client.tcp.receive_buffer_initial = 65'536;
  slow.connections[0].client_app.stop_at = 500'000;
  slow.connections[0].client_app.stop_for = 20s;
  slow.bound = 600s;
  all.push_back(slow);
}

void add_falls(std::vector<Scenario>& all) {
  Scenario client = exchange("mptcp-client-only", "the server does not speak MPTCP");
  client.server.mptcp.enabled = false;
  all.push_back(client);
  Scenario server = exchange("mptcp-server-only", "the client does not speak MPTCP");
  server.client.mptcp.enabled = false;
  all.push_back(server);
  struct Strip {
    const char* name;
    std::uint32_t from;
  };
  constexpr Strip kStrips[] = {{"strip-syn", kStripSyn},
                               {"strip-syn-ack", kStripSynAck},
                               {"strip-later", kStripLater},
                               {"strip-all", kStripSyn | kStripSynAck | kStripLater}};
  for (const Strip& strip : kStrips) {
    Scenario stripped = exchange(strip.name, "a box on the first path takes kind 30 away");
    stripped.boxes = {{BoxKind::StripMptcp, strip.from}};
    all.push_back(stripped);
  }
  Scenario old = exchange("version-zero", "two paths in the version of RFC 6824, with loss");
  for (Station* station : {&old.client, &old.server})
    station->mptcp.version = mptcp::Version::V0;
  for (LinkConfig* link : {&old.up, &old.down})
    link->faults.loss = 0.002;
  all.push_back(old);

  Scenario joins = exchange("joins-refused", "a firewall on the second path resets joins");
  joins.more_paths[0].boxes = {{BoxKind::RefuseJoins, 1}};
  all.push_back(joins);

  Scenario split = exchange("split-and-merge", "segments are split and merged on both paths");
  split.boxes = {{BoxKind::SplitKeepFirst, 700}};
  split.more_paths[0].boxes = {{BoxKind::Split, 600}, {BoxKind::RewriteSequence, 0}};
  all.push_back(split);
}

}  // namespace

std::vector<Scenario> multipath_scenarios() {
  std::vector<Scenario> all;
  add_shapes(all);
  add_burdens(all);
  add_tail(all);
  add_cuts(all);
  add_faults(all);
  add_falls(all);
  const std::vector<Scenario> flows = simult_flows();
  all.insert(all.end(), flows.begin(), flows.end());
  return all;
}

}  // namespace sim
