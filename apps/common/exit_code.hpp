#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace apps {

/// How a command ended. The numbers are part of the command line's contract: scripts test them.
enum class ExitCode : std::uint8_t {
  Ok = 0,
  Internal = 1,       ///< A mistake of ours.
  Usage = 2,          ///< The command line.
  Config = 3,         ///< The node file.
  Setup = 4,          ///< Devices, memory, rights, an address in use.
  Connect = 5,        ///< Refused, unreachable, no way there.
  TimedOut = 6,       ///< No progress for the timeout.
  Peer = 7,           ///< The peer broke off, or answered with an error.
  Checksum = 8,       ///< The octets that came are not those that were sent.
  LocalFile = 9,      ///< Cannot read, write or create a file here.
  Interrupted = 130,  ///< SIGINT or SIGTERM before the command was done.
};

/// One word for --json: "ok", "usage", "timed-out" and so on.
std::string_view name_of(ExitCode code);
/// The table of all codes for --help.
std::string exit_code_help();

}  // namespace apps
