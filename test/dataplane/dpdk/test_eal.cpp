#include "test/dataplane/dpdk/test_eal.hpp"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <sched.h>
#include <stdexcept>
#include <unistd.h>
#include <vector>

#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ring.h>

namespace dataplane::dpdk::test {
namespace {

std::vector<unsigned> first_two_cpus() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  ::sched_getaffinity(0, sizeof allowed, &allowed);
  std::vector<unsigned> cpus;
  for (unsigned i = 0; i < CPU_SETSIZE && cpus.size() < 2; ++i)
    if (CPU_ISSET(i, &allowed)) cpus.push_back(i);
  return cpus;
}

}  // namespace

Eal& eal() {
  static const std::unique_ptr<Eal> only = [] {
    EalConfig config;
    config.cores = first_two_cpus();
    config.memory = 384UL << 20;
    auto started = Eal::start(config);
    if (!started) throw std::runtime_error(started.error());
    return *std::move(started);
  }();
  return *only;
}

bool enter_own_namespace() {
  static const bool entered =
      ::geteuid() == 0 && ::unshare(CLONE_NEWNET) == 0 && run("ip link set lo up");
  return entered;
}

bool run(const std::string& command) {
  return std::system((command + " > /dev/null 2>&1").c_str()) ==
         0;  // NOLINT(concurrency-mt-unsafe)
}

VethPair::VethPair(std::string name) : name_(std::move(name)) {
  // No IPv6 of the kernel's own on them: only what a test sends is to be seen.
  const bool made = run("ip link add " + left() + " type veth peer name " + right()) &&
                    run("sysctl -q -w net.ipv6.conf." + left() + ".disable_ipv6=1 net.ipv6.conf." +
                        right() + ".disable_ipv6=1") &&
                    run("ip link set " + left() + " up") && run("ip link set " + right() + " up");
  if (!made) throw std::runtime_error("no veth pair " + name_);
}

VethPair::~VethPair() { run("ip link del " + left()); }

std::pair<std::string, std::string> make_ring_pair() {
  static int count = 0;
  const std::string number = std::to_string(count++);
  rte_ring* rings[2];
  for (int i = 0; i < 2; ++i) {
    const std::string name = "test_ring_" + number + "_" + std::to_string(i);
    rings[i] = rte_ring_create(name.c_str(), 1024, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
    if (rings[i] == nullptr) throw std::runtime_error("no ring");
  }
  const std::string left = "ring_left_" + number;
  const std::string right = "ring_right_" + number;
  const int a = rte_eth_from_rings(left.c_str(), &rings[0], 1, &rings[1], 1, 0);
  const int b = rte_eth_from_rings(right.c_str(), &rings[1], 1, &rings[0], 1, 0);
  if (a < 0 || b < 0) throw std::runtime_error("no ring devices");
  // DPDK gives them a prefix; their names are what the ports are opened by.
  char name[RTE_ETH_NAME_MAX_LEN];
  std::pair<std::string, std::string> names;
  rte_eth_dev_get_name_by_port(static_cast<std::uint16_t>(a), name);
  names.first = name;
  rte_eth_dev_get_name_by_port(static_cast<std::uint16_t>(b), name);
  names.second = name;
  return names;
}

}  // namespace dataplane::dpdk::test
