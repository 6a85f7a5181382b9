#include "apps/http/digest_field.hpp"

#include "apps/http/text.hpp"
#include "dataplane/base/decimal.hpp"

namespace apps::http {
namespace {

constexpr std::string_view kAlgorithm = "sha-256";

/// The value of the member `sha-256` of a dictionary (RFC 8941 §3.2); the last one counts. `found`
/// says if there is one. The values here hold no quoted strings, so a comma always ends a member.
std::string_view member(std::string_view field, bool& found) {
  std::string_view value;
  found = false;
  while (!field.empty()) {
    std::string_view item = next_item(field, ',');
    const std::string_view key = next_item(item, '=');
    if (key != kAlgorithm) continue;
    found = true;
    value = trim(item);
  }
  return value;
}

}  // namespace

DigestField parse_digest_field(std::string_view field) {
  bool found = false;
  std::string_view value = member(field, found);
  if (!found) return {};
  value = value.substr(0, value.find(';'));  // Parameters mean nothing here.
  if (value.size() < 2 || value.front() != ':' || value.back() != ':') {
    return {DigestField::Kind::Malformed, {}};
  }
  const auto digest = files::sha256_from_base64(value.substr(1, value.size() - 2));
  if (!digest) return {DigestField::Kind::Malformed, {}};
  return {DigestField::Kind::Present, *digest};
}

std::string to_digest_field(const files::Sha256Value& value) {
  return std::string(kAlgorithm) + "=:" + files::to_base64(value) + ":";
}

bool wants_sha256(std::string_view field) {
  bool found = false;
  const auto preference = dataplane::parse_decimal<std::uint64_t>(member(field, found));
  return found && preference && *preference > 0;
}

}  // namespace apps::http
