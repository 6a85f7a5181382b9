#include "apps/hawser/http_error.hpp"

#include <fmt/format.h>

namespace apps::hawser {

ExitCode exit_code_of(http::ErrorKind kind) {
  using http::ErrorKind;
  switch (kind) {
    case ErrorKind::Url:
      return ExitCode::Usage;
    case ErrorKind::Connection:
      return ExitCode::Connect;
    case ErrorKind::TimedOut:
      return ExitCode::TimedOut;
    case ErrorKind::Broken:
    case ErrorKind::Protocol:
    case ErrorKind::Status:
      return ExitCode::Peer;
    case ErrorKind::Checksum:
      return ExitCode::Checksum;
    case ErrorKind::LocalFile:
    case ErrorKind::DiskFull:
      return ExitCode::LocalFile;
    case ErrorKind::Cancelled:
      return ExitCode::Interrupted;
  }
  return ExitCode::Internal;
}

std::string text_of(const http::Error& error) {
  return error.remedy.empty() ? error.message
                              : fmt::format("{}\n    {}", error.message, error.remedy);
}

}  // namespace apps::hawser
