#include "apps/files/sha256.hpp"

#include <algorithm>
#include <charconv>
#include <new>
#include <openssl/evp.h>
#include <vector>

#include <fmt/format.h>

#include "apps/files/file_io.hpp"

namespace apps::files {
namespace {

constexpr std::size_t kChunk = 1024 * 1024;
constexpr std::size_t kBase64Size = 44;
constexpr std::size_t kPaddedSize = 33;  // EVP_DecodeBlock counts the padding as octets.

const unsigned char* raw(const std::byte* octets) {
  return static_cast<const unsigned char*>(static_cast<const void*>(octets));
}

}  // namespace

void Sha256::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) {
    throw std::bad_alloc();
  }
}

void Sha256::update(Bytes octets) {
  EVP_DigestUpdate(context_.get(), octets.data(), octets.size());
}

Sha256Value Sha256::finish() {
  std::array<unsigned char, 32> digest{};
  EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr);
  EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr);
  Sha256Value value{};
  std::ranges::transform(digest, value.begin(), [](unsigned char c) { return std::byte{c}; });
  return value;
}

std::error_code hash_range(Sha256& hash, int fd, std::uint64_t offset, std::uint64_t length,
                           const std::atomic<bool>& cancelled) {
  std::vector<std::byte> buffer(std::min<std::uint64_t>(length, kChunk));
  while (length > 0) {
    if (cancelled) return std::make_error_code(std::errc::operation_canceled);
    const auto part = MutableBytes(buffer).first(std::min<std::uint64_t>(length, buffer.size()));
    const auto n = read_at(fd, part, offset);
    if (!n) return n.error();
    if (*n < part.size()) return std::make_error_code(std::errc::io_error);
    hash.update(part);
    offset += part.size();
    length -= part.size();
  }
  return {};
}

Result<Sha256Value> sha256_of(int fd, std::uint64_t offset, std::uint64_t length,
                              const std::atomic<bool>& cancelled) {
  Sha256 hash;
  if (const auto error = hash_range(hash, fd, offset, length, cancelled)) return Refused(error);
  return hash.finish();
}

std::string to_hex(const Sha256Value& value) {
  std::string out;
  for (const std::byte b : value)
    out += fmt::format("{:02x}", std::to_integer<unsigned>(b));
  return out;
}

std::optional<Sha256Value> sha256_from_hex(std::string_view text) {
  Sha256Value value{};
  if (text.size() != 2 * value.size()) return std::nullopt;
  for (std::size_t i = 0; i < value.size(); ++i) {
    unsigned octet = 0;
    const char* const begin = text.data() + 2 * i;
    const auto [end, error] = std::from_chars(begin, begin + 2, octet, 16);
    if (error != std::errc{} || end != begin + 2) return std::nullopt;
    value.at(i) = static_cast<std::byte>(octet);
  }
  return value;
}

std::string to_base64(const Sha256Value& value) {
  std::array<unsigned char, kBase64Size + 1> out{};
  const int n = EVP_EncodeBlock(out.data(), raw(value.data()), static_cast<int>(value.size()));
  return {out.begin(), out.begin() + n};
}

std::optional<Sha256Value> sha256_from_base64(std::string_view text) {
  if (text.size() != kBase64Size || !text.ends_with('=')) return std::nullopt;
  std::array<unsigned char, kBase64Size> in{};
  std::ranges::transform(text, in.begin(), [](char c) { return static_cast<unsigned char>(c); });
  std::array<unsigned char, kPaddedSize + 1> out{};
  if (EVP_DecodeBlock(out.data(), in.data(), static_cast<int>(in.size())) != kPaddedSize) {
    return std::nullopt;
  }
  Sha256Value value{};
  std::transform(out.begin(), out.begin() + value.size(), value.begin(),
                 [](unsigned char c) { return std::byte{c}; });
  // The decoder is lenient about white space and stray bits; a digest has one spelling.
  if (to_base64(value) != text) return std::nullopt;
  return value;
}

}  // namespace apps::files
