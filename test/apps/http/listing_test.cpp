#include "apps/http/listing.hpp"

#include <catch2/catch.hpp>

namespace apps::http {
namespace {

using Catch::Contains;
using files::DirectoryEntry;

std::vector<DirectoryEntry> hostile_entries() {
  return {{"sub", DirectoryEntry::Kind::Directory, 0, 0},
          {"<script>alert('x')</script>\".txt", DirectoryEntry::Kind::File, 1500, 784111777},
          {"javascript:x", DirectoryEntry::Kind::File, 0, 0},
          {"\xff\xc3\xa4", DirectoryEntry::Kind::File, 1, 0}};
}

TEST_CASE("names in a page are escaped as text and as links", "[apps][http][listing]") {
  const std::string page = to_html("/a<b/", hostile_entries());
  CHECK_THAT(page, Contains("<title>/a&lt;b/</title>"));
  CHECK_THAT(page, !Contains("<script>"));
  CHECK_THAT(page, Contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;.txt"));
  CHECK_THAT(page, Contains("href=\"./%3Cscript%3Ealert%28%27x%27%29%3C/script%3E%22.txt\""));
  CHECK_THAT(page, Contains("href=\"./javascript%3Ax\""));
  CHECK_THAT(page, Contains("href=\"./%FF%C3%A4\""));
  CHECK_THAT(page, Contains("<a href=\"./sub/\">sub/</a>"));
  CHECK_THAT(page, Contains("<td>1.5 kB</td><td>1994-11-06 08:49</td>"));
}

TEST_CASE("only the root has no way up", "[apps][http][listing]") {
  CHECK_THAT(to_html("/", {}), !Contains("../"));
  CHECK_THAT(to_html("/d/", {}), Contains("href=\"../\""));
}

TEST_CASE("a listing in JSON is read back", "[apps][http][listing]") {
  const auto entries = parse_json_listing(to_json(hostile_entries())).value();
  REQUIRE(entries.size() == 4);
  CHECK(entries[0].kind == ListEntry::Kind::Directory);
  CHECK_FALSE(entries[0].size);
  CHECK(entries[1].name == "<script>alert('x')</script>\".txt");
  CHECK(entries[1].size == 1500);
  CHECK(entries[1].modified == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(entries[3].name == "\xef\xbf\xbd\xc3\xa4");
}

TEST_CASE("what is no listing is refused, what is odd in one is passed over",
          "[apps][http][listing]") {
  for (const char* text : {"", "{}", "<html>", "[1", "null"})
    CHECK_FALSE(parse_json_listing(text));
  const auto entries =
      parse_json_listing(R"([1, {}, {"name":"a","size":-1,"type":"pipe"}])").value();
  REQUIRE(entries.size() == 1);
  CHECK(entries[0].kind == ListEntry::Kind::Other);
  CHECK_FALSE(entries[0].size);
}

TEST_CASE("sizes are short and never round up to a thousand", "[apps][http][listing]") {
  CHECK(human_size(0) == "0 B");
  CHECK(human_size(999) == "999 B");
  CHECK(human_size(1000) == "1.0 kB");
  CHECK(human_size(9'949) == "9.9 kB");
  CHECK(human_size(9'960) == "10 kB");
  CHECK(human_size(999'499) == "999 kB");
  CHECK(human_size(999'600) == "1.0 MB");
  CHECK(human_size(~std::uint64_t{0}) == "18 EB");
}

}  // namespace
}  // namespace apps::http
