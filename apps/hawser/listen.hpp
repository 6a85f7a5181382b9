#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apps/hawser/context.hpp"
#include "mptcp/core.hpp"

namespace apps::hawser {

/// The endpoint to hand to the engine: without an address, `::`, which listens on every address of
/// both families.
dataplane::Endpoint endpoint_of(const ListenAddress& listen);

/// Listens on one core. The message says what to change.
dataplane::dpdk::OrMessage<mptcp::SocketId> listen_on(mptcp::Core& core,
                                                      const ListenAddress& listen);
/// The same message for any way of listening.
std::string listen_failure(const ListenAddress& listen, std::string_view reason);

/// Every "address:port" that peers may use.
std::vector<std::string> listening_at(const Config& config, const ListenAddress& listen);
/// Says where the node listens, as a line and as the event "listening".
void announce_listening(Context& context, const ListenAddress& listen, std::string_view what);

}  // namespace apps::hawser
