// A link with a rate, a delay and faults between real ports, where the kernel has no netem: see
// plan.hpp for what it reads. Prints "ready" when frames pass, and what it did at the end.

#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "apps/common/signals.hpp"
#include "dataplane/dpdk/node.hpp"
#include "test/emulator/emulator.hpp"

namespace {

using dataplane::Instant;
using namespace std::chrono_literals;
using Node = dataplane::dpdk::Node<emulator::Emulator>;

dataplane::dpdk::NodeConfig node_config_of(const emulator::Plan& plan) {
  dataplane::dpdk::NodeConfig config;
  config.memory = 128UL << 20;
  config.idle.longest_sleep = 50us;
  std::size_t number = 0;
  for (const emulator::PathPlan& path : plan.paths) {
    for (const std::string& device : path.devices) {
      dataplane::dpdk::PortConfig port;
      port.id = "p" + std::to_string(number);
      port.device = device;
      // Nobody is addressed here; a port has an address all the same.
      port.addresses = {*dataplane::Prefix::parse("169.254." + std::to_string(number++) + ".1/24")};
      config.ports.push_back(std::move(port));
    }
  }
  return config;
}

struct UntilSignal {
  Node& node;
  apps::Signals& signals;
  bool poll(Instant now) {
    if (signals.poll(now)) node.stop();
    return false;
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: emulator PLAN.toml\n", stderr);
    return 2;
  }
  std::ifstream file(argv[1]);
  if (!file) {
    std::fprintf(stderr, "%s cannot be read\n", argv[1]);
    return 2;
  }
  std::ostringstream text;
  text << file.rdbuf();
  const auto plan = emulator::parse_plan(text.str(), argv[1]);
  if (!plan) {
    for (const apps::Diagnostic& each : plan.error())
      std::fprintf(stderr, "%s\n", to_string(each).c_str());
    return 2;
  }
  apps::Signals signals;
  const auto node = Node::start(node_config_of(*plan),
                                [&](const dataplane::dpdk::CoreSeat&, dataplane::PacketPool& pool) {
                                  return std::make_unique<emulator::Emulator>(*plan, pool);
                                });
  if (!node) {
    std::fprintf(stderr, "%s\n", node.error().c_str());
    return 1;
  }
  (*node)->core(0).start((*node)->now());
  std::puts("ready");
  std::fflush(stdout);
  UntilSignal until{**node, signals};
  (*node)->run(until);
  for (const std::string& line : (*node)->core(0).report())
    std::puts(line.c_str());
  return 0;
}
