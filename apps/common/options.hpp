#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "apps/common/exit_code.hpp"
#include "apps/common/multipath_options.hpp"
#include "dataplane/base/address.hpp"
#include "dataplane/base/time.hpp"
#include "dataplane/dpdk/node_config.hpp"

namespace apps {

/// What every command takes.
struct CommonOptions {
  std::string config = "hawser.toml";
  std::string capture;  ///< pcapng file; empty: no capture.
  dataplane::dpdk::CaptureFilter capture_filter;
  bool json = false;
  bool quiet = false;
  MultipathOptions multipath;  ///< Of what moves data.
};

/// Where to listen. No address: every address of the node, IPv4 and IPv6.
struct ListenAddress {
  std::optional<dataplane::IpAddress> address;
  std::uint16_t port = 0;

  /// "8080", ":8080", "10.9.0.1:8080" or "[fd00::1]:8080".
  static std::optional<ListenAddress> parse(std::string_view text);
};

struct ServeOptions {
  std::string root;
  ListenAddress listen{{}, 8080};
  bool read_only = false;
};

struct GetOptions {
  std::string url;
  std::string destination;
  bool resume = false;
  std::string sha256;   ///< 64 hexadecimal digits in lower case; empty: not checked.
  bool verify = false;  ///< Ask the server for its digest and compare.
  dataplane::Duration timeout = std::chrono::seconds(30);
};

struct PutOptions {
  std::vector<std::string> files;
  std::string url;
  dataplane::Duration timeout = std::chrono::seconds(30);
};

struct PerfServeOptions {
  ListenAddress listen{{}, 5201};
  enum class Mode : std::uint8_t {
    Protocol,  ///< `hawser perf run` says what it wants.
    Sink,      ///< Discards what any TCP peer sends.
    Source,    ///< Sends to any TCP peer until it closes.
  };
  Mode mode = Mode::Protocol;
  bool verify = false;
  bool once = false;
  bool profile = false;
  dataplane::Duration interval = std::chrono::seconds(1);
};

struct PerfRunOptions {
  std::string host;
  std::uint16_t port = 5201;
  enum class Direction : std::uint8_t { Send, Receive, Both };
  Direction direction = Direction::Send;
  bool plain = false;  ///< The peer is any TCP sink or source, not `hawser perf serve`.
  bool verify = false;
  bool profile = false;  ///< Say what the turns of each core cost.
  std::uint32_t connections = 1;
  /// The first that is reached ends the test; neither given: ten seconds.
  std::optional<dataplane::Duration> time;
  std::optional<std::uint64_t> bytes;  ///< Per direction, all connections together.
  dataplane::Duration interval = std::chrono::seconds(1);
  dataplane::Duration timeout = std::chrono::seconds(30);
};

struct PortsOptions {};

using Command = std::variant<ServeOptions, GetOptions, PutOptions, PerfServeOptions, PerfRunOptions,
                             PortsOptions>;

struct Options {
  CommonOptions common;
  Command command;
};

/// The command line asked for text (help, version) or was wrong: what to print, and the exit code.
struct Farewell {
  ExitCode code = ExitCode::Ok;
  std::string text;  ///< To stdout when `code` is Ok, else to stderr.
};

std::variant<Options, Farewell> parse_command_line(int argc, const char* const* argv);

/// "serve", "get", "put", "perf serve", "perf run" or "ports".
std::string_view name_of(const Command& command);

/// Hawser's, such as "1.2.3".
std::string_view version();

}  // namespace apps
