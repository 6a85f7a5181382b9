#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "dataplane/base/assert.hpp"
#include "dataplane/dpdk/core_loop.hpp"
#include "dataplane/dpdk/eal.hpp"
#include "dataplane/dpdk/node_config.hpp"
#include "dataplane/dpdk/platform.hpp"

namespace dataplane::dpdk {

/// What one core is told when it is made.
struct CoreSeat {
  std::vector<net::InterfaceConfig> ports;  ///< With the MAC and the offloads of the real devices.
  std::uint16_t core_index = 0;
  std::uint16_t core_count = 1;
  std::uint64_t seed = 0;  ///< From the operating system, another one for each core.
};

/// A running node: EAL, packet pools, ports and one engine core per CPU core.
///
/// `CoreT` is mptcp::Core in the programs; this layer knows it by CoreLike only.
template <CoreLike CoreT>
class Node {
 public:
  /// Starts everything, or says in a sentence what the operator must change. `make_core(const CoreSeat&, PacketPool&)`
  /// gives a std::unique_ptr<CoreT>; the pool outlives it. EAL can be started once in a process: so can this.
  template <class MakeCore>
  static OrMessage<std::unique_ptr<Node>> start(const NodeConfig& config, MakeCore&& make_core);
  /// The same on an EAL that the caller keeps, for programs with several nodes.
  template <class MakeCore>
  static OrMessage<std::unique_ptr<Node>> start(Eal& eal, const NodeConfig& config,
                                                MakeCore&& make_core);
  ~Node();

  std::size_t core_count() const;
  /// To be used on that core's thread only: within the application's poll(), or while nothing runs.
  CoreT& core(std::size_t index);
  /// The engines' time, for calls into a core from outside of a turn. From any thread.
  Instant now() const;

  /// Runs until stop(): core 0 on the calling thread, core i on a thread of its own, which polls apps[i] in each turn.
  /// An application is anything with `bool poll(Instant now)` that says whether it did something.
  template <Application App>
  void run(std::span<App* const> apps);
  /// The same for a node of one core.
  template <Application App>
  void run(App& app);
  /// Ends run() after the current turn. From any thread, and from signal handlers.
  void stop();
  /// Ends the sleep of a core, if it sleeps, so that its application is polled at once. From any thread.
  void wake(std::size_t core);

  std::vector<PortInfo> describe() const;
  PortStats port_stats(PortIndex port) const;
  /// To be read after run(), or for a glance meanwhile.
  const LoopStats& loop_stats(std::size_t core) const;
};

}  // namespace dataplane::dpdk
