#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <rte_launch.h>

#include "dataplane/base/assert.hpp"
#include "dataplane/dpdk/core_loop.hpp"
#include "dataplane/dpdk/eal.hpp"
#include "dataplane/dpdk/node_config.hpp"
#include "dataplane/dpdk/platform.hpp"

namespace dataplane::dpdk {

/// A running node: EAL, packet pools, ports and one engine core per CPU core.
///
/// `CoreT` is mptcp::Core in the programs; this layer knows it by CoreLike only.
template <CoreLike CoreT>
class Node {
 public:
  /// Starts everything, or says in a sentence what the operator must change. `make_core(const
  /// CoreSeat&, PacketPool&)` gives a std::unique_ptr<CoreT>; the pool outlives it. EAL can be
  /// started once in a process: so can this. The calling thread becomes core 0.
  template <class MakeCore>
  static OrMessage<std::unique_ptr<Node>> start(const NodeConfig& config, MakeCore&& make_core) {
    if (const auto ok = validate(config); !ok) return tl::unexpected(ok.error());
    auto eal = Eal::start(eal_config_of(config));
    if (!eal) return tl::unexpected(eal.error());
    auto node = start(**eal, config, std::forward<MakeCore>(make_core));
    if (node) (*node)->eal_ = *std::move(eal);
    return node;
  }
  /// The same on an EAL that the caller keeps, for programs with several nodes.
  template <class MakeCore>
  static OrMessage<std::unique_ptr<Node>> start(Eal& eal, const NodeConfig& config,
                                                MakeCore&& make_core) {
    auto platform = Platform::start(eal, config);
    if (!platform) return tl::unexpected(platform.error());
    std::unique_ptr<Node> node(new Node(*std::move(platform)));
    for (std::size_t i = 0; i < node->platform_->core_count(); ++i) {
      const CoreSeat seat = node->platform_->seat(i);
      PacketPool& pool = node->platform_->pool(i);
      node->cores_.push_back(make_core(seat, pool));
      node->loops_.push_back(
          std::make_unique<CoreLoop<CoreT>>(*node->cores_.back(), *node->platform_, i));
    }
    return node;
  }
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  std::size_t core_count() const { return cores_.size(); }
  /// To be used on that core's thread only: within the application's poll(), or while nothing runs.
  CoreT& core(std::size_t index) { return *cores_[index]; }
  /// The engines' time, for calls into a core from outside of a turn. From any thread.
  Instant now() const { return platform_->clock().now(); }

  /// Runs until stop(): core 0 on the calling thread, core i on a thread of its own, which polls
  /// apps[i] in each turn.
  template <Application App>
  void run(std::span<App* const> apps);
  /// The same for a node of one core.
  template <Application App>
  void run(App& app) {
    ASSERT(core_count() == 1);
    App* const only = &app;
    run(std::span<App* const>(&only, 1));
  }
  /// One turn of one core on the calling thread, without rest; whether it found work. For tests and
  /// tools.
  template <Application App>
  bool turn(std::size_t index, App& app) {
    return loops_[index]->turn(app);
  }
  /// Ends run() after the current turn. From any thread, and from signal handlers. run() may be
  /// called again.
  void stop() {
    stop_.store(true, std::memory_order_relaxed);
    for (std::size_t i = 0; i < cores_.size(); ++i)
      wake(i);
  }
  /// Ends the sleep of a core, if it sleeps, so that its application is polled at once. From any
  /// thread.
  void wake(std::size_t core) { platform_->mesh().doorbell(core).ring(); }

  std::size_t port_count() const { return platform_->ports().size(); }
  PortInfo describe(PortIndex port) const { return platform_->ports()[index_of(port)]->describe(); }
  PortStats port_stats(PortIndex port) const { return platform_->ports()[index_of(port)]->stats(); }
  bool is_link_up(PortIndex port) const { return platform_->ports()[index_of(port)]->is_link_up(); }
  /// To be read on that core's thread, or while nothing runs.
  const LoopStats& loop_stats(std::size_t core) const { return loops_[core]->stats(); }
  PacketPool& pool(std::size_t core) { return platform_->pool(core); }

 private:
  explicit Node(std::unique_ptr<Platform> platform) : platform_(std::move(platform)) {}

  std::unique_ptr<Eal> eal_;  ///< Null when the caller keeps it.
  std::unique_ptr<Platform> platform_;
  std::vector<std::unique_ptr<CoreT>> cores_;
  std::vector<std::unique_ptr<CoreLoop<CoreT>>> loops_;
  std::atomic<bool> stop_ = false;
};

template <CoreLike CoreT>
template <Application App>
void Node<CoreT>::run(std::span<App* const> apps) {
  ASSERT(apps.size() == core_count());
  struct Worker {
    CoreLoop<CoreT>* loop;
    App* app;
    const std::atomic<bool>* stop;
    static int main(void* self) {
      auto& worker = *static_cast<Worker*>(self);
      worker.loop->run(*worker.app, *worker.stop);
      return 0;
    }
  };
  std::vector<Worker> workers;
  for (std::size_t i = 0; i < apps.size(); ++i)
    workers.push_back({loops_[i].get(), apps[i], &stop_});
  for (std::size_t i = 1; i < workers.size(); ++i)
    ASSERT(rte_eal_remote_launch(Worker::main, &workers[i], static_cast<unsigned>(i)) == 0);
  Worker::main(&workers[0]);
  rte_eal_mp_wait_lcore();
  stop_.store(false, std::memory_order_relaxed);
}

}  // namespace dataplane::dpdk
