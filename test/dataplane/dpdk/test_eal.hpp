#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "dataplane/dpdk/eal.hpp"

namespace dataplane::dpdk::test {

/// The one EAL of this test program, without hugepages: two cores if there are two CPUs.
Eal& eal();

/// A network namespace of our own, entered for good at the first call; false without the rights to
/// make one.
bool enter_own_namespace();

/// Runs a command of the host and says whether it went well.
bool run(const std::string& command);

/// A veth pair in our own namespace, both ends up; removed at the end.
class VethPair {
 public:
  explicit VethPair(std::string name);
  ~VethPair();
  VethPair(const VethPair&) = delete;
  VethPair& operator=(const VethPair&) = delete;

  std::string left() const { return name_ + "a"; }
  std::string right() const { return name_ + "b"; }

 private:
  std::string name_;
};

/// Two DPDK devices in this process, each of which receives what the other sends.
std::pair<std::string, std::string> make_ring_pair();

}  // namespace dataplane::dpdk::test
