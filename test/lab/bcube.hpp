#pragma once

#include <cstddef>
#include <vector>

#include "test/lab/network.hpp"

namespace lab {

/// BCube(n, k) (Guo et al., SIGCOMM 2009): n^(k+1) servers with k+1 ports. A server's number has
/// k+1 digits of base n; its port i leads to a switch that it shares with the n-1 servers whose
/// numbers differ in digit i alone. Servers pass on what others send.
class BCube {
 public:
  BCube(Network& network, std::size_t n, std::size_t levels, const LinkConfig& link,
        const MachineConfig& machine);

  std::size_t size() const { return servers_.size(); }
  std::size_t levels() const { return levels_; }
  Machine& machine(std::size_t server) { return *servers_[server].machine; }
  /// The digit of a server's number that its port `level` changes.
  std::size_t digit(std::size_t server, std::size_t level) const;
  std::size_t with_digit(std::size_t server, std::size_t level, std::size_t digit) const;

  /// Lays the ways of a connection: what port i of one server and port i of the other exchange
  /// takes the i-th of their parallel paths (Guo et al., §3.3). Machines of a connection are
  /// connected before it starts; once is enough.
  void connect(std::size_t from, std::size_t to);

 private:
  struct Server {
    Machine* machine;
    Router* relay;              ///< What goes through it, and to and from its machine.
    std::vector<Wire*> up;      ///< To the switch of each level.
    std::vector<Wire*> down;    ///< From it.
    std::vector<Router*> over;  ///< The switches.
  };

  void add_server(const LinkConfig& link, const MachineConfig& machine,
                  const std::vector<std::vector<Router*>>& switches);
  /// The servers from one to the other, without the first, by way of port `level`.
  std::vector<std::size_t> path(std::size_t from, std::size_t to, std::size_t level) const;
  void lay(std::size_t from, std::size_t to, std::size_t level);

  Network& network_;
  std::size_t n_;
  std::size_t levels_;
  std::vector<Server> servers_;
};

}  // namespace lab
