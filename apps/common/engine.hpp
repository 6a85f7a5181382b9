#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "apps/common/config.hpp"
#include "dataplane/dpdk/loop_stats.hpp"
#include "dataplane/dpdk/port_info.hpp"
#include "mptcp/core.hpp"

namespace apps {

/// What a command does on one core, in each turn of its poll loop.
class CoreApplication {
 public:
  CoreApplication() = default;
  CoreApplication(const CoreApplication&) = delete;
  CoreApplication& operator=(const CoreApplication&) = delete;
  virtual ~CoreApplication() = default;

  /// On the core's thread; whether there was anything to do. If not, the loop may sleep.
  virtual bool poll(dataplane::Instant now) = 0;
};

/// The node of a process: DPDK's ports with an mptcp::Core on each CPU core. There is one in a
/// process.
class Engine {
 public:
  /// Starts EAL and the ports; or says what the operator must change.
  static dataplane::dpdk::OrMessage<std::unique_ptr<Engine>> start(const Config& config);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  std::size_t core_count() const;
  /// On that core's thread, or while nothing runs.
  mptcp::Core& core(std::size_t index);
  const dataplane::dpdk::LoopStats& loop_stats(std::size_t core) const;
  dataplane::Instant now() const;

  /// Turns the cores until stop(), core 0 on the calling thread; applications[i] is polled on core
  /// i.
  void run(std::span<CoreApplication* const> applications);
  /// From any thread.
  void stop();
  void wake(std::size_t core);

  std::vector<dataplane::dpdk::PortInfo> describe() const;
  dataplane::dpdk::PortStats port_stats(dataplane::PortIndex port) const;

 private:
  struct Impl;
  explicit Engine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace apps
