#include "apps/hawser/perf_session.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "apps/common/units.hpp"
#include "apps/hawser/path_samples.hpp"

namespace apps::hawser {

namespace {

using dataplane::Packet;
using dataplane::tcp::CloseReason;
using Role = PerfPlan::Role;

/// Bounds of one turn, so that the ports are served again before their queues overflow; but not
/// below what full bursts of a dozen ports bring in one, or octets pile up that are read too late.
constexpr std::size_t kPacketsPerTurn = 1024;
constexpr std::size_t kOctetsPerTurn = 256 * 1024;

}  // namespace

PerfSession::PerfSession(mptcp::Core& core, const PerfPattern& pattern, mptcp::SocketId socket,
                         const PerfPlan& plan, bool is_connected)
    : core_(core),
      pattern_(pattern),
      socket_(socket),
      plan_(plan),
      phase_(!is_connected               ? Phase::Connecting
             : plan.role == Role::Server ? Phase::AwaitingRequest
                                         : Phase::Running),
      receiver_(plan.verify ? &pattern : nullptr, plan.role == Role::Client) {}

void PerfSession::start(Instant now) {
  started_ = now;
  phase_ = Phase::Running;
}

Duration PerfSession::elapsed(Instant now) const {
  return started_ ? ended_.value_or(now) - *started_ : Duration{0};
}

void PerfSession::set_cycles(std::uint64_t busy_cycles) {
  if (!started_) cycles_at_start_ = busy_cycles;
  cycles_now_ = busy_cycles;
}

void PerfSession::queue_control(ByteSpan octets) {
  std::ranges::copy(octets, control_.begin());
  control_size_ = octets.size();
  control_sent_ = 0;
}

void PerfSession::on_event(Instant now, const mptcp::Event& event) {
  using Kind = mptcp::Event::Kind;
  if (phase_ == Phase::Over) return;
  switch (event.kind) {
    case Kind::Connected:
      if (plan_.role == Role::Client) queue_control(plan_.request.emit());
      start(now);
      break;
    case Kind::Readable:
    case Kind::EndOfStream:
      may_read_ = true;
      break;
    case Kind::Writable:
      may_write_ = true;
      break;
    case Kind::PathChanged:
      break;
    case Kind::Closed:
      on_closed(now, event.reason);
      break;
    case Kind::Acceptable:
      break;
  }
}

void PerfSession::on_closed(Instant now, CloseReason reason) {
  if (phase_ == Phase::Connecting) {
    fail(now, reason == CloseReason::TimedOut ? ExitCode::TimedOut : ExitCode::Connect,
         fmt::format("no connection: {}", name_of(reason)));
    return;
  }
  // What came before the end is still there to be read.
  while (read_payload(now))
    continue;
  check_end(now);
  if (phase_ == Phase::Over) return;
  // A plain peer that has enough simply goes away.
  if (plan_.role == Role::Plain && reason == CloseReason::Reset) return finish(now);
  fail(now, reason == CloseReason::TimedOut ? ExitCode::TimedOut : ExitCode::Peer,
       fmt::format("the connection ended in the middle of the test: {}", name_of(reason)));
}

bool PerfSession::poll(Instant now) {
  if (phase_ == Phase::Connecting || phase_ == Phase::Over) return false;
  if (phase_ == Phase::Running && !started_) start(now);
  bool moved = phase_ == Phase::AwaitingRequest && read_request(now);
  if (phase_ != Phase::Running) return moved;
  moved |= read_payload(now);
  moved |= write_out(now);
  check_end(now);
  return moved;
}

bool PerfSession::read_request(Instant now) {
  if (!may_read_) return false;
  const std::size_t count =
      core_.read(now, socket_, dataplane::MutableByteSpan(request_).subspan(request_size_));
  request_size_ += count;
  if (request_size_ < request_.size()) {
    may_read_ = false;
    if (core_.at_end_of_stream(socket_))
      fail(now, ExitCode::Peer, "the peer closed before it said what it wants");
    return count != 0;
  }
  const std::optional<PerfRequest> request = PerfRequest::parse(request_);
  if (!request) {
    fail(now, ExitCode::Peer,
         "the peer does not speak hawser's perf protocol; for plain TCP use --sink or --source");
    return true;
  }
  plan_.sends = request->server_sends;
  plan_.receives = request->client_sends;
  plan_.verify = plan_.verify || request->verify;
  if (request->send_octets != 0) plan_.octets = request->send_octets;
  if (request->send_time != Duration{0}) plan_.time = request->send_time;
  receiver_ = PerfReceiver(plan_.verify ? &pattern_ : nullptr, false);
  start(now);
  return true;
}

bool PerfSession::read_payload(Instant now) {
  if (!may_read_) return false;
  std::size_t count = 0;
  while (count < kPacketsPerTurn) {
    const Packet packet = core_.read_packet(now, socket_);
    if (!packet) {
      may_read_ = false;
      input_ended_ = core_.at_end_of_stream(socket_);
      break;
    }
    receiver_.on_octets(packet.data());
    ++count;
  }
  return count != 0;
}

bool PerfSession::write_out(Instant now) {
  if (output_closed_ || !may_write_) return false;
  bool moved = write_control(now);
  if (control_sent_ < control_size_) return moved;
  if (plan_.sends && !result_queued_) moved |= write_payload(now);
  return moved;
}

bool PerfSession::write_control(Instant now) {
  if (control_sent_ == control_size_) return false;
  const ByteSpan rest = ByteSpan(control_).subspan(control_sent_, control_size_ - control_sent_);
  const std::size_t count = core_.write(now, socket_, rest);
  control_sent_ += count;
  may_write_ = count == rest.size();
  return count != 0;
}

bool PerfSession::write_payload(Instant now) {
  std::size_t turn = 0;
  while (turn < kOctetsPerTurn && !payload_is_out(now)) {
    ByteSpan octets = pattern_.from(sent_);
    const std::uint64_t rest = plan_.octets ? *plan_.octets - sent_ : octets.size();
    octets = octets.first(static_cast<std::size_t>(
        std::min<std::uint64_t>({octets.size(), rest, kOctetsPerTurn - turn})));
    const std::size_t count = core_.write_reference(now, socket_, octets);
    sent_ += count;
    turn += count;
    if (count < octets.size()) {
      may_write_ = false;
      break;
    }
  }
  return turn != 0;
}

bool PerfSession::payload_is_out(Instant now) const {
  if (!plan_.sends) return true;
  return (plan_.octets && sent_ >= *plan_.octets) || (plan_.time && now - *started_ >= *plan_.time);
}

void PerfSession::check_end(Instant now) {
  if (phase_ != Phase::Running) return;
  switch (plan_.role) {
    case Role::Client:
      return end_of_client(now);
    case Role::Server:
      return end_of_server(now);
    case Role::Plain:
      return check_end_of_plain(now);
  }
}

void PerfSession::end_of_client(Instant now) {
  if (control_sent_ == control_size_ && payload_is_out(now) && !output_closed_) {
    core_.shutdown(now, socket_);
    output_closed_ = true;
  }
  if (!input_ended_) return;
  if (const auto result = PerfResult::parse(receiver_.tail()))
    result_ = std::make_unique<PerfResult>(*result);
  if (!result_) return fail(now, ExitCode::Peer, "the peer ended the test without its result");
  if (!output_closed_) return fail(now, ExitCode::Peer, "the peer ended the test too early");
  finish(now);
}

void PerfSession::end_of_server(Instant now) {
  if (!input_ended_ || !payload_is_out(now)) return;
  if (!result_queued_) {
    const mptcp::SocketInfo at = info();
    PerfResult result;
    result.received = received();
    result.mismatches = mismatches();
    result.sent = sent_;
    result.segments_sent = at.segments_sent;
    result.segments_retransmitted = at.segments_retransmitted;
    result.elapsed = now - *started_;
    result.busy_cycles = cycles_now_ - cycles_at_start_;
    queue_control(result.emit());
    result_queued_ = true;
    ended_ = now;
    write_out(now);
  }
  if (control_sent_ == control_size_) finish(now);
}

void PerfSession::check_end_of_plain(Instant now) {
  const bool limited = plan_.octets || plan_.time;
  if (plan_.receives && limited) {
    const bool enough = (plan_.octets && received() >= *plan_.octets) ||
                        (plan_.time && now - *started_ >= *plan_.time);
    // A source sends for ever: only a reset stops it.
    if (enough && payload_is_out(now)) {
      keep_info(now);
      core_.abort(now, socket_);
      phase_ = Phase::Over;
      ended_ = now;
      return;
    }
  }
  if (plan_.sends && payload_is_out(now)) {
    if (!output_closed_) {
      core_.shutdown(now, socket_);
      output_closed_ = true;
    }
    // A sink need not close: what it acknowledged has arrived.
    if (!plan_.receives && (input_ended_ || info().bytes_acked >= sent_)) return finish(now);
  }
  if (plan_.receives && input_ended_ && payload_is_out(now)) finish(now);
}

void PerfSession::finish(Instant now) {
  keep_info(now);
  core_.close(now, socket_);
  phase_ = Phase::Over;
  if (!ended_) ended_ = now;
}

void PerfSession::fail(Instant now, ExitCode code, std::string message) {
  failure_ = std::make_unique<PerfFailure>(PerfFailure{code, std::move(message)});
  abort(now);
}

void PerfSession::abort(Instant now) {
  if (phase_ == Phase::Over) return;
  keep_info(now);
  core_.abort(now, socket_);
  phase_ = Phase::Over;
  if (!ended_) ended_ = now;
}

void PerfSession::give_up(Instant now, Duration timeout) {
  if (phase_ == Phase::Over) return;
  fail(now, ExitCode::TimedOut,
       fmt::format("{} for {}", phase_ == Phase::Connecting ? "no answer" : "nothing moved",
                   format_elapsed(to_seconds(timeout))));
}

mptcp::SocketInfo PerfSession::info() const {
  if (last_info_) return *last_info_;
  return core_.info(socket_).value_or(mptcp::SocketInfo{});
}

void PerfSession::keep_info(Instant now) {
  look_at_paths(now);
  last_info_ = std::make_unique<mptcp::SocketInfo>(info());
}

void PerfSession::look_at_paths(Instant now) {
  const auto at = core_.info(socket_);
  if (at && !at->subflows.empty()) paths_.look(now, path_samples(*at));
}

Instant PerfSession::last_progress(Instant now) {
  const mptcp::SocketInfo at = info();
  const std::uint64_t mark = at.bytes_acked + at.bytes_received;
  if (!progress_at_ || mark != progress_mark_) progress_at_ = now;
  progress_mark_ = mark;
  return *progress_at_;
}

}  // namespace apps::hawser
