#include "dataplane/base/result.hpp"

namespace dataplane {

std::string_view name_of(Error error) {
  switch (error) {
    case Error::BadChecksum:
      return "bad_checksum";
    case Error::BadLength:
      return "bad_length";
    case Error::BadVersion:
      return "bad_version";
    case Error::BadAddress:
      return "bad_address";
    case Error::BadHeader:
      return "bad_header";
    case Error::BadOption:
      return "bad_option";
    case Error::Fragment:
      return "fragment";
    case Error::NoBuffers:
      return "no_buffers";
    case Error::NoRoute:
      return "no_route";
    case Error::NotForUs:
      return "not_for_us";
    case Error::QueueFull:
      return "queue_full";
    case Error::Truncated:
      return "truncated";
    case Error::UnknownProtocol:
      return "unknown_protocol";
    case Error::UnknownVlan:
      return "unknown_vlan";
  }
  return "unknown";
}

}  // namespace dataplane
