#include "test/sim/run.hpp"

#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "test/sim/host.hpp"
#include "test/sim/switch.hpp"

namespace sim {

namespace {

constexpr Duration kLongestFarewell = 900s;  ///< TIME-WAIT, orphans, neighbour entries.

MacAddress mac_of(std::size_t group, std::size_t number, std::size_t port = 0) {
  return {{0x02, 0, 0, static_cast<std::uint8_t>(port), static_cast<std::uint8_t>(group),
           static_cast<std::uint8_t>(number)}};
}

IpAddress address_of(bool v6, std::size_t group, std::size_t number, std::size_t port = 0) {
  if (!v6) {
    return IpAddress::v4(
        static_cast<std::uint32_t>(0x0a00'0000 + (port << 16) + (group << 8) + number));
  }
  IpAddress::Octets octets{};
  octets[0] = 0xfd;
  octets[7] = static_cast<std::uint8_t>(port);
  octets[14] = static_cast<std::uint8_t>(group);
  octets[15] = static_cast<std::uint8_t>(number);
  return IpAddress::v6(octets);
}

/// One client's way to the server and back, from one port of it.
struct Path {
  std::unique_ptr<Host> client;  ///< Where its first path is.
  std::unique_ptr<Link> up;
  std::unique_ptr<Link> down;
  std::vector<std::unique_ptr<Box>> boxes;
};

/// All that a scenario needs, wired.
class Stage {
 public:
  Stage(const Scenario& scenario, Recorder& recorder);

  void play();
  const std::optional<Violation>& violation() const { return oracle_.violation(); }
  RunStats stats();

 private:
  std::unique_ptr<Link> make_link(const LinkConfig& config, std::uint64_t place, FrameSink& out) {
    return std::make_unique<Link>(config, world_.frames(),
                                  rng_.fork(config.luck == 0 ? place : 10'000 + config.luck), out);
  }
  HostConfig host_config(const Station& station, std::size_t group, std::size_t number) const;
  void add_server();
  void add_path(std::size_t number);
  void add_further_path(std::size_t port);
  void add_boxes(Path& path, const std::vector<BoxSpec>& specs, std::size_t port);
  void add_attacker();
  void add_connections(const ConnectionPlan& plan, std::size_t index);
  bool is_done() const;
  bool is_empty() const;
  void complain_unfinished();
  void complain_leak();
  void show_paths();
  template <class F>
  void for_each_host(F&& f) const {
    f(*server_);
    for (const Path& path : paths_)
      if (path.client) f(*path.client);
  }
  bool needs_switch() const { return scenario_.clients > 1 || scenario_.attack.is_on(); }
  bool has_nat() const {
    return std::any_of(scenario_.boxes.begin(), scenario_.boxes.end(),
                       [](const BoxSpec& box) { return box.kind == BoxKind::Nat; });
  }
  std::size_t largest_mtu() const { return std::max(scenario_.client.mtu, scenario_.server.mtu); }

  const Scenario& scenario_;
  Recorder& recorder_;
  Rng rng_;
  Content content_;
  World world_;
  Oracle oracle_;
  std::unique_ptr<Host> server_;
  std::unique_ptr<Link> server_link_;  ///< To the switch, if there is one.
  Switch switch_;
  std::vector<Path> paths_;
  std::unique_ptr<Attacker> attacker_;
  Instant done_at_ = kStart;
  Instant shown_next_ = kStart;
};

Stage::Stage(const Scenario& scenario, Recorder& recorder)
    : scenario_(scenario),
      recorder_(recorder),
      rng_(scenario.seed),
      content_(scenario.seed),
      world_(largest_mtu() + 64),
      oracle_(content_),
      switch_(world_.frames()) {
  oracle_.allow_timeouts(scenario.timeouts_allowed);
  oracle_.allow_unreachable(!scenario.up.faults.cuts.empty() || !scenario.down.faults.cuts.empty());
  oracle_.allow_late_acks(scenario.late_acks_allowed);
  add_server();
  for (std::size_t i = 0; i < scenario.clients; ++i)
    add_path(i);
  for (std::size_t port = 1; port <= scenario.more_paths.size(); ++port)
    add_further_path(port);
  if (scenario.attack.is_on()) add_attacker();
  for (std::size_t i = 0; i < scenario.connections.size(); ++i)
    add_connections(scenario.connections[i], i);
}

HostConfig Stage::host_config(const Station& station, std::size_t group, std::size_t number) const {
  HostConfig out;
  out.facts.name = group == 0 ? "server" : fmt::format("client{}", number);
  out.facts.mtu = station.mtu;
  out.facts.vlan = scenario_.vlan;
  out.facts.is_client = group != 0;
  for (std::size_t i = 0; i <= scenario_.more_paths.size(); ++i) {
    dataplane::net::InterfaceConfig port;
    port.id = fmt::format("p{}", i);
    port.mac = mac_of(group, number, i);
    port.addresses = {{address_of(scenario_.v6, group, number, i), scenario_.v6 ? 64U : 16U}};
    port.mtu = station.mtu;
    port.vlan = scenario_.vlan;
    out.core.ports.push_back(port);
    out.facts.macs.push_back(port.mac);
  }
  out.core.tcp = station.tcp;
  out.core.mptcp = station.mptcp;
  out.core.max_connections = 1024;
  out.core.syn_table_size = scenario_.syn_table_size;
  out.core.accept_backlog = scenario_.accept_backlog;
  out.core.seed = rng_.fork(100 + group * 256 + number).next();
  out.core.send_memory = scenario_.send_memory;
  out.pool_packets = station.pool_packets;
  out.packet_room = static_cast<std::uint32_t>(std::max<std::size_t>(2048, largest_mtu() + 64));
  out.facts.packet_room = out.packet_room;
  out.burst = station.burst;
  out.turn_interval = station.turn_interval;
  out.back_pressure = station.back_pressure;
  return out;
}

void Stage::add_server() {
  server_ = std::make_unique<Host>(host_config(scenario_.server, 0, 1), world_, oracle_, content_,
                                   recorder_);
  oracle_.watch_peer(address_of(scenario_.v6, 0, 1));
  world_.add(*server_);
  if (!needs_switch()) return;
  FrameSink& entry = switch_.add_port(server_->port(0));
  switch_.learn(mac_of(0, 1));
  LinkConfig config;
  config.rate_bps = std::max<std::uint64_t>(scenario_.down.rate_bps, 10'000'000'000);
  config.delay = 1us;
  server_link_ = std::make_unique<Link>(config, world_.frames(), rng_.fork(1), entry);
  world_.add(*server_link_);
  server_->connect(0, *server_link_);
}

void Stage::add_path(std::size_t i) {
  Path path;
  const std::size_t number = i + 1;
  path.client = std::make_unique<Host>(host_config(scenario_.client, 1, number), world_, oracle_,
                                       content_, recorder_);
  const IpAddress address = address_of(scenario_.v6, 1, number);
  oracle_.watch_peer(has_nat() ? nat_address(address) : address);
  world_.add(*path.client);
  add_boxes(path, scenario_.boxes, 0);
  auto& boxes = path.boxes;
  FrameSink& to_client = boxes.empty() ? path.client->port(0) : boxes.back()->entry(Side::Right);
  path.down = make_link(scenario_.down, 500 + i, to_client);
  FrameSink* to_server = &server_->port(0);
  if (needs_switch()) {
    to_server = &switch_.add_port(*path.down);
    switch_.learn(mac_of(1, number));
  } else {
    server_->connect(0, *path.down);
  }
  for (std::size_t k = 0; k < boxes.size(); ++k) {
    boxes[k]->connect(Side::Right,
                      k + 1 < boxes.size() ? boxes[k + 1]->entry(Side::Left) : *to_server);
    boxes[k]->connect(Side::Left, k > 0 ? boxes[k - 1]->entry(Side::Right) : path.client->port(0));
  }
  FrameSink& from_client = boxes.empty() ? *to_server : boxes.front()->entry(Side::Left);
  path.up = make_link(scenario_.up, 700 + i, from_client);
  path.client->connect(0, *path.up);
  world_.add(*path.up);
  world_.add(*path.down);
  paths_.push_back(std::move(path));
}

void Stage::add_boxes(Path& path, const std::vector<BoxSpec>& specs, std::size_t port) {
  for (const BoxSpec& spec : specs) {
    const std::size_t number = 300 + 40 * port + path.boxes.size();
    path.boxes.push_back(make_box(spec, world_.frames(), rng_.fork(number).next()));
    world_.add(*path.boxes.back());
  }
}

void Stage::add_further_path(std::size_t port) {
  const PathPlan& plan = scenario_.more_paths[port - 1];
  Host& client = *paths_[0].client;
  const IpAddress address = address_of(scenario_.v6, 1, 1, port);
  oracle_.watch_peer(address);
  oracle_.watch_peer(address_of(scenario_.v6, 0, 1, port));
  Path path;
  add_boxes(path, plan.boxes, port);
  auto& boxes = path.boxes;
  for (std::size_t k = 0; k < boxes.size(); ++k) {
    FrameSink& right = k + 1 < boxes.size() ? boxes[k + 1]->entry(Side::Left) : server_->port(port);
    FrameSink& left = k > 0 ? boxes[k - 1]->entry(Side::Right) : client.port(port);
    boxes[k]->connect(Side::Right, right);
    boxes[k]->connect(Side::Left, left);
  }
  FrameSink& to_server = boxes.empty() ? server_->port(port) : boxes.front()->entry(Side::Left);
  FrameSink& to_client = boxes.empty() ? client.port(port) : boxes.back()->entry(Side::Right);
  path.up = make_link(plan.up, 5000 + port, to_server);
  path.down = make_link(plan.down, 6000 + port, to_client);
  client.connect(port, *path.up);
  server_->connect(port, *path.down);
  world_.add(*path.up);
  world_.add(*path.down);
  paths_.push_back(std::move(path));
}

void Stage::add_attacker() {
  attacker_ = std::make_unique<Attacker>(scenario_.attack, world_.frames(), oracle_, rng_.fork(2));
  attacker_->connect(switch_.add_port(*attacker_));
  switch_.learn(Attacker::mac());
  Victim server{server_->index(), mac_of(0, 1), address_of(scenario_.v6, 0, 1), {}};
  for (const ConnectionPlan& plan : scenario_.connections)
    if (!plan.simultaneous) server.open_ports.push_back(plan.server_port);
  attacker_->aim_at(server);
  if (!has_nat())
    attacker_->aim_at(
        {paths_[0].client->index(), mac_of(1, 1), address_of(scenario_.v6, 1, 1), {}});
  world_.add(*attacker_);
}

void Stage::add_connections(const ConnectionPlan& plan, std::size_t index) {
  const bool cut = plan.is_cut_short() || scenario_.timeouts_allowed;
  const Endpoint server{address_of(scenario_.v6, 0, 1), plan.server_port};
  const Endpoint client{address_of(scenario_.v6, 1, plan.client + 1), plan.server_port};
  AppPlan server_app = plan.server_app;
  AppPlan client_app = plan.client_app;
  server_app.expected = plan.client_app.octets;
  client_app.expected = plan.server_app.octets;
  if (!plan.simultaneous) server_->serve({plan.server_port, server_app, cut});
  for (std::size_t i = 0; i < plan.count; ++i) {
    Call call;
    call.at = kStart + plan.after + plan.spacing * static_cast<std::int64_t>(i);
    call.remote = server;
    call.server_port = plan.server_port;
    call.plan = client_app;
    call.cut_expected = cut;
    if (plan.simultaneous) call.local = client;
    paths_[plan.client].client->call(call);
    if (!plan.simultaneous) continue;
    call.at += rng_.fork(900 + index).between(0ns, scenario_.up.delay);
    call.local = server;
    call.remote = client;
    call.plan = server_app;
    server_->call(call);
  }
}

bool Stage::is_done() const {
  bool done = true;
  for_each_host([&](const Host& host) { done = done && host.is_done(); });
  if (!done) return false;
  const bool cut = std::any_of(paths_.begin(), paths_.end(), [](const Path& path) {
    if (!path.client) return false;
    const auto& sessions = path.client->sessions();
    return std::any_of(sessions.begin(), sessions.end(),
                       [](const Session& s) { return s.is_cut_short(); });
  });
  if (cut) return true;
  return std::all_of(
      scenario_.connections.begin(), scenario_.connections.end(), [&](const ConnectionPlan& plan) {
        return plan.simultaneous || plan.is_cut_short() || scenario_.timeouts_allowed ||
               server_->accepted(plan.server_port) >= plan.count;
      });
}

bool Stage::is_empty() const {
  bool empty = true;
  for_each_host([&](Host& host) {
    empty = empty && host.packets_missing() == 0 && host.core().connection_count() == 0;
  });
  return empty;
}

void Stage::complain_unfinished() {
  for_each_host([&](const Host& host) {
    for (const Session& session : host.sessions())
      if (!session.is_done())
        oracle_.fail(world_.now(), host.index(),
                     "not over within the bound: " + session.describe());
  });
  for (const ConnectionPlan& plan : scenario_.connections) {
    if (!plan.simultaneous && server_->accepted(plan.server_port) < plan.count)
      oracle_.fail(world_.now(), 0,
                   fmt::format("port {}: accepted {} connections of {}", plan.server_port,
                               server_->accepted(plan.server_port), plan.count));
  }
}

void Stage::complain_leak() {
  for_each_host([&](Host& host) {
    if (host.packets_missing() == 0 && host.core().connection_count() == 0) return;
    oracle_.fail(world_.now(), host.index(),
                 fmt::format("{} packets and {} connections remain when all is over",
                             host.packets_missing(), host.core().connection_count()));
  });
}

void Stage::show_paths() {
  if (world_.now() < shown_next_) return;
  shown_next_ = world_.now() + recorder_.watch();
  for_each_host([&](const Host& host) { host.show_paths(world_.now()); });
}

void Stage::play() {
  const Instant bound = kStart + scenario_.bound;
  bool done = false;
  while (!violation() && !done) {
    if (!world_.step(bound)) break;
    if (recorder_.watch() > 0ns) show_paths();
    done = is_done();
  }
  done_at_ = world_.now();
  if (violation()) return;
  if (!done) return complain_unfinished();
  const Instant end = done_at_ + kLongestFarewell;
  while (!violation() && !is_empty() && world_.step(end))
    continue;
  if (!violation() && !is_empty()) complain_leak();
}

RunStats Stage::stats() {
  RunStats out;
  out.events = world_.events();
  out.elapsed = done_at_ - kStart;
  out.resent = oracle_.resent_octets();
  for_each_host([&](Host& host) {
    out.frames += host.stats().frames_out;
    out.undone += host.core().stats().tcp.timeouts_spurious;
    for (const Session& session : host.sessions())
      out.octets += session.octets_read();
  });
  for (const Path& path : paths_) {
    for (const Link* link : {path.up.get(), path.down.get()}) {
      const LinkStats& stats = link->stats();
      out.losses += stats.queue_drops + stats.losses + stats.cut_losses;
      out.marked += stats.marked;
      out.queue_delay =
          std::max(out.queue_delay,
                   Duration(stats.peak_queue_octets * 8 * 1'000'000'000 / link->config().rate_bps));
    }
  }
  const std::deque<Session>& clients = paths_[0].client->sessions();
  const std::deque<Session>& servers = server_->sessions();
  if (clients.empty() || servers.empty()) return out;
  // Of the first connection, the way that most octets took.
  const bool up = servers[0].octets_read() > clients[0].octets_read();
  const Session& reader = up ? servers[0] : clients[0];
  const double seconds = std::chrono::duration<double>(reader.last_read_at() - kStart).count();
  out.silence = reader.longest_silence();
  if (seconds <= 0) return out;
  out.goodput_bps = static_cast<double>(reader.octets_read()) * 8 / seconds;
  const double headers = (scenario_.v6 ? 40 : 20) + 20 + (scenario_.server.tcp.timestamps ? 12 : 0);
  std::uint64_t rates = (up ? scenario_.up : scenario_.down).rate_bps;
  for (const PathPlan& path : scenario_.more_paths)
    rates += (up ? path.up : path.down).rate_bps;
  const double mtu = std::min(scenario_.server.mtu, scenario_.client.mtu);
  out.utilisation = out.goodput_bps * (mtu + 14) / (mtu - headers) / static_cast<double>(rates);
  return out;
}

/// What of a goal was not reached; empty: all was.
std::string missed_goal(const Goal& goal, const RunStats& stats) {
  if (goal.within > 0ns && stats.elapsed > goal.within)
    return fmt::format("not over within {} ms, which is the goal", goal.within / 1ms);
  if (goal.silence > 0ns && stats.silence > goal.silence)
    return fmt::format("nothing was read for {} ms; the goal is {} ms", stats.silence / 1ms,
                       goal.silence / 1ms);
  if (goal.most_resent && stats.resent > *goal.most_resent)
    return fmt::format("{} octets sent again; the goal is {}", stats.resent, *goal.most_resent);
  if (stats.undone < goal.least_undone)
    return fmt::format("{} timeouts undone; the goal is {}", stats.undone, goal.least_undone);
  if (stats.utilisation < goal.utilisation)
    return fmt::format("used {:.1f} % of the link's rate; the goal is {:.1f} %",
                       stats.utilisation * 100, goal.utilisation * 100);
  if (goal.queue_at_most > 0ns && stats.queue_delay > goal.queue_at_most)
    return fmt::format("a queue of {} us; the goal is {} us", stats.queue_delay / 1us,
                       goal.queue_at_most / 1us);
  if (goal.resends_nothing && stats.resent + stats.losses != 0)
    return fmt::format("{} octets sent again and {} frames lost; the goal is none", stats.resent,
                       stats.losses);
  if (goal.wants_marks && stats.marked == 0) return "no frame was marked";
  return {};
}

}  // namespace

RunResult run(const Scenario& scenario, const RecorderConfig& config) {
  Recorder recorder(config);
  Stage stage(scenario, recorder);
  stage.play();
  RunResult out;
  out.violation = stage.violation();
  out.digest = recorder.digest();
  out.stats = stage.stats();
  if (!out.violation && scenario.goal)
    if (const std::string missed = missed_goal(*scenario.goal, out.stats); !missed.empty())
      out.violation = Violation{kStart + out.stats.elapsed, "goal", missed, ""};
  return out;
}

}  // namespace sim
