#include "apps/common/units.hpp"

#include <catch2/catch.hpp>

#include "apps/common/diagnostic.hpp"

using namespace apps;
using namespace std::chrono_literals;

TEST_CASE("sizes have binary and decimal units", "[apps][units]") {
  CHECK(parse_size("0") == 0);
  CHECK(parse_size("1500") == 1500);
  CHECK(parse_size("64KiB") == 65'536);
  CHECK(parse_size("1.5 GiB") == 1'610'612'736);
  CHECK(parse_size("10MB") == 10'000'000);
  CHECK(parse_size("2G") == 2UL << 30);
  CHECK_FALSE(parse_size(""));
  CHECK_FALSE(parse_size("MiB"));
  CHECK_FALSE(parse_size("-1"));
  CHECK_FALSE(parse_size("1.5"));
  CHECK_FALSE(parse_size("12 parsecs"));
  CHECK_FALSE(parse_size("99999999999999999999"));
  CHECK_FALSE(parse_size("1e3"));
}

TEST_CASE("a time needs a unit", "[apps][units]") {
  CHECK(parse_duration("200ms") == 200ms);
  CHECK(parse_duration("1.5s") == 1500ms);
  CHECK(parse_duration("2min") == 120s);
  CHECK(parse_duration("50 us") == 50us);
  CHECK(parse_duration("0") == 0s);
  CHECK_FALSE(parse_duration("200"));
  CHECK_FALSE(parse_duration("-1s"));
  CHECK_FALSE(parse_duration("s"));
  CHECK_FALSE(parse_duration("9999999999h"));
}

TEST_CASE("numbers are printed for people", "[apps][units]") {
  CHECK(format_size(0) == "0 B");
  CHECK(format_size(1023) == "1023 B");
  CHECK(format_size(1024) == "1.0 KiB");
  CHECK(format_size((1UL << 20) - 1) == "1.0 MiB");
  CHECK(format_size(512UL << 20) == "512.0 MiB");
  CHECK(format_rate(0) == "0 bit/s");
  CHECK(format_rate(9.414e9) == "9.41 Gbit/s");
  CHECK(format_rate(999.6e6) == "1.00 Gbit/s");
  CHECK(format_rate(94.14e6) == "94.1 Mbit/s");
  CHECK(format_elapsed(3.21) == "3.2s");
  CHECK(format_elapsed(59.6) == "1m00s");
  CHECK(format_elapsed(7505) == "2h05m");
  CHECK(format_short(120us) == "120us");
  CHECK(format_short(12'300us) == "12.3ms");
  CHECK(format_short(2s) == "2.00s");
}

TEST_CASE("the nearest name is found, and none when all are far", "[apps][units]") {
  const std::vector<std::string> known = {"address", "gateway", "mtu"};
  CHECK(nearest_name("adress", known) == "address");
  CHECK(nearest_name("gatway", known) == "gateway");
  CHECK(nearest_name("mtuu", known) == "mtu");
  CHECK(nearest_name("banana", known).empty());
}
