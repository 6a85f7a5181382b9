#include "apps/hawser/listen.hpp"

#include <boost/json/array.hpp>
#include <fmt/format.h>

namespace apps::hawser {

dataplane::Endpoint endpoint_of(const ListenAddress& listen) {
  return {listen.address.value_or(dataplane::IpAddress{}), listen.port};
}

std::string listen_failure(const ListenAddress& listen, std::string_view reason) {
  return fmt::format(
      "cannot listen on {}: {}\n    --listen takes PORT, or one of the addresses that "
      "the node file gives to a port.",
      listen.address ? endpoint_of(listen).to_string() : fmt::format("port {}", listen.port),
      reason);
}

dataplane::dpdk::OrMessage<mptcp::SocketId> listen_on(mptcp::Core& core,
                                                      const ListenAddress& listen) {
  const auto socket = core.listen(endpoint_of(listen));
  if (!socket) return tl::unexpected(listen_failure(listen, mptcp::name_of(socket.error())));
  return *socket;
}

std::vector<std::string> listening_at(const Config& config, const ListenAddress& listen) {
  if (listen.address) return {endpoint_of(listen).to_string()};
  std::vector<std::string> all;
  for (const auto& port : config.node.ports)
    for (const auto& prefix : port.addresses)
      all.push_back(dataplane::Endpoint{prefix.address, listen.port}.to_string());
  return all;
}

void announce_listening(Context& context, const ListenAddress& listen, std::string_view what) {
  const std::vector<std::string> all = listening_at(context.config, listen);
  context.reporter.line(fmt::format("{}: listening on {}", what, fmt::join(all, ", ")));
  boost::json::array addresses;
  for (const std::string& address : all)
    addresses.emplace_back(address);
  context.reporter.event("listening", {{"addresses", addresses}});
}

}  // namespace apps::hawser
