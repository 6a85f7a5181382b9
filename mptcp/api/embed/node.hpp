#pragma once

#include <cstdint>
#include <utility>

#include "dataplane/base/heap_packet_pool.hpp"
#include "dataplane/base/rng.hpp"
#include "dataplane/tcp/config.hpp"
#include "mptcp/core.hpp"

/// The C face (mptcp/api/hawser.h): a core with its time and packets as arguments, and sockets that
/// answer as those of Linux. Errors are negative errno values.
namespace mptcp::api::embed {

/// What all sockets of an instance share.
struct Node {
  Node(CoreConfig config, std::size_t packets, std::uint32_t data_room)
      : rng(~config.seed),
        tcp(config.tcp),
        mptcp(config.mptcp),
        pool(packets, data_room),
        core(std::move(config), pool) {}

  /// The engine's time when the caller's is zero: before it lies what "long ago" means there.
  static constexpr Instant kStart{std::chrono::seconds(100'000)};

  Instant now = kStart;
  std::size_t corked = 0;  ///< Sockets that hold octets back.
  dataplane::Rng rng;
  dataplane::tcp::Config tcp;  ///< Of sockets made from now on; so is the next.
  Config mptcp;
  dataplane::HeapPacketPool pool;
  Core core;
};

}  // namespace mptcp::api::embed
