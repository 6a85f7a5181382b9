#include "test/sim/session.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace sim {

Session::Session(const SessionContext& context, mptcp::SocketId id, std::uint16_t server_port,
                 const AppPlan& plan)
    : context_(context),
      id_(id),
      plan_(plan),
      key_out_(Content::key(server_port, context.is_client)),
      key_in_(Content::key(server_port, !context.is_client)),
      driver_(plan.path_seed, plan.path_pause) {
  if (const auto info = context_.core.info(id_)) {
    end_ = &context_.oracle.end_of(context_.host, info->tuple);
    end_->opened = true;
  }
}

std::string Session::describe() const {
  std::string out = end_ == nullptr ? "a connection without information" : end_->label;
  out += fmt::format(" (wrote {} of {}, read {}", written_, plan_.octets, read_);
  if (end_of_stream_) out += ", end of stream";
  if (shut_down_) out += ", shut down";
  if (const auto info = context_.core.info(id_); !done_ && info) {
    out += fmt::format(", {}, cwnd {}, in flight {}, peer's window {}, own window {}, rto {} ms",
                       info->state, info->cwnd, info->in_flight, info->snd_wnd, info->rcv_wnd,
                       info->rto / 1ms);
  }
  return out + ")";
}

std::vector<std::string> Session::describe_paths() const {
  std::vector<std::string> out;
  const auto info = context_.core.info(id_);
  if (done_ || !info) return out;
  out.push_back(fmt::format(
      "wrote {}, acknowledged {}, read {}, peer's window {}, own window {}{}", written_,
      info->bytes_acked, read_, info->snd_wnd, info->rcv_wnd,
      info->subflows.empty() ? fmt::format(", cwnd {}, in flight {}", info->cwnd, info->in_flight)
                             : ""));
  for (const mptcp::SubflowInfo& subflow : info->subflows) {
    out.push_back(fmt::format(
        "  p{} {}{}: srtt {:.1f} ms, cwnd {}, in flight {}, sent {}, acknowledged {}, resent {}",
        static_cast<unsigned>(subflow.port), subflow.state, subflow.stale ? " stale" : "",
        std::chrono::duration<double, std::milli>(subflow.srtt).count(), subflow.cwnd,
        subflow.in_flight, subflow.bytes_sent, subflow.bytes_acked,
        subflow.segments_retransmitted));
  }
  return out;
}

void Session::on_connected(Instant now) {
  if (connected_) return fail(now, "a second Connected event");
  connected_ = can_write_ = true;
  connected_at_ = now;
  const auto info = context_.core.info(id_);
  if (end_ == nullptr || !info) return fail(now, "connected, but without information");
  if (info->multipath) end_->carry_anything();
}

void Session::on_event(Instant now, const mptcp::Event& event) {
  using Kind = mptcp::Event::Kind;
  if (closed_event_) return fail(now, "an event after Closed");
  switch (event.kind) {
    case Kind::Connected:
      return on_connected(now);
    case Kind::Acceptable:
      return fail(now, "Acceptable on a connection");
    case Kind::Readable:
      if (context_.core.readable(id_) == 0) fail(now, "Readable, but there is nothing to read");
      can_read_ = true;
      return;
    case Kind::EndOfStream:
      can_read_ = true;  // The octets before it are there.
      return;
    case Kind::Writable:
      // The room may have gone again with the congestion window: then write() takes nothing.
      can_write_ = true;
      return;
    case Kind::PathChanged:
      return;
    case Kind::Closed:
      return on_closed(now, event.reason);
  }
}

void Session::on_closed(Instant now, dataplane::tcp::CloseReason reason) {
  using dataplane::tcp::CloseReason;
  closed_event_ = true;
  if (end_ != nullptr) context_.oracle.on_closed(now, context_.host, *end_, reason);
  // A peer that is done with us, and has told us all, may reset what we would still say.
  const bool all_told = end_ != nullptr && written_ == plan_.octets &&
                        (end_->multipath ? end_of_stream_ : end_->witness.fin_reached());
  if (reason == CloseReason::Finished || (reason == CloseReason::Reset && all_told)) {
    run(now);  // What was received before is still there to be read.
    return;
  }
  cut_short_ = true;
  const bool never_found =
      reason == CloseReason::Unreachable && !connected_ && context_.oracle.may_be_unreachable();
  if (!cut_expected_ && !never_found) fail(now, fmt::format("ended by {}", name_of(reason)));
  done_ = true;
  context_.core.close(now, id_);
}

