#include "apps/common/exit_code.hpp"

#include <array>

#include <fmt/format.h>

namespace apps {

namespace {

struct Row {
  ExitCode code;
  std::string_view name;
  std::string_view meaning;
};

constexpr std::array<Row, 11> kRows = {{
    {ExitCode::Ok, "ok", "done"},
    {ExitCode::Internal, "internal", "a mistake in hawser itself; please report it"},
    {ExitCode::Usage, "usage", "the command line is wrong"},
    {ExitCode::Config, "config", "the node file (--config) is wrong or unreadable"},
    {ExitCode::Setup, "setup", "a device, memory, rights or a listening address"},
    {ExitCode::Connect, "connect", "no connection: refused, unreachable, no route"},
    {ExitCode::TimedOut, "timed-out", "nothing moved for --timeout"},
    {ExitCode::Peer, "peer", "the peer broke off or answered with an error"},
    {ExitCode::Checksum, "checksum", "the content is not what it should be"},
    {ExitCode::LocalFile, "local-file", "a local file cannot be read or written"},
    {ExitCode::Interrupted, "interrupted", "SIGINT or SIGTERM came first"},
}};

}  // namespace

std::string_view name_of(ExitCode code) {
  for (const Row& row : kRows)
    if (row.code == code) return row.name;
  return "internal";
}

std::string exit_code_help() {
  std::string text = "Exit codes:\n";
  for (const Row& row : kRows)
    text +=
        fmt::format("  {:>3}  {:<12} {}\n", static_cast<unsigned>(row.code), row.name, row.meaning);
  return text;
}

}  // namespace apps
