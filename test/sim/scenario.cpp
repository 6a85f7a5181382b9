#include "test/sim/scenario.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace sim {

namespace {

using dataplane::tcp::Config;
using CongestionControl = decltype(Config::congestion_control);

/// Draws the parts of one scenario in order; what comes later may depend on what was drawn before.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : rng_(seed) {
    out_.seed = seed;
    out_.name = fmt::format("seed-{}", seed);
  }

  Scenario scenario() {
    draw_network();
    draw_faults();
    draw_boxes();
    draw_connections();
    draw_stations();
    draw_attack();
    draw_multipath();
    draw_path_commands();
    draw_versions();
    draw_bursts();
    draw_ecn();
    draw_bound();
    return std::move(out_);
  }

 private:
  void draw_network();
  void draw_faults();
  void draw_link(LinkConfig& link);
  void draw_one_fault(Faults& faults);
  void draw_boxes();
  void draw_connections();
  ConnectionPlan draw_connection(std::uint64_t segments);
  AppPlan draw_app(std::uint64_t octets);
  void draw_abort(ConnectionPlan& plan);
  void draw_stations();
  Config draw_tcp();
  void draw_attack();
  void draw_multipath();
  void draw_path_commands();
  void draw_versions();
  void draw_bursts();
  void draw_ecn();
  mptcp::Config draw_mptcp(Rng& rng) const;
  BoxSpec draw_mptcp_box(Rng& rng) const;
  void draw_bound();
  std::uint64_t payload() const { return std::min(out_.client.mtu, out_.server.mtu) - 72U; }
  Duration round_trip() const {
    return out_.up.delay + out_.down.delay + out_.up.jitter + out_.down.jitter;
  }

  Rng rng_;
  Scenario out_;
  Duration faults_last_{};
  Duration longest_cut_{};
  double worst_loss_ = 0;
};

void Draw::draw_network() {
  out_.v6 = rng_.chance(0.35);
  if (rng_.chance(0.05)) out_.vlan = static_cast<std::uint16_t>(rng_.between(1, 4094));
  out_.clients = rng_.chance(0.15) ? rng_.between(2, 4) : 1;
  constexpr std::uint16_t kMtus[] = {576, 1280, 1400, 1500, 1500, 1500, 1500, 4000, 9000};
  const std::uint16_t least = out_.v6 ? 1280 : 576;
  out_.server.mtu = std::max(rng_.pick(kMtus), least);
  out_.client.mtu = rng_.chance(0.15) ? std::max(rng_.pick(kMtus), least) : out_.server.mtu;
  draw_link(out_.up);
  out_.down = out_.up;
  if (rng_.chance(0.3)) draw_link(out_.down);
  // Both ways have one delay more often than not, but a queue of their own.
  if (rng_.chance(0.7)) out_.down.delay = out_.up.delay;
}

