#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "dataplane/base/address.hpp"
#include "dataplane/tcp/config.hpp"
#include "mptcp/fallback.hpp"
#include "mptcp/wire/option.hpp"

namespace mptcp {

/// What became of one path of a connection, for the program that owns it. Which fields have a
/// meaning depends on the kind.
struct PathChange {
  enum class Kind : std::uint8_t {
    Established,       ///< A subflow carries data from now on.
    Closed,            ///< One is gone; `close_reason`, and `reset_reason` if MP_TCPRST said one.
    Failed,            ///< One did not come into being; likewise.
    BackupChanged,     ///< `backup` is what either side wants now (RFC 8684 §3.3.8).
    Stale,             ///< It acknowledges nothing; others carry what it had.
    Recovered,         ///< It does again.
    AddressAnnounced,  ///< The peer has `tuple.remote` too, as `address_id` (RFC 8684 §3.4.1).
    AddressRemoved,    ///< It has `address_id` no more (RFC 8684 §3.4.2).
    FellBack,          ///< The connection is plain TCP from now on; `cause` says why.
  };

  Kind kind{};
  dataplane::FourTuple tuple{};  ///< Of the subflow.
  AddressId address_id{};
  bool backup = false;
  dataplane::tcp::CloseReason close_reason{};
  std::optional<ResetReason> reset_reason{};
  FallbackCause cause{};
};

std::string_view name_of(PathChange::Kind kind);
std::string_view name_of(FallbackCause cause);

}  // namespace mptcp
