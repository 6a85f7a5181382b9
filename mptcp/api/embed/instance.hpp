#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "mptcp/api/embed/endpoints.hpp"
#include "mptcp/api/embed/node.hpp"
#include "mptcp/api/embed/socket_table.hpp"
#include "mptcp/api/hawser.h"

namespace mptcp::api::embed {

/// A host: a core with its sockets, driven by its owner's calls.
class Instance {
 public:
  /// What can be said of a configuration before anything is made of it.
  static std::optional<CoreConfig> core_config(const hawser_config& config);

  Instance(const hawser_config& config, CoreConfig core);

  void set_now(std::uint64_t nanoseconds);
  std::uint64_t next_deadline() const;
  void run();
  int input(dataplane::ByteSpan packet);
  /// Carries out a line of text: 0 and the answer, or a negative errno value.
  int command(std::string_view line, std::string& answer);

  SocketTable& sockets() { return sockets_; }
  Node& node() { return node_; }

 private:
  void flush();
  bool tell_events();
  std::size_t port_to(const dataplane::IpAddress& destination) const;

  hawser_config config_;
  Node node_;
  SocketTable sockets_;
  Endpoints endpoints_;
};

}  // namespace mptcp::api::embed

/// What C sees as an opaque type.
// NOLINTNEXTLINE(readability-identifier-naming): the name that C knows.
struct hawser final : mptcp::api::embed::Instance {
  using Instance::Instance;
};
