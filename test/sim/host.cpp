#include "test/sim/host.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include <fmt/format.h>

namespace sim {

using dataplane::PortIndex;

namespace {

/// What a turn costs when the engine wants another one at once.
constexpr Duration kTurnCost = 1us;
constexpr std::uint64_t kMostIdleTurns = 5'000;
constexpr std::size_t kStatesPerLook = 8;

}  // namespace

Host::Host(HostConfig config, World& world, Oracle& oracle, const Content& content,
           Recorder& recorder)
    : config_(std::move(config)),
      world_(world),
      oracle_(oracle),
      content_(content),
      recorder_(recorder),
      index_(oracle.add_host(config_.facts)),
      pool_(config_.pool_packets, config_.packet_room),
      core_(config_.core, pool_),
      context_{core_, oracle_, content_, index_, config_.facts.is_client} {
  for (const auto& port : config_.core.ports)
    for (const auto& prefix : port.addresses)
      context_.addresses.push_back(prefix.address);
  recorder_.add_host(config_.facts.name);
  for (std::size_t i = 0; i < core_.port_count(); ++i)
    ports_.push_back(std::make_unique<Port>(*this));
  burst_.reserve(config_.burst);
}

void Host::serve(const Service& service) {
  const IpAddress any =
      config_.core.ports[0].addresses[0].address.is_v4() ? IpAddress::v4(0) : IpAddress();
  const auto id = core_.listen({any, service.port});
  if (!id)
    return oracle_.fail(world_.now(), index_, fmt::format("listen: {}", name_of(id.error())));
  listeners_.push_back({*id, service});
}

void Host::call(const Call& call) {
  calls_.push_back(call);
  std::sort(calls_.begin(), calls_.end(), [](const Call& a, const Call& b) { return a.at > b.at; });
  wake_ = std::min(wake_, call.at);
}

Instant Host::next_event() const {
  if (frames_since_ == kNever) return wake_;
  return std::min(wake_, std::max(frames_since_, last_turn_ + config_.turn_interval));
}

void Host::run(Instant now) {
  ++stats_.turns;
  last_turn_ = now;
  was_busy_ = false;
  take_frames(now);
  core_.on_deadline(now);
  show_states(now);
  run_application(now);
  show_states(now);
  core_.poll_transmit(now);
  send_frames(now);
  plan_wake(now);
}

void Host::take_frames(Instant now) {
  frames_since_ = kNever;
  for (std::size_t index = 0; index < ports_.size(); ++index) {
    auto& waiting = ports_[index]->waiting;
    for (std::size_t at = 0; at < waiting.size(); at += config_.burst)
      deliver(now, index, at, std::min(config_.burst, waiting.size() - at));
    waiting.clear();
  }
}

void Host::deliver(Instant now, std::size_t port, std::size_t first, std::size_t count) {
  for (std::size_t i = first; i < first + count; ++i) {
    const Frame& frame = ports_[port]->waiting[i];
    dataplane::Packet packet = pool_.alloc();
    if (!packet || frame.size() > packet.tailroom()) {
      ++stats_.no_packets;
      continue;
    }
    std::memcpy(packet.append(static_cast<std::uint32_t>(frame.size())), frame.data().data(),
                frame.size());
    recorder_.on_delivered(now, index_, frame.data());
    oracle_.on_delivered(now, index_, frame);
    burst_.push_back(std::move(packet));
  }
  stats_.frames_in += burst_.size();
  was_busy_ = true;
  core_.on_frames(now, PortIndex{static_cast<std::uint16_t>(port)}, burst_);
  burst_.clear();
  show_states(now);
}

Session* Host::find(mptcp::SocketId id) {
  for (std::size_t i = first_open_; i < sessions_.size(); ++i)
    if (sessions_[i].id() == id && !sessions_[i].is_done()) return &sessions_[i];
  return nullptr;
}

void Host::dispatch(Instant now, const mptcp::Event& event) {
  if (recorder_.is_tracing()) {
    constexpr std::array<std::string_view, 7> kKinds = {
        "Connected", "Acceptable", "Readable", "EndOfStream", "Writable", "PathChanged", "Closed"};
    recorder_.note(
        now, index_,
        fmt::format("{} {} {}", static_cast<std::uint64_t>(event.socket),
                    kKinds.at(static_cast<std::size_t>(event.kind)), name_of(event.reason)));
  }
  if (Session* session = find(event.socket)) return session->on_event(now, event);
  for (Listener& listener : listeners_) {
    if (listener.id != event.socket) continue;
    if (event.kind != mptcp::Event::Kind::Acceptable)
      oracle_.fail(now, index_, "a listener's event that is not Acceptable");
    return accept_all(now, listener);
  }
  oracle_.fail(now, index_, "an event for a socket that was given back");
}

void Host::accept_all(Instant now, Listener& listener) {
  while (const auto id = core_.accept(listener.id)) {
    ++listener.accepted;
    Session& session =
        sessions_.emplace_back(context_, *id, listener.service.port, listener.service.plan);
    if (listener.service.cut_expected) session.expect_cut();
    // An accepted connection is connected, and may hold octets and the end of the stream already.
    session.on_event(now, {*id, mptcp::Event::Kind::Connected, {}});
    session.adopt();
  }
}

void Host::open_due_calls(Instant now) {
  while (!calls_.empty() && calls_.back().at <= now) {
    const Call call = calls_.back();
    calls_.pop_back();
    mptcp::Core::ConnectOptions options{call.remote, {}, {}};
    if (call.local.port != 0 || !call.local.address.is_unspecified()) options.local = call.local;
    const auto id = core_.connect(now, options);
    if (!id) return oracle_.fail(now, index_, fmt::format("connect: {}", name_of(id.error())));
    Session& session = sessions_.emplace_back(context_, *id, call.server_port, call.plan);
    if (call.cut_expected) session.expect_cut();
  }
}

void Host::run_application(Instant now) {
  open_due_calls(now);
  while (const std::optional<mptcp::Event> event = core_.next_event()) {
    was_busy_ = true;
    dispatch(now, *event);
  }
  while (first_open_ < sessions_.size() && sessions_[first_open_].is_done())
    ++first_open_;
  for (std::size_t i = first_open_; i < sessions_.size(); ++i)
    sessions_[i].run(now);
}

void Host::show_states(Instant now) {
  // Of many sessions, some at a time: what the oracle accepts holds across turns.
  const std::size_t open = sessions_.size() - first_open_;
  const std::size_t count = std::min(open, kStatesPerLook);
  for (std::size_t i = 0; i < count; ++i)
    sessions_[first_open_ + (next_shown_ + i) % open].show_state(now);
  next_shown_ += count;
}

void Host::send_frames(Instant now) {
  oracle_.on_unresolved_drops(index_, core_.host().stats().unresolved_frames_dropped);
  for (std::size_t index = 0; index < ports_.size(); ++index) {
    dataplane::net::FrameQueue& queue =
        core_.tx_queue(PortIndex{static_cast<std::uint16_t>(index)});
    Link& out = *ports_[index]->out;
    while (!queue.empty() && (!config_.back_pressure || out.has_room(now))) {
      const dataplane::Packet packet = queue.pop();
      was_busy_ = true;
      ++stats_.frames_out;
      oracle_.on_sent(now, index_, packet.data());
      recorder_.on_sent(now, index_, packet.data());
      out.take(now, world_.frames().copy(packet.data()));
    }
  }
}

void Host::plan_wake(Instant now) {
  wake_ = core_.next_deadline();
  if (!calls_.empty()) wake_ = std::min(wake_, calls_.back().at);
  for (std::size_t i = first_open_; i < sessions_.size(); ++i)
    wake_ = std::min(wake_, sessions_[i].next_wake());
  bool blocked = false;
  for (std::size_t index = 0; index < ports_.size(); ++index) {
    if (core_.tx_queue(PortIndex{static_cast<std::uint16_t>(index)}).empty()) continue;
    blocked = true;
    wake_ = std::min(wake_, ports_[index]->out->next_room());
  }
  if (!blocked && core_.has_pending_transmit()) wake_ = now;
  idle_turns_ = was_busy_ || wake_ > now ? 0 : idle_turns_ + 1;
  if (idle_turns_ > kMostIdleTurns)
    oracle_.fail(now, index_, "the engine spins: it wants turns and does nothing in them");
  wake_ = std::max(wake_, now + kTurnCost);
}

bool Host::is_done() const {
  if (!calls_.empty()) return false;
  return std::all_of(sessions_.begin() + static_cast<std::ptrdiff_t>(first_open_), sessions_.end(),
                     [](const Session& session) { return session.is_done(); });
}

void Host::show_paths(Instant now) const {
  for (const Session& session : sessions_)
    for (const std::string& line : session.describe_paths())
      recorder_.show(now, index_, line);
}

std::size_t Host::accepted(std::uint16_t port) const {
  for (const Listener& listener : listeners_)
    if (listener.service.port == port) return listener.accepted;
  return 0;
}

}  // namespace sim
