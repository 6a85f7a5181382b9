#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mptcp/api/embed/node.hpp"
#include "mptcp/api/embed/socket_table.hpp"

namespace mptcp::api::embed {

/// The path manager of Linux's kernel, in the words of `ip mptcp`: endpoints of ours to be
/// announced or to open subflows from, and limits. It works by the commands that any program may
/// give (mptcp/path_command.hpp), while the engine's own path managers rest.
class Endpoints {
 public:
  Endpoints(Node& node, SocketTable& sockets) : node_(node), sockets_(sockets) {}

  /// `limits ...` and `endpoint ...` without their first word: 0, and what there is to show in
  /// `answer`, or a negative errno value of Linux.
  int limits(std::span<const std::string_view> words, std::string& answer);
  int endpoint(std::span<const std::string_view> words, std::string& answer);

  /// Opens and announces what connections still lack.
  void work();
  /// A connection tells what became of its paths.
  void on_path_changed(Socket& socket);

 private:
  struct Endpoint {
    dataplane::IpAddress address;
    std::uint16_t port = 0;
    std::uint8_t id = 0;
    bool signal = false;
    bool subflow = false;
    bool backup = false;
    bool fullmesh = false;
    std::string device;
  };

  int set_limits(std::span<const std::string_view> words);
  int add(std::span<const std::string_view> words);
  int insert(Endpoint wanted);
  int remove(std::span<const std::string_view> words);
  void withdraw(const Endpoint& gone);
  int change(std::span<const std::string_view> words);
  int show(std::span<const std::string_view> words, std::string& answer) const;
  static std::string line_of(const Endpoint& endpoint);
  static bool set_flag(std::string_view word, Endpoint& out);
  static bool set_number(std::span<const std::string_view> words, Endpoint& out);
  static int read(std::span<const std::string_view> words, Endpoint& out);
  Endpoint* find(std::uint8_t id);
  Endpoint* find(const dataplane::IpAddress& address);
  void take_over();
  void serve(Socket& socket);
  bool use(Socket& socket, const Endpoint& endpoint);
  void join_announced(Socket& socket, const PathChange& change);

  Node& node_;
  SocketTable& sockets_;
  std::vector<Endpoint> endpoints_;
  std::uint8_t most_subflows_ = 2;  ///< Beside the first, as Linux counts.
  std::uint8_t most_accepted_ = 0;  ///< Addresses of the peer that are joined.
  bool in_charge_ = false;
};

}  // namespace mptcp::api::embed
