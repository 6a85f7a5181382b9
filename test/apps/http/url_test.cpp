#include "apps/http/url.hpp"

#include <string>

#include <catch2/catch.hpp>

namespace apps::http {
namespace {

std::string round_trip(std::string_view text) { return to_string(parse_url(text).value()); }

TEST_CASE("a URL gives host, port and target", "[apps][http][url]") {
  const Url url = parse_url("http://b.example:8080/dir/a%20b?x=1").value();
  CHECK(url.host == "b.example");
  CHECK(url.port == 8080);
  CHECK(url.target == "/dir/a%20b?x=1");
}

TEST_CASE("what a URL leaves out has its usual value", "[apps][http][url]") {
  CHECK(parse_url("http://10.9.0.2").value() == Url{"10.9.0.2", 80, "/"});
  CHECK(parse_url("10.9.0.2:8080/f").value() == Url{"10.9.0.2", 8080, "/f"});
  CHECK(parse_url("http://h:/f").value() == Url{"h", 80, "/f"});
  CHECK(parse_url("http://h?q").value() == Url{"h", 80, "/?q"});
  CHECK(parse_url("http://h/f#part").value() == Url{"h", 80, "/f"});
}

TEST_CASE("an IPv6 host loses its brackets and gets them back", "[apps][http][url]") {
  const Url url = parse_url("http://[fd00:9::1]:8080/f").value();
  CHECK(url.host == "fd00:9::1");
  CHECK(to_string(url) == "http://[fd00:9::1]:8080/f");
  CHECK(authority_of(url) == "[fd00:9::1]:8080");
  CHECK(round_trip("http://[fd00:9::1]/f") == "http://[fd00:9::1]/f");
}

TEST_CASE("what is no http URL is refused with a reason", "[apps][http][url]") {
  const char* text =
      GENERATE("", "http://", "http:///f", "https://h/", "ftp://h/", "http://u:p@h/",
               "http://h:99999/", "http://h:0/", "http://h/a b", "http://h/%zz", "http://[::1/");
  const auto url = parse_url(text);
  INFO(text);
  REQUIRE_FALSE(url);
  CHECK(url.error().kind == ErrorKind::Url);
  CHECK_FALSE(url.error().message.empty());
}

TEST_CASE("a redirect is resolved against where it was met", "[apps][http][url][rfc3986-5]") {
  const Url base = parse_url("http://h:8080/a/b?q").value();
  CHECK(to_string(resolve(base, "/x/").value()) == "http://h:8080/x/");
  CHECK(to_string(resolve(base, "b/").value()) == "http://h:8080/a/b/");
  CHECK(to_string(resolve(base, "../c").value()) == "http://h:8080/c");
  CHECK(to_string(resolve(base, "//g/c").value()) == "http://g/c");
  CHECK(to_string(resolve(base, "http://h/").value()) == "http://h/");
  CHECK_FALSE(resolve(base, "http://["));
  CHECK_FALSE(resolve(base, "mailto:x"));
}

TEST_CASE("a file name comes out of the last segment, decoded", "[apps][http][url]") {
  CHECK(file_name_of({"h", 80, "/d/a%20b.iso?v=1/2"}) == "a b.iso");
  const char* unsafe = GENERATE("/", "/d/", "/d/..", "/d/%2e%2e", "/d/a%2Fb", "/d/a%00", "/d/%");
  CHECK(file_name_of({"h", 80, unsafe}).empty());
}

TEST_CASE("a child's name is encoded, slashes and all", "[apps][http][url]") {
  const Url dir{"h", 80, "/d/?x"};
  CHECK(child_of(dir, "a b#?%.iso").target == "/d/a%20b%23%3F%25.iso");
  CHECK(child_of(dir, "../x").target == "/d/..%2Fx");
  CHECK(file_name_of(child_of(dir, "\xc3\xa4 +&")) == "\xc3\xa4 +&");
}

TEST_CASE("a request target is decoded once", "[apps][http][url]") {
  CHECK(parse_request_target("/a%20b%2525?x=%20").value().path == "/a b%25");
  CHECK(parse_request_target("/a%20b?x=%20").value().query == "x=%20");
  CHECK(parse_request_target("http://h:1/p?q").value().path == "/p");
  CHECK(parse_request_target("http://h").value().path == "/");
  CHECK(parse_request_target("/http://h").value().path == "/http://h");
}

TEST_CASE("a request target that is no path is refused", "[apps][http][url]") {
  const char* target = GENERATE("", "*", "a", "/%", "/%4", "/%4g", "/a%00b", "h:80");
  CHECK_FALSE(parse_request_target(target));
}

}  // namespace
}  // namespace apps::http
