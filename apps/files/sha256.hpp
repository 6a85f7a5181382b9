#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "apps/files/result.hpp"

struct evp_md_ctx_st;

namespace apps::files {

using Sha256Value = std::array<std::byte, 32>;

/// SHA-256 of a stream of octets, by OpenSSL.
class Sha256 {
 public:
  Sha256();
  void update(Bytes octets);
  /// The value of all octets so far; begins anew.
  Sha256Value finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

/// Reads `length` octets from `offset` and hashes them; io_error if the file is shorter,
/// operation_canceled once `cancelled` is true. Takes about two seconds for a gigabyte.
Result<Sha256Value> sha256_of(int fd, std::uint64_t offset, std::uint64_t length,
                              const std::atomic<bool>& cancelled);
/// As sha256_of, into a hash that goes on.
std::error_code hash_range(Sha256& hash, int fd, std::uint64_t offset, std::uint64_t length,
                           const std::atomic<bool>& cancelled);

std::string to_hex(const Sha256Value& value);
/// Nothing unless `text` is 64 hexadecimal digits.
std::optional<Sha256Value> sha256_from_hex(std::string_view text);
std::string to_base64(const Sha256Value& value);
/// Nothing unless `text` is the base64 of exactly one value (RFC 4648 §4).
std::optional<Sha256Value> sha256_from_base64(std::string_view text);

}  // namespace apps::files
