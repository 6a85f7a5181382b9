#include <boost/beast/http/fields.hpp>
#include <catch2/catch.hpp>

#include "apps/http/date.hpp"
#include "apps/http/digest_field.hpp"
#include "apps/http/validators.hpp"

namespace apps::http {
namespace {

namespace bhttp = boost::beast::http;

constexpr std::time_t kTime = 784111777;
constexpr const char* kEmptyDigest = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

bhttp::fields with(bhttp::field name, std::string_view value) {
  bhttp::fields fields;
  fields.set(name, value);
  return fields;
}

TEST_CASE("a date is written in one form and read in three", "[apps][http][date][rfc9110-5.6.7]") {
  CHECK(to_http_date(kTime) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == kTime);
  CHECK(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT") == kTime);
  CHECK(parse_http_date("Sun Nov  6 08:49:37 1994") == kTime);
  const char* bad =
      GENERATE("", "yesterday", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 GMT+1");
  CHECK_FALSE(parse_http_date(bad));
}

TEST_CASE("a digest field gives its sha-256", "[apps][http][digest][rfc9530-2]") {
  const auto empty = files::Sha256().finish();
  CHECK(to_digest_field(empty) == std::string("sha-256=:") + kEmptyDigest + ":");
  for (const std::string& field :
       {to_digest_field(empty), "md5=:AAAA:, " + to_digest_field(empty) + " , sha-512=:BBBB:",
        to_digest_field(empty) + ";x=1"}) {
    const DigestField parsed = parse_digest_field(field);
    INFO(field);
    CHECK(parsed.kind == DigestField::Kind::Present);
    CHECK(parsed.value == empty);
  }
}

TEST_CASE("other algorithms are passed over, a broken sha-256 is not", "[apps][http][digest]") {
  CHECK(parse_digest_field("").kind == DigestField::Kind::Absent);
  CHECK(parse_digest_field("sha-512=:AAAA:").kind == DigestField::Kind::Absent);
  const char* bad = GENERATE("sha-256", "sha-256=", "sha-256=:", "sha-256=::", "sha-256=abc",
                             "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU:",
                             "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=:",
                             "sha-256=:!7DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:");
  INFO(bad);
  CHECK(parse_digest_field(bad).kind == DigestField::Kind::Malformed);
}

TEST_CASE("a wish for sha-256 is one with a preference above zero",
          "[apps][http][digest][rfc9530-4]") {
  CHECK(wants_sha256("sha-256=10"));
  CHECK(wants_sha256("sha-512=3, sha-256=1"));
  CHECK_FALSE(wants_sha256("sha-256=0"));
  CHECK_FALSE(wants_sha256("sha-256"));
  CHECK_FALSE(wants_sha256("sha-512=3"));
  CHECK_FALSE(wants_sha256(""));
}

TEST_CASE("an entity tag tells two states of a file apart", "[apps][http][validators]") {
  struct stat info {};
  info.st_ino = 7;
  info.st_size = 100;
  info.st_mtim = {kTime, 5};
  const Validators first = validators_of(info);
  CHECK(is_strong(first.etag));
  info.st_mtim.tv_nsec = 6;
  CHECK(validators_of(info).etag != first.etag);
  CHECK_FALSE(is_strong("W/\"1\""));
  CHECK_FALSE(is_strong(""));
}

TEST_CASE("preconditions compare with the state that is there",
          "[apps][http][validators][rfc9110-13.1]") {
  const Validators now{"\"a\"", kTime};
  const Validators none;
  using enum Precondition;
  CHECK(check_preconditions({}, now, true) == Holds);
  CHECK(check_preconditions(with(bhttp::field::if_match, "\"b\", \"a\""), now, false) == Holds);
  CHECK(check_preconditions(with(bhttp::field::if_match, "\"b\""), now, false) == Fails);
  CHECK(check_preconditions(with(bhttp::field::if_match, "W/\"a\""), now, false) == Fails);
  CHECK(check_preconditions(with(bhttp::field::if_match, "*"), none, false) == Fails);
  CHECK(check_preconditions(with(bhttp::field::if_none_match, "W/\"a\""), now, true) ==
        NotModified);
  CHECK(check_preconditions(with(bhttp::field::if_none_match, "*"), now, false) == Fails);
  CHECK(check_preconditions(with(bhttp::field::if_none_match, "*"), none, false) == Holds);
  CHECK(check_preconditions(with(bhttp::field::if_modified_since, to_http_date(kTime)), now,
                            true) == NotModified);
  CHECK(check_preconditions(with(bhttp::field::if_modified_since, to_http_date(kTime - 1)), now,
                            true) == Holds);
  CHECK(check_preconditions(with(bhttp::field::if_unmodified_since, to_http_date(kTime - 1)), now,
                            true) == Fails);
  CHECK(check_preconditions(with(bhttp::field::if_unmodified_since, "never"), now, true) == Holds);
}

TEST_CASE("a range counts only for the state that If-Range names",
          "[apps][http][validators][rfc9110-13.1.5]") {
  const Validators now{"\"a\"", kTime};
  CHECK(is_range_current({}, now));
  CHECK(is_range_current(with(bhttp::field::if_range, "\"a\""), now));
  CHECK_FALSE(is_range_current(with(bhttp::field::if_range, "\"b\""), now));
  CHECK_FALSE(is_range_current(with(bhttp::field::if_range, "W/\"a\""), now));
  CHECK(is_range_current(with(bhttp::field::if_range, to_http_date(kTime)), now));
  CHECK_FALSE(is_range_current(with(bhttp::field::if_range, to_http_date(kTime + 1)), now));
  CHECK_FALSE(is_range_current(with(bhttp::field::if_range, "x"), now));
}

}  // namespace
}  // namespace apps::http
