#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/dpdk/node_config.hpp"

namespace dataplane::dpdk {

/// How DPDK's environment is started.
struct EalConfig {
  /// CPU numbers, one EAL thread each; the caller's thread is the first. Empty: one, which is not
  /// pinned.
  std::vector<unsigned> cores;
  std::size_t memory = 512UL << 20;  ///< Octets.
  bool hugepages = false;
  std::vector<std::string> pci_devices;  ///< None: the PCI bus is not even looked at.
};

/// DPDK's environment abstraction layer. There is one in a process, and it starts once: a second
/// start after the end of the first is refused, as DPDK cannot do it.
///
/// It leaves nothing behind on the host: memory is anonymous, no files are made, no other process
/// is disturbed, nothing is printed. What DPDK would have logged is kept for messages.
class Eal {
 public:
  static OrMessage<std::unique_ptr<Eal>> start(const EalConfig& config);
  ~Eal();
  Eal(const Eal&) = delete;
  Eal& operator=(const Eal&) = delete;

  /// EAL's numbers of the configured cores, in their order; they name the threads, not the CPUs.
  std::size_t core_count() const { return core_count_; }
  bool hugepages() const { return hugepages_; }
  std::size_t memory() const { return memory_; }

  /// The last lines that DPDK logged, on one line; empty if there were none. clear_log() starts
  /// afresh.
  std::string log_tail() const;
  void clear_log();

  /// Gives the calling thread the CPUs that the process had before EAL pinned it; for threads
  /// besides the cores.
  void unpin_this_thread() const;

 private:
  struct Impl;
  explicit Eal(std::unique_ptr<Impl> impl, const EalConfig& config);

  std::unique_ptr<Impl> impl_;
  std::size_t core_count_;
  bool hugepages_;
  std::size_t memory_;
};

}  // namespace dataplane::dpdk
