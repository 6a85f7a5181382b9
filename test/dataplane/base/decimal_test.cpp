#include "dataplane/base/decimal.hpp"

#include <catch2/catch.hpp>

namespace dataplane::test {
namespace {

TEST_CASE("a decimal number is all of its text and fits", "[base][decimal]") {
  CHECK(parse_decimal<std::uint16_t>("0") == 0);
  CHECK(parse_decimal<std::uint16_t>("65535") == 65'535);
  CHECK_FALSE(parse_decimal<std::uint16_t>("65536"));
  CHECK(parse_decimal<unsigned>("32", 32) == 32U);
  CHECK_FALSE(parse_decimal<unsigned>("33", 32));
  for (const char* const text : {"", " 1", "1 ", "+1", "-1", "0x10", "1.5", "ten"})
    CHECK_FALSE(parse_decimal<unsigned long>(text));
}

}  // namespace
}  // namespace dataplane::test
