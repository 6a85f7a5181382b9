#include "test/lab/bcube.hpp"

namespace lab {

namespace {

/// Between a machine and the relay of its server: within one box.
LinkConfig inside(const LinkConfig& link) {
  LinkConfig out = link;
  out.rate_bps = 100 * link.rate_bps;
  out.delay = 1us;
  return out;
}

}  // namespace

BCube::BCube(Network& network, std::size_t n, std::size_t levels, const LinkConfig& link,
             const MachineConfig& machine)
    : network_(network), n_(n), levels_(levels) {
  std::size_t count = 1;
  for (std::size_t i = 0; i < levels; ++i)
    count *= n;
  std::vector<std::vector<Router*>> switches(levels);
  for (std::vector<Router*>& level : switches)
    for (std::size_t i = 0; i < count / n; ++i)
      level.push_back(&network.add_router());
  MachineConfig with_ports = machine;
  with_ports.ports = levels;
  for (std::size_t i = 0; i < count; ++i)
    add_server(link, with_ports, switches);
}

void BCube::add_server(const LinkConfig& link, const MachineConfig& machine,
                       const std::vector<std::vector<Router*>>& switches) {
  const std::size_t number = servers_.size();
  Server server{&network_.add_machine(machine), &network_.add_router(), {}, {}, {}};
  network_.join(*server.machine, *server.relay, inside(link));
  std::size_t weight = 1;
  for (std::size_t level = 0; level < levels_; ++level, weight *= n_) {
    // The switch is named by the other digits.
    Router& above = *switches[level][number / (weight * n_) * weight + number % weight];
    const Network::Cable cable = network_.join(*server.relay, above, link);
    server.up.push_back(&cable.there);
    server.down.push_back(&cable.back);
    server.over.push_back(&above);
  }
  servers_.push_back(std::move(server));
}

std::size_t BCube::digit(std::size_t server, std::size_t level) const {
  for (std::size_t i = 0; i < level; ++i)
    server /= n_;
  return server % n_;
}

std::size_t BCube::with_digit(std::size_t server, std::size_t level, std::size_t value) const {
  std::size_t weight = 1;
  for (std::size_t i = 0; i < level; ++i)
    weight *= n_;
  return server - digit(server, level) * weight + value * weight;
}

std::vector<std::size_t> BCube::path(std::size_t from, std::size_t to, std::size_t level) const {
  std::vector<std::size_t> out;
  std::size_t at = from;
  const auto step = [&](std::size_t digit_level, std::size_t value) {
    if (digit(at, digit_level) == value) return;
    at = with_digit(at, digit_level, value);
    out.push_back(at);
  };
  // Where the digit is right already, a neighbour's way is taken, and the digit set right at last.
  if (digit(from, level) == digit(to, level)) {
    step(level, (digit(from, level) + 1) % n_);
  } else {
    step(level, digit(to, level));
  }
  for (std::size_t i = 1; i < levels_; ++i) {
    const std::size_t next = (level + levels_ - i) % levels_;
    step(next, digit(to, next));
  }
  step(level, digit(to, level));
  return out;
}

void BCube::lay(std::size_t from, std::size_t to, std::size_t level) {
  const Address source = servers_[from].machine->address(level);
  const Address destination = servers_[to].machine->address(level);
  std::size_t at = from;
  for (const std::size_t next : path(from, to, level)) {
    std::size_t changed = 0;
    while (digit(at, changed) == digit(next, changed))
      ++changed;
    servers_[at].relay->add_route(source, destination, *servers_[at].up[changed]);
    servers_[at].over[changed]->add_route(source, destination, *servers_[next].down[changed]);
    at = next;
  }
}

void BCube::connect(std::size_t from, std::size_t to) {
  for (std::size_t level = 0; level < levels_; ++level) {
    lay(from, to, level);
    lay(to, from, level);
  }
}

}  // namespace lab