void Session::run(Instant now) {
  if (done_ || !connected_) return;
  if (!closed_event_) driver_.run(now, context_.core, id_, context_.addresses);
  // A connection that is writing and reading at once does both in each turn.
  write(now);
  if (done_) return;
  read(now);
  if (done_) return;
  check_end_of_stream(now);
  write(now);
  if (!done_) finish(now);
}

void Session::write(Instant now) {
  while (wants_to_write() && can_write_ && now >= next_write_) {
    const std::uint64_t left =
        std::min(plan_.octets - written_, plan_.write_chunk - chunk_written_);
    const ByteSpan octets = context_.content.at(key_out_, written_, static_cast<std::size_t>(left));
    const std::size_t taken = context_.core.write(now, id_, octets);
    context_.oracle.on_wrote(now, *end_, octets.size(), taken);
    written_ += taken;
    chunk_written_ += taken;
    if (taken < octets.size()) can_write_ = false;
    if (chunk_written_ >= plan_.write_chunk) {
      chunk_written_ = 0;
      next_write_ = now + plan_.write_pause;
    }
    if (read_ + written_ >= plan_.abort_at) return finish(now);
  }
}

std::size_t Session::read_once(Instant now, std::size_t room) {
  if (plan_.whole_packets) {
    const dataplane::Packet packet = context_.core.read_packet(now, id_);
    if (packet) context_.oracle.on_read(now, context_.host, *end_, key_in_, packet.data());
    return packet ? packet.size() : 0;
  }
  std::array<std::byte, 65'536> buffer;
  const std::size_t count =
      context_.core.read(now, id_, std::span(buffer).first(std::min(room, buffer.size())));
  context_.oracle.on_read(now, context_.host, *end_, key_in_, std::span(buffer).first(count));
  return count;
}

void Session::read(Instant now) {
  while (can_read_ && now >= next_read_) {
    const std::size_t count =
        read_once(now, static_cast<std::size_t>(plan_.read_chunk - chunk_read_));
    if (count == 0) {
      can_read_ = false;
      return;
    }
    if (read_ != 0) longest_silence_ = std::max(longest_silence_, now - last_read_at_);
    read_ += count;
    chunk_read_ += count;
    last_read_at_ = now;
    if (chunk_read_ >= plan_.read_chunk) {
      chunk_read_ = 0;
      next_read_ = now + plan_.read_pause;
    }
    if (read_ >= plan_.stop_at && !stopped_once_) {
      stopped_once_ = true;
      next_read_ = now + plan_.stop_for;
    }
    if (read_ + written_ >= plan_.abort_at) return finish(now);
  }
}

void Session::check_end_of_stream(Instant now) {
  if (end_of_stream_ || !context_.core.at_end_of_stream(id_)) return;
  end_of_stream_ = true;
  if (plan_.expected != kNeverReached && read_ != plan_.expected)
    fail(now, fmt::format("end of stream, but the peer was to write {}", plan_.expected));
  context_.oracle.on_end_of_stream(now, context_.host, *end_);
}

void Session::finish(Instant now) {
  if (read_ + written_ >= plan_.abort_at) {
    end_->aborted = end_->released = cut_short_ = done_ = true;
    context_.core.abort(now, id_);
    return;
  }
  if (written_ == plan_.octets && (!plan_.answer_last || end_of_stream_) && !shut_down_) {
    shut_down_ = end_->shut_down = true;
    if (plan_.close_early && read_ == 0) {
      end_->released = done_ = true;
      context_.core.close(now, id_);
      return;
    }
    context_.core.shutdown(now, id_);
  }
  if (!shut_down_ || !end_of_stream_ || (plan_.await_closed && !closed_event_)) return;
  end_->released = done_ = true;
  context_.core.close(now, id_);
}

Instant Session::next_wake() const {
  Instant wake = kNever;
  if (done_ || !connected_) return wake;
  if (can_write_ && wants_to_write()) wake = std::min(wake, next_write_);
  if (can_read_) wake = std::min(wake, next_read_);
  if (driver_.is_on() && !closed_event_) wake = std::min(wake, driver_.next());
  return wake;
}

void Session::show_state(Instant now) {
  if (end_ == nullptr || done_) return;
  const auto info = context_.core.info(id_);
  if (!info) return;
  context_.oracle.on_state(now, context_.host, *end_, info->state);
  if (info->multipath)
    context_.oracle.on_window(now, context_.host, *end_, info->bytes_received + info->rcv_wnd);
}

}  // namespace sim
