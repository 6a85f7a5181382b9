#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "apps/files/sha256.hpp"

namespace apps::http {

/// What a Content-Digest or Repr-Digest field says about sha-256 (RFC 9530 §2). Other algorithms
/// are passed over.
struct DigestField {
  enum class Kind : std::uint8_t { Absent, Malformed, Present };
  Kind kind = Kind::Absent;
  files::Sha256Value value{};
};
DigestField parse_digest_field(std::string_view field);

/// "sha-256=:...:".
std::string to_digest_field(const files::Sha256Value& value);

/// Whether a Want-Content-Digest or Want-Repr-Digest field asks for sha-256: a preference above 0
/// (RFC 9530 §4).
bool wants_sha256(std::string_view field);
inline constexpr std::string_view kWantSha256 = "sha-256=10";

}  // namespace apps::http
