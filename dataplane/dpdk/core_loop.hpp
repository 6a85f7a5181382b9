#pragma once

#include <concepts>
#include <span>

#include "dataplane/base/packet.hpp"
#include "dataplane/base/time.hpp"
#include "dataplane/net/host.hpp"

namespace dataplane::dpdk {

/// What the poll loop asks of an engine core; mptcp::Core is one.
template <class C>
concept CoreLike = requires(C core, const C constant, Instant now, PortIndex port,
                            std::span<Packet> frames) {
  core.on_frames(now, port, frames);
  core.on_deadline(now);
  core.poll_transmit(now);
  { core.tx_queue(port) } -> std::same_as<net::FrameQueue&>;
  { constant.next_deadline() } -> std::same_as<Instant>;
  { constant.has_pending_transmit() } -> std::same_as<bool>;
  core.next_foreign()->owner;
  core.next_foreign()->port;
  core.next_foreign()->frame;
};

/// What runs on top of a core, once per turn; true when it did something.
template <class A>
concept Application = requires(A app, Instant now) {
  { app.poll(now) } -> std::same_as<bool>;
};

}  // namespace dataplane::dpdk
