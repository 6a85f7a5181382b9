#include "mptcp/path_change.hpp"

namespace mptcp {

std::string_view name_of(PathChange::Kind kind) {
  using Kind = PathChange::Kind;
  switch (kind) {
    case Kind::Established:
      return "established";
    case Kind::Closed:
      return "closed";
    case Kind::Failed:
      return "failed";
    case Kind::BackupChanged:
      return "backup changed";
    case Kind::Stale:
      return "stale";
    case Kind::Recovered:
      return "recovered";
    case Kind::AddressAnnounced:
      return "address announced";
    case Kind::AddressRemoved:
      return "address removed";
    case Kind::FellBack:
      return "fell back to TCP";
  }
  return "unknown";
}

std::string_view name_of(FallbackCause cause) {
  switch (cause) {
    case FallbackCause::SynAckWithoutOption:
      return "the answer to the SYN had no MP_CAPABLE";
    case FallbackCause::AckWithoutOption:
      return "the third segment had no MP_CAPABLE";
    case FallbackCause::FirstSegmentWithout:
      return "the first segment had no option";
    case FallbackCause::DataWithoutMapping:
      return "octets came without a mapping";
    case FallbackCause::NeverDataAcked:
      return "octets were acknowledged, and never by a DATA_ACK";
    case FallbackCause::BadChecksum:
      return "the checksum of the data was wrong";
    case FallbackCause::PeerFellBack:
      return "the peer went back to TCP";
    case FallbackCause::SimultaneousOpen:
      return "both sides opened at once";
  }
  return "unknown";
}

}  // namespace mptcp