void Draw::draw_link(LinkConfig& link) {
  link.rate_bps = rng_.log_between(1'000'000, 10'000'000'000);
  link.delay = rng_.log_between(5us, 100ms);
  if (rng_.chance(0.3))
    link.jitter = rng_.log_between(1us, std::max<Duration>(2us, link.delay / 2));
  const auto seconds = std::chrono::duration<double>(link.delay * 2).count();
  const auto bdp_frames =
      static_cast<std::uint64_t>(static_cast<double>(link.rate_bps) * seconds / 12'000);
  link.queue_frames = rng_.log_between(8, 2 * bdp_frames + 64);
}

void Draw::draw_one_fault(Faults& faults) {
  switch (rng_.below(7)) {
    case 0:
      faults.loss = rng_.chance(0.3) ? rng_.real(0.05, 0.2) : rng_.real(0, 0.05);
      return;
    case 1:
      faults.burst = {rng_.real(0, 0.02), rng_.real(0.1, 0.5), rng_.real(0.3, 1)};
      return;
    case 2:
      faults.reorder = rng_.chance(0.3) ? rng_.real(0.1, 0.4) : rng_.real(0, 0.1);
      return;
    case 3:
      faults.duplicate = rng_.chance(0.2) ? rng_.real(0.1, 0.5) : rng_.real(0, 0.1);
      return;
    case 4:
      faults.corrupt = rng_.real(0, 0.08);
      return;
    case 5:
      faults.deface = rng_.real(0, 0.2);
      return;
    default:
      break;
  }
  const std::uint64_t cuts = rng_.between(1, 3);
  // A host that cannot be found within seconds is unreachable, and rightly: long cuts come later.
  const bool long_ones = rng_.chance(0.3);
  Instant at = kStart + (long_ones ? 1s : 0s);
  for (std::uint64_t i = 0; i < cuts; ++i) {
    at += rng_.log_between(1ms, 2s);
    const Duration length = rng_.log_between(5ms, long_ones ? 10s : 800ms);
    faults.cuts.push_back({at, at + length});
    at += length;
    longest_cut_ = std::max(longest_cut_, length);
  }
  faults_last_ = std::max<Duration>(faults_last_, at - kStart);
}

void Draw::draw_faults() {
  if (rng_.chance(0.12)) return;  // A clean path has bugs of its own.
  const Duration last = rng_.log_between(50ms, 60s);
  faults_last_ = last;
  for (LinkConfig* link : {&out_.up, &out_.down}) {
    Faults& faults = link->faults;
    faults.end = kStart + last;
    faults.reorder_delay = rng_.log_between(1us, std::max<Duration>(2us, round_trip() * 2));
    const std::uint64_t count = rng_.chance(0.2) ? 0 : rng_.between(1, 4);
    for (std::uint64_t i = 0; i < count; ++i)
      draw_one_fault(faults);
    worst_loss_ = std::max(worst_loss_, faults.loss + faults.corrupt);
  }
}

void Draw::draw_boxes() {
  if (!rng_.chance(0.35)) return;
  const auto payload_limit = static_cast<std::uint32_t>(payload());
  const std::uint64_t count = rng_.chance(0.25) ? 2 : 1;
  for (std::uint64_t i = 0; i < count; ++i) {
    switch (rng_.below(9)) {
      case 0:
        out_.boxes.push_back({BoxKind::StripUnknownOptions, 0});
        break;
      case 1: {
        constexpr std::uint32_t kKinds[] = {2, 3, 4, 8};
        out_.boxes.push_back({BoxKind::DropSynOption, rng_.pick(kKinds)});
        break;
      }
      case 2:
        out_.boxes.push_back({BoxKind::DropSackPermitted, 0});
        break;
      case 3:
        out_.boxes.push_back(
            {BoxKind::Split, static_cast<std::uint32_t>(rng_.between(200, payload_limit))});
        break;
      case 4:
        out_.boxes.push_back({BoxKind::Merge, payload_limit});
        break;
      case 5:
        out_.boxes.push_back({BoxKind::RewriteSequence, 0});
        break;
      case 6:
        out_.boxes.push_back({BoxKind::RewriteSequenceOnly, 0});
        break;
      case 7:
        out_.boxes.push_back({BoxKind::Nat, 0});
        break;
      default: {
        const std::uint32_t least = out_.v6 ? 1280 : 576;
        const std::uint32_t most = std::min(out_.client.mtu, out_.server.mtu);
        out_.boxes.push_back({BoxKind::Narrow, static_cast<std::uint32_t>(
                                                   rng_.between(least, std::max(least, most)))});
        break;
      }
    }
  }
  // Behind two of them a client would have an address that nobody expects.
  std::size_t nats = 0;
  std::erase_if(out_.boxes,
                [&](const BoxSpec& box) { return box.kind == BoxKind::Nat && ++nats > 1; });
  // What quotes a segment in ICMP after others rewrote it is not understood by its sender.
  const auto rewrites = [](const BoxSpec& box) {
    return box.kind == BoxKind::RewriteSequence || box.kind == BoxKind::RewriteSequenceOnly ||
           box.kind == BoxKind::Nat;
  };
  const auto is_narrow = [](const BoxSpec& box) { return box.kind == BoxKind::Narrow; };
  if (std::any_of(out_.boxes.begin(), out_.boxes.end(), is_narrow))
    std::erase_if(out_.boxes, rewrites);
}

AppPlan Draw::draw_app(std::uint64_t octets) {
  AppPlan out;
  out.octets = octets;
  if (rng_.chance(0.3)) {  // In bursts, but at most some hundred of them.
    out.write_chunk =
        static_cast<std::uint32_t>(std::max(rng_.log_between(1, 65'536), octets / 200 + 1));
    out.write_pause = rng_.log_between(10us, 50ms);
  }
  if (rng_.chance(0.25)) {
    out.read_chunk =
        static_cast<std::uint32_t>(std::max(rng_.log_between(1, 65'536), octets / 200 + 1));
    out.read_pause = rng_.log_between(10us, 50ms);
  }
  if (rng_.chance(0.15)) {
    out.stop_at = rng_.below(octets + 1);
    out.stop_for = rng_.log_between(100ms, 20s);
  }
  out.answer_last = rng_.chance(0.15);
  out.await_closed = rng_.chance(0.2);
  out.whole_packets = rng_.chance(0.3);
  return out;
}

void Draw::draw_abort(ConnectionPlan& plan) {
  AppPlan& side = rng_.chance(0.5) ? plan.client_app : plan.server_app;
  side.abort_at = rng_.below(plan.client_app.octets + plan.server_app.octets + 1);
}

ConnectionPlan Draw::draw_connection(std::uint64_t segments) {
  ConnectionPlan out;
  out.client = rng_.below(out_.clients);
  const auto octets = [&](std::uint64_t most) {
    return rng_.chance(0.1) ? 0 : rng_.log_between(1, std::max<std::uint64_t>(2, most * payload()));
  };
  const bool both_ways = rng_.chance(0.4);
  const bool to_client = rng_.chance(0.5);
  const std::uint64_t up = to_client && !both_ways ? 0 : octets(segments);
  const std::uint64_t down = to_client || both_ways ? octets(segments) : 0;
  out.client_app = draw_app(up);
  out.server_app = draw_app(down);
  // The stopping point is in what this side reads.
  if (out.client_app.stop_at != kNeverReached) out.client_app.stop_at = rng_.below(down + 1);
  if (out.server_app.stop_at != kNeverReached) out.server_app.stop_at = rng_.below(up + 1);
  // Two who wait for each other's end wait for ever.
  if (out.client_app.answer_last) out.server_app.answer_last = false;
  if (up > 0 && down == 0 && rng_.chance(0.2)) out.client_app.close_early = true;
  if (down > 0 && up == 0 && rng_.chance(0.2)) out.server_app.close_early = true;
  out.after = rng_.chance(0.7) ? 0ns : rng_.log_between(1us, longest_cut_ > 800ms ? 300ms : 3s);
  if (rng_.chance(0.08)) draw_abort(out);
  return out;
}

void Draw::draw_connections() {
  const std::uint64_t slow = std::min(out_.up.rate_bps, out_.down.rate_bps) / 8 * 10 / payload();
  std::uint64_t segments =
      rng_.log_between(1, std::max<std::uint64_t>(2, std::min<std::uint64_t>(2500, slow)));
  if (worst_loss_ > 0.05) segments = segments / 3 + 1;
  segments = std::min(segments, (4UL << 20) / payload() + 1);
  const std::uint64_t plans = rng_.chance(0.2) ? rng_.between(2, 6) : 1;
  for (std::uint64_t i = 0; i < plans; ++i) {
    ConnectionPlan plan = draw_connection(segments / plans + 1);
    plan.server_port = static_cast<std::uint16_t>(8000 + i);
    if (rng_.chance(0.12)) {
      plan.count = rng_.between(2, 24);
      plan.spacing = rng_.chance(0.5) ? 0ns : rng_.log_between(1us, 100ms);
      plan.client_app.octets /= plan.count;
      plan.server_app.octets /= plan.count;
    } else if (longest_cut_ == 0ns && rng_.chance(0.08)) {
      plan.simultaneous = true;
    }
    out_.connections.push_back(plan);
  }
  const bool behind_nat = std::any_of(out_.boxes.begin(), out_.boxes.end(),
                                      [](const BoxSpec& box) { return box.kind == BoxKind::Nat; });
  if (behind_nat)
    for (ConnectionPlan& plan : out_.connections)
      plan.simultaneous = false;
}

Config Draw::draw_tcp() {
  constexpr Duration kFloors[] = {5ms, 50ms, 200ms, 200ms};
  constexpr Duration kCeilings[] = {2s, 10s, 60s};
  Config out;
  out.rto_min = rng_.pick(kFloors);
  out.rto_max = rng_.pick(kCeilings);
  out.syn_retries = 30;
  out.user_timeout = 1800s;
  out.delayed_ack = rng_.chance(0.7) ? Duration(40ms) : rng_.between(1ms, 200ms);
  out.time_wait = rng_.log_between(100ms, 60s);
  out.fin_wait_2 = rng_.log_between(20s, 60s);
  out.nagle = rng_.chance(0.2);
  out.timestamps = !rng_.chance(0.2);
  out.sack = !rng_.chance(0.15);
  out.rack = out_.seed % 8 != 0;
  out.window_scaling = !rng_.chance(0.1);
  out.receive_buffer_max = static_cast<std::uint32_t>(rng_.log_between(16'384, 4UL << 20));
  out.receive_buffer_initial = static_cast<std::uint32_t>(
      rng_.log_between(4'096, std::min<std::uint64_t>(out.receive_buffer_max, 262'144)));
  out.send_buffer_max = static_cast<std::uint32_t>(rng_.log_between(16'384, 4UL << 20));
  out.send_buffer_initial = static_cast<std::uint32_t>(
      rng_.log_between(4'096, std::min<std::uint64_t>(out.send_buffer_max, 262'144)));
  constexpr CongestionControl kControls[] = {CongestionControl::Cubic, CongestionControl::NewReno,
                                             CongestionControl::Bbr};
  out.congestion_control = rng_.pick(kControls);
  // An end that sends nothing learns of a lost reset by asking only.
  for (const ConnectionPlan& plan : out_.connections)
    if (plan.is_cut_short()) out.keepalive_idle = 20s;
  return out;
}

void Draw::draw_stations() {
  for (Station* station : {&out_.client, &out_.server}) {
    station->tcp = draw_tcp();
    station->pool_packets = 3000;
    constexpr std::size_t kBursts[] = {1, 4, 32, 64};
    station->burst = rng_.pick(kBursts);
    if (rng_.chance(0.3)) station->turn_interval = rng_.log_between(1us, 1ms);
    station->back_pressure = rng_.chance(0.7);
  }
}

void Draw::draw_attack() {
  if (!rng_.chance(0.15)) return;
  AttackPlan& attack = out_.attack;
  switch (rng_.below(5)) {
    case 0:
      attack.syn_flood = 1;
      break;
    case 1:
      attack.garbage = 1;
      break;
    case 2:
      attack.blind = 1;
      break;
    case 3:
      attack.scan = 1;
      break;
    default:
      attack.syn_flood = attack.garbage = attack.blind = attack.scan = 1;
      break;
  }
  attack.answers_neighbors = rng_.chance(0.7);
  attack.invented_addresses = static_cast<std::uint32_t>(rng_.log_between(1, 30'000));
  const Duration length = rng_.log_between(10ms, 5s);
  const std::uint64_t frames = rng_.log_between(20, 1500);
  attack.until = kStart + length;
  attack.frames_per_second =
      static_cast<double>(frames) / std::chrono::duration<double>(length).count();
  constexpr std::size_t kTables[] = {2, 16, 128, 1024};
  out_.syn_table_size = rng_.pick(kTables);
  faults_last_ = std::max(faults_last_, length);
  if (attack.syn_flood == 0 && out_.syn_table_size > 16) return;
  // A SYN cookie keeps no state: only a client that speaks first makes sure that the server knows
  // of it.
  for (ConnectionPlan& plan : out_.connections) {
    plan.client_app.octets = std::max<std::uint64_t>(plan.client_app.octets, 1);
    plan.client_app.answer_last = false;
  }
}

void Draw::draw_path_commands() {
  Rng own = Rng(out_.seed).fork(2);
  const bool speaks = out_.client.mptcp.enabled && out_.server.mptcp.enabled;
  if (out_.more_paths.empty() || !speaks || !own.chance(0.4)) return;
  // A path that a box ends for good cannot be the one that is left.
  const auto ends_paths = [](const BoxSpec& box) {
    return box.kind == BoxKind::StripMptcpLater || box.kind == BoxKind::RefuseJoins;
  };
  if (std::any_of(out_.boxes.begin(), out_.boxes.end(), ends_paths)) return;
  for (const PathPlan& path : out_.more_paths)
    if (std::any_of(path.boxes.begin(), path.boxes.end(), ends_paths)) return;
  for (ConnectionPlan& plan : out_.connections) {
    // One side alone, or each could end what the other counts on.
    AppPlan& app = own.chance(0.5) ? plan.client_app : plan.server_app;
    app.path_pause = own.log_between(1ms, 2s);
    app.path_seed = own.next();
  }
}

void Draw::draw_versions() {
  // In so many seeds, and in none of seeds.txt, which stay what they were.
  if (out_.seed % 9 != 6) return;
  Rng own = Rng(out_.seed).fork(3);
  out_.client.mptcp.version = mptcp::Version::V0;
  if (own.chance(0.5)) out_.server.mptcp.version = mptcp::Version::V0;
  // The first octets follow the segment that opens the connection; who has closed by then does not
  // wait for any.
  for (ConnectionPlan& plan : out_.connections)
    if (plan.client_app.octets > 0) plan.server_app.close_early = false;
  // Only the listener: its peer goes on as TCP.
  if (own.chance(0.1)) out_.client.mptcp.version = mptcp::Version::V1;
}

void Draw::draw_bursts() {
  // In so many seeds, and in none of seeds.txt. A frame that wakes its host comes alone; what a
  // device hands over at once are as many as came since the turn before.
  if (out_.seed % 7 != 4) return;
  Rng own = Rng(out_.seed).fork(4);
  for (const auto& [station, link] :
       {std::pair(&out_.client, &out_.down), std::pair(&out_.server, &out_.up)}) {
    const double frames = own.real(2, 48);
    const double frame_bits = 8.0 * static_cast<double>(station->mtu);
    const double seconds = frames * frame_bits / static_cast<double>(link->rate_bps);
    station->turn_interval =
        std::min<Duration>(Duration(static_cast<std::int64_t>(seconds * 1e9)), 5ms);
    station->burst = own.chance(0.5) ? 32 : 64;
  }
}

void Draw::draw_ecn() {
  // In so many seeds, and in none of seeds.txt.
  if (out_.seed % 10 != 1) return;
  Rng own = Rng(out_.seed).fork(5);
  using dataplane::tcp::EcnMode;
  constexpr EcnMode kModes[] = {EcnMode::On, EcnMode::On, EcnMode::Answer, EcnMode::Off};
  for (Station* station : {&out_.client, &out_.server})
    station->tcp.ecn = own.pick(kModes);
  for (Station* station : {&out_.client, &out_.server})
    if (own.chance(0.3)) station->tcp.congestion_control = CongestionControl::Dctcp;
  std::vector<LinkConfig*> links{&out_.up, &out_.down};
  for (PathPlan& path : out_.more_paths)
    links.insert(links.end(), {&path.up, &path.down});
  for (LinkConfig* link : links)
    if (own.chance(0.8))
      link->mark_octets =
          own.log_between(1'000, link->queue_frames * std::uint64_t{out_.client.mtu} + 2'000);
  if (own.chance(0.3))
    out_.boxes.push_back({BoxKind::Bleach, static_cast<std::uint32_t>(own.between(1, 15))});
}

mptcp::Config Draw::draw_mptcp(Rng& rng) const {
  constexpr mptcp::SchedulerKind kSchedulers[] = {
      mptcp::SchedulerKind::MinRtt, mptcp::SchedulerKind::RoundRobin,
      mptcp::SchedulerKind::Redundant, mptcp::SchedulerKind::Blest, mptcp::SchedulerKind::Ecf};
  constexpr mptcp::PathManagerKind kManagers[] = {
      mptcp::PathManagerKind::FixedPairs, mptcp::PathManagerKind::FixedPairs,
      mptcp::PathManagerKind::FullMesh, mptcp::PathManagerKind::None};
  mptcp::Config out;
  out.enabled = true;
  out.checksum = rng.chance(0.25);
  out.scheduler = rng.pick(kSchedulers);
  out.path_manager = rng.pick(kManagers);
  out.close_timeout = rng.log_between(5s, 30s);
  return out;
}

void Draw::draw_multipath() {
  // Draws of its own, so that a seed's first path is what it was before there were others.
  Rng own(out_.seed * 0x9e37'79b9'7f4a'7c15 + 1);
  if (!own.chance(0.6)) return;
  if (own.chance(0.9)) out_.client.mptcp = draw_mptcp(own);
  if (own.chance(0.9)) out_.server.mptcp = draw_mptcp(own);
  // A mapping that is merged away is a segment lost, each time that two follow each other closely.
  std::erase_if(out_.boxes,
                [](const BoxSpec& box) { return box.kind == BoxKind::DropSackPermitted; });
  if (out_.clients > 1) return;
  std::swap(rng_, own);
  const std::uint64_t more = rng_.below(3);
  for (std::uint64_t i = 0; i < more; ++i) {
    PathPlan path;
    draw_link(path.up);
    path.down = path.up;
    if (rng_.chance(0.3)) draw_link(path.down);
    for (LinkConfig* link : {&path.up, &path.down}) {
      if (rng_.chance(0.4)) continue;
      const Duration last = rng_.log_between(50ms, 30s);
      faults_last_ = std::max(faults_last_, last);
      link->faults.end = kStart + last;
      link->faults.reorder_delay = rng_.log_between(1us, std::max<Duration>(2us, link->delay * 4));
      for (std::uint64_t k = rng_.between(1, 3); k > 0; --k)
        draw_one_fault(link->faults);
      worst_loss_ = std::max(worst_loss_, link->faults.loss + link->faults.corrupt);
    }
    out_.more_paths.push_back(path);
  }
  std::swap(rng_, own);
  if (!own.chance(0.25)) return;
  const std::uint64_t where = own.below(more + 1);
  auto& boxes = where == 0 ? out_.boxes : out_.more_paths[where - 1].boxes;
  const BoxSpec box = draw_mptcp_box(own);
  // Options that vanish for good in mid-stream leave no way but another path.
  const bool has_other = more > 0 && out_.client.mptcp.path_manager != mptcp::PathManagerKind::None;
  if (box.kind != BoxKind::StripMptcpLater) {
    boxes.push_back(box);
  } else if (has_other) {
    boxes.push_back(box);
    out_.timeouts_allowed = true;  // It may begin before another path has joined.
  }
}

BoxSpec Draw::draw_mptcp_box(Rng& rng) const {
  const auto half = static_cast<std::uint32_t>(rng.between(200, payload()));
  switch (rng.below(6)) {
    case 0:
      return {BoxKind::StripMptcp, static_cast<std::uint32_t>(rng.between(1, 7))};
    case 1:
      return {BoxKind::StripMptcpLater, static_cast<std::uint32_t>(rng.log_between(20, 200))};
    case 2:
      return {BoxKind::SplitKeepFirst, half};
    case 3:
      return {BoxKind::SplitKeepLast, half};
    case 4:
      return {BoxKind::MergeKeepFirst, static_cast<std::uint32_t>(payload())};
    default:
      return {BoxKind::RefuseJoins, static_cast<std::uint32_t>(rng.below(2))};
  }
}

void Draw::draw_bound() {
  const auto seconds = [](double value) {
    return Duration(static_cast<std::int64_t>(value * 1e9));
  };
  Duration pauses{};
  std::uint64_t octets = 0;
  for (const ConnectionPlan& plan : out_.connections) {
    octets += (plan.client_app.octets + plan.server_app.octets) * plan.count;
    pauses += plan.after + plan.spacing * static_cast<std::int64_t>(plan.count);
    for (const AppPlan* app : {&plan.client_app, &plan.server_app}) {
      const AppPlan& other = app == &plan.client_app ? plan.server_app : plan.client_app;
      pauses += app->write_pause * static_cast<std::int64_t>(app->octets / app->write_chunk + 1);
      pauses += app->read_pause * static_cast<std::int64_t>(other.octets / app->read_chunk + 1);
      pauses += app->stop_for;
    }
  }
  const Duration rto_max = std::max(out_.client.tcp.rto_max, out_.server.tcp.rto_max);
  const Duration time_wait = std::max(out_.client.tcp.time_wait, out_.server.tcp.time_wait);
  std::uint64_t slowest = std::min(out_.up.rate_bps, out_.down.rate_bps);
  Duration round = round_trip();
  for (const PathPlan& path : out_.more_paths) {
    slowest = std::min({slowest, path.up.rate_bps, path.down.rate_bps});
    round = std::max(round, path.up.delay + path.down.delay + path.up.jitter + path.down.jitter);
  }
  const double wire = static_cast<double>(octets) * 8 * 2 / static_cast<double>(slowest);
  // One more round trip per ten segments is slow, and one retransmission timeout after the faults
  // is bad luck; all beyond that is a stall.
  const double rounds = static_cast<double>(octets) / static_cast<double>(payload()) / 4 + 100;
  out_.bound = faults_last_ + 2 * longest_cut_ + 3 * rto_max + time_wait + 2 * pauses + 60s +
               seconds(wire * 5) + seconds(std::chrono::duration<double>(round).count() * rounds);
}

}  // namespace

Scenario random_scenario(std::uint64_t seed) { return Draw(seed).scenario(); }

}  // namespace sim
