#include "apps/files/sha256.hpp"

#include <fcntl.h>
#include <string>

#include <catch2/catch.hpp>

#include "apps/files/unique_fd.hpp"
#include "test/apps/files/scratch.hpp"

namespace apps::files {
namespace {

constexpr const char* kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST_CASE("sha-256 gives the values of the standard", "[apps][files][sha256]") {
  Sha256 hash;
  CHECK(to_hex(hash.finish()) ==
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  hash.update(std::as_bytes(std::span("abc", 3)));
  CHECK(to_hex(hash.finish()) == kAbc);
  hash.update(std::as_bytes(std::span("a", 1)));
  hash.update(std::as_bytes(std::span("bc", 2)));
  CHECK(to_hex(hash.finish()) == kAbc);
}

TEST_CASE("a value survives its spellings", "[apps][files][sha256]") {
  Sha256 hash;
  const Sha256Value value = hash.finish();
  CHECK(sha256_from_base64(to_base64(value)) == value);
  CHECK(sha256_from_hex(to_hex(value)) == value);
  CHECK_FALSE(sha256_from_hex(to_hex(value) + "0"));
  CHECK_FALSE(sha256_from_hex("g" + to_hex(value).substr(1)));
  CHECK_FALSE(sha256_from_hex("+" + to_hex(value).substr(1)));
  CHECK_FALSE(sha256_from_base64(to_base64(value) + "="));
  CHECK_FALSE(sha256_from_base64(""));
}

TEST_CASE("a range of a file is hashed", "[apps][files][sha256]") {
  const Scratch scratch;
  scratch.write("f", "xxabcyy");
  const UniqueFd fd(::open(scratch.path("f").c_str(), O_RDONLY));
  std::atomic<bool> cancelled = false;
  CHECK(to_hex(sha256_of(fd.raw(), 2, 3, cancelled).value()) == kAbc);
  CHECK(sha256_of(fd.raw(), 2, 100, cancelled).error() == std::errc::io_error);
  cancelled = true;
  CHECK(sha256_of(fd.raw(), 2, 3, cancelled).error() == std::errc::operation_canceled);
}

}  // namespace
}  // namespace apps::files
