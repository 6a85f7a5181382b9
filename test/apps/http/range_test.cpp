#include "apps/http/range.hpp"

#include <string>

#include <catch2/catch.hpp>

namespace apps::http {
namespace {

using Kind = RangeSelection::Kind;
using Ranges = std::vector<ByteRange>;

TEST_CASE("a range is cut to the file", "[apps][http][range][rfc9110-14.1.2]") {
  CHECK(select_ranges("bytes=0-0", 10).ranges == Ranges{{0, 1}});
  CHECK(select_ranges("bytes=0-9", 10).ranges == Ranges{{0, 10}});
  CHECK(select_ranges("bytes=9-", 10).ranges == Ranges{{9, 1}});
  CHECK(select_ranges("bytes=5-500", 10).ranges == Ranges{{5, 5}});
  CHECK(select_ranges("bytes=-3", 10).ranges == Ranges{{7, 3}});
  CHECK(select_ranges("bytes=-30", 10).ranges == Ranges{{0, 10}});
  CHECK(select_ranges("bytes=0-18446744073709551615", 10).ranges == Ranges{{0, 10}});
}

TEST_CASE("several ranges keep their order", "[apps][http][range]") {
  CHECK(select_ranges("bytes=7-8, 0-1,,3-3", 10).ranges == Ranges{{7, 2}, {0, 2}, {3, 1}});
  CHECK(select_ranges("bytes=0-1,50-60", 10).ranges == Ranges{{0, 2}});
}

TEST_CASE("what lies behind the file cannot be satisfied", "[apps][http][range]") {
  CHECK(select_ranges("bytes=10-", 10).kind == Kind::Unsatisfiable);
  CHECK(select_ranges("bytes=10-20,30-", 10).kind == Kind::Unsatisfiable);
  CHECK(select_ranges("bytes=-0", 10).kind == Kind::Unsatisfiable);
  CHECK(select_ranges("bytes=0-", 0).kind == Kind::Unsatisfiable);
  CHECK(select_ranges("bytes=-1", 0).kind == Kind::Unsatisfiable);
}

TEST_CASE("a range that is malformed or a burden is ignored", "[apps][http][range][rfc9110-14.2]") {
  const char* field = GENERATE("", "bytes", "bytes=", "bytes=,", "lines=0-1", "bytes=1", "bytes=-",
                               "bytes=2-1", "bytes=a-b", "bytes=1-2x", "bytes= 1 - 2", "bytes=--1",
                               "bytes=0-99999999999999999999999", "bytes=0-5,5-6", "bytes=0-1,x");
  INFO(field);
  CHECK(select_ranges(field, 10).kind == Kind::Whole);
}

TEST_CASE("more ranges than a client needs are ignored", "[apps][http][range]") {
  std::string field = "bytes=0-0";
  for (std::size_t i = 1; i < kMaxRanges; ++i)
    field += "," + std::to_string(2 * i) + "-" + std::to_string(2 * i);
  CHECK(select_ranges(field, 1000).ranges.size() == kMaxRanges);
  CHECK(select_ranges(field + ",900-900", 1000).kind == Kind::Whole);
}

}  // namespace
}  // namespace apps::http
