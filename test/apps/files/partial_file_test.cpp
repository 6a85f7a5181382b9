#include "apps/files/partial_file.hpp"

#include <filesystem>
#include <string>

#include <catch2/catch.hpp>

#include "apps/files/file_io.hpp"
#include "test/apps/files/scratch.hpp"

namespace apps::files {
namespace {

using Durability = PartialFile::Durability;
using Committed = PartialFile::Committed;

Bytes octets(std::string_view text) { return std::as_bytes(std::span(text)); }

PartialFile create(const Scratch& scratch, const std::string& name) {
  return PartialFile::create(local_place_of(scratch.path(name)).value()).value();
}
PartialFile resume(const Scratch& scratch, const std::string& name, const std::string& tag) {
  return PartialFile::open_resumable(local_place_of(scratch.path(name)).value(),
                                     part_name(name, tag))
      .value();
}

TEST_CASE("a file has no name until it is committed", "[apps][files][partial]") {
  const Scratch scratch;
  const auto durability = GENERATE(Durability::None, Durability::Synced);
  {
    PartialFile file = create(scratch, "f");
    CHECK_FALSE(write_at(file.fd(), octets("whole"), 0));
    CHECK(scratch.entry_count() == 0);
    CHECK(file.commit(durability).value() == Committed::Created);
  }
  CHECK(scratch.read("f") == "whole");
  CHECK(scratch.entry_count() == 1);
}

TEST_CASE("a commit replaces what had the name", "[apps][files][partial]") {
  const Scratch scratch;
  scratch.write("f", "old");
  PartialFile file = create(scratch, "f");
  CHECK_FALSE(write_at(file.fd(), octets("new"), 0));
  CHECK(scratch.read("f") == "old");
  CHECK(file.commit(Durability::Synced).value() == Committed::Replaced);
  CHECK(scratch.read("f") == "new");
  CHECK(scratch.entry_count() == 1);
}

TEST_CASE("what is not committed leaves nothing", "[apps][files][partial]") {
  const Scratch scratch;
  { const PartialFile file = create(scratch, "f"); }
  { const PartialFile file = resume(scratch, "f", "tag"); }
  CHECK(scratch.entry_count() == 0);
}

TEST_CASE("a name that a directory has is refused and nothing is left", "[apps][files][partial]") {
  const Scratch scratch;
  std::filesystem::create_directory(scratch.path("d"));
  {
    PartialFile file = create(scratch, "d");
    CHECK(file.commit(Durability::None).error() == std::errc::is_a_directory);
  }
  CHECK(scratch.entry_count() == 1);
}

TEST_CASE("a kept part is found and goes on", "[apps][files][partial]") {
  const Scratch scratch;
  {
    PartialFile file = resume(scratch, "f", "tag");
    CHECK_FALSE(write_at(file.fd(), octets("half"), 0));
    file.keep();
  }
  const auto parts = find_parts(local_place_of(scratch.path("f")).value());
  REQUIRE(parts.size() == 1);
  CHECK(parts.front() == part_name("f", "tag"));
  CHECK(parts.front() != part_name("f", "other"));
  CHECK(find_parts(local_place_of(scratch.path("g")).value()).empty());
  PartialFile file = resume(scratch, "f", "tag");
  CHECK(file.size().value() == 4);
  CHECK_FALSE(write_at(file.fd(), octets("+rest"), 4));
  CHECK(file.commit(Durability::Synced).value() == Committed::Created);
  CHECK(scratch.read("f") == "half+rest");
  CHECK(scratch.entry_count() == 1);
}

TEST_CASE("a part is written by one at a time", "[apps][files][partial]") {
  const Scratch scratch;
  const PartialFile first = resume(scratch, "f", "tag");
  const auto second =
      PartialFile::open_resumable(local_place_of(scratch.path("f")).value(), part_name("f", "tag"));
  CHECK(second.error() == std::errc::resource_unavailable_try_again);
}

TEST_CASE("a part's name is never too long", "[apps][files][partial]") {
  CHECK(part_name(std::string(255, 'a'), "tag").size() <= 255);
}

}  // namespace
}  // namespace apps::files
