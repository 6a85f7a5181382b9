#include "apps/http/error.hpp"

#include <utility>

namespace apps::http {

std::string_view name_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::Url:
      return "url";
    case ErrorKind::Connection:
      return "connection";
    case ErrorKind::TimedOut:
      return "timed-out";
    case ErrorKind::Broken:
      return "broken";
    case ErrorKind::Protocol:
      return "protocol";
    case ErrorKind::Status:
      return "status";
    case ErrorKind::Checksum:
      return "checksum";
    case ErrorKind::LocalFile:
      return "local-file";
    case ErrorKind::DiskFull:
      return "disk-full";
    case ErrorKind::Cancelled:
      return "cancelled";
  }
  return "unknown";
}

Failure fail(ErrorKind kind, std::string message, std::string remedy) {
  return Failure(Error{kind, std::move(message), std::move(remedy), 0});
}

}  // namespace apps::http
