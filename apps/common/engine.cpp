#include "apps/common/engine.hpp"

#include <utility>

#include "dataplane/dpdk/node.hpp"

namespace apps {

namespace {

using Node = dataplane::dpdk::Node<mptcp::Core>;

/// The share of the node's memory that holds what was written and not yet acknowledged; packets get
/// the rest.
constexpr std::size_t send_share(std::size_t memory) { return memory / 4; }

mptcp::CoreConfig core_config_of(const dataplane::dpdk::CoreSeat& seat, const Config& config) {
  mptcp::CoreConfig core;
  core.send_memory = send_share(config.node.memory) / seat.core_count;
  core.ports = seat.ports;
  core.tcp = config.tcp;
  core.mptcp = config.mptcp;
  core.seed = seat.seed;
  core.core_index = seat.core_index;
  core.core_count = seat.core_count;
  return core;
}

}  // namespace

struct Engine::Impl {
  std::unique_ptr<Node> node;
};

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::~Engine() = default;

dataplane::dpdk::OrMessage<std::unique_ptr<Engine>> Engine::start(const Config& config) {
  dataplane::dpdk::NodeConfig node_config = config.node;
  node_config.memory -= send_share(config.node.memory);
  auto node = Node::start(
      node_config, [&](const dataplane::dpdk::CoreSeat& seat, dataplane::PacketPool& pool) {
        return std::make_unique<mptcp::Core>(core_config_of(seat, config), pool);
      });
  if (!node) return tl::unexpected(node.error());
  auto impl = std::make_unique<Impl>();
  impl->node = *std::move(node);
  return std::unique_ptr<Engine>(new Engine(std::move(impl)));
}

std::size_t Engine::core_count() const { return impl_->node->core_count(); }
mptcp::Core& Engine::core(std::size_t index) { return impl_->node->core(index); }
const dataplane::dpdk::LoopStats& Engine::loop_stats(std::size_t core) const {
  return impl_->node->loop_stats(core);
}
dataplane::Instant Engine::now() const { return impl_->node->now(); }

void Engine::run(std::span<CoreApplication* const> applications) { impl_->node->run(applications); }
void Engine::stop() { impl_->node->stop(); }
void Engine::wake(std::size_t core) { impl_->node->wake(core); }

std::vector<dataplane::dpdk::PortInfo> Engine::describe() const {
  std::vector<dataplane::dpdk::PortInfo> ports;
  for (std::size_t i = 0; i < impl_->node->port_count(); ++i)
    ports.push_back(impl_->node->describe(static_cast<dataplane::PortIndex>(i)));
  return ports;
}
dataplane::dpdk::PortStats Engine::port_stats(dataplane::PortIndex port) const {
  return impl_->node->port_stats(port);
}

}  // namespace apps
