#include "apps/files/root.hpp"

#include <array>
#include <filesystem>
#include <string>
#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "apps/files/file_io.hpp"
#include "test/apps/files/scratch.hpp"

namespace apps::files {
namespace {

/// A root with a secret beside it.
struct Fixture {
  std::string text(std::string_view path) const {
    const auto file = root.open_file(path);
    if (!file) return file.error().message();
    std::array<std::byte, 64> buffer{};
    const auto n = read_at(file->fd.raw(), buffer, 0);
    return {static_cast<const char*>(static_cast<const void*>(buffer.data())), n.value()};
  }

  static Root prepare(const Scratch& outside) {
    std::filesystem::create_directories(outside.path("root/sub"));
    outside.write("secret", "secret");
    outside.write("root/a b", "inside");
    outside.write("root/sub/deep", "deep");
    outside.write("root/.hidden", "hidden");
    std::filesystem::create_symlink("sub/deep", outside.path("root/within"));
    std::filesystem::create_symlink("../secret", outside.path("root/up"));
    std::filesystem::create_symlink(outside.path("secret"), outside.path("root/absolute"));
    std::filesystem::create_symlink("/proc/self/root", outside.path("root/magic"));
    std::filesystem::create_symlink("loop", outside.path("root/loop"));
    REQUIRE(::mkfifo(outside.path("root/fifo").c_str(), 0600) == 0);
    return Root::open(outside.path("root")).value();
  }

  Scratch outside;
  Root root = prepare(outside);
};

TEST_CASE("paths lead to files beneath the root", "[apps][files][root]") {
  const Fixture fixture;
  CHECK(fixture.text("/a b") == "inside");
  CHECK(fixture.text("a b") == "inside");
  CHECK(fixture.text("//sub/.//deep") == "deep");
  CHECK(fixture.text("/within") == "deep");
  CHECK(fixture.root.open_file("/").value().is_directory());
  CHECK(fixture.root.open_file("").value().is_directory());
  CHECK(fixture.root.open_file("/sub/").value().is_directory());
}

TEST_CASE("nothing outside the root can be reached", "[apps][files][root]") {
  const Fixture fixture;
  const char* path =
      GENERATE("..", "/..", "/../secret", "../secret", "/sub/../../secret", "/sub/../a b", "/up",
               "/absolute", "/magic", "/magic/etc/passwd", "//../secret", "/./../secret");
  INFO(path);
  CHECK(fixture.root.open_file(path).error() == std::errc::cross_device_link);
  CHECK(fixture.root.list(path).error() == std::errc::cross_device_link);
  CHECK_FALSE(fixture.root.place_of(std::string(path) + "/x"));
}

TEST_CASE("a path that names nothing says why", "[apps][files][root]") {
  const Fixture fixture;
  CHECK(fixture.root.open_file("/nope").error() == std::errc::no_such_file_or_directory);
  CHECK(fixture.root.open_file("/a b/").error() == std::errc::not_a_directory);
  CHECK(fixture.root.open_file("/a b/x").error() == std::errc::not_a_directory);
  CHECK(fixture.root.open_file("/loop").error() == std::errc::too_many_symbolic_link_levels);
  CHECK(fixture.root.open_file(std::string("/a\0b", 4)).error() == std::errc::invalid_argument);
  CHECK(fixture.root.open_file(std::string(256, 'a')).error() == std::errc::filename_too_long);
  CHECK(fixture.root.open_file(std::string(5000, 'a')).error() == std::errc::filename_too_long);
}

TEST_CASE("a FIFO is opened without waiting", "[apps][files][root]") {
  const Fixture fixture;
  const auto fifo = fixture.root.open_file("/fifo");
  REQUIRE(fifo);
  CHECK_FALSE(fifo->is_regular());
}

TEST_CASE("a place to store is a directory and a name", "[apps][files][root]") {
  const Fixture fixture;
  CHECK(fixture.root.place_of("/new").value().name == "new");
  CHECK(fixture.root.place_of("/sub/new").value().name == "new");
  CHECK(fixture.root.place_of("/").error() == std::errc::is_a_directory);
  CHECK(fixture.root.place_of("/sub/").error() == std::errc::is_a_directory);
  CHECK(fixture.root.place_of("/sub/.").error() == std::errc::is_a_directory);
  CHECK(fixture.root.place_of("/sub/..").error() == std::errc::cross_device_link);
  CHECK(fixture.root.place_of("/none/new").error() == std::errc::no_such_file_or_directory);
  CHECK(fixture.root.place_of(std::string(256, 'a')).error() == std::errc::filename_too_long);
  CHECK(fixture.root.place_of(std::string(255, 'a')));
}

TEST_CASE("a listing has directories first and nothing hidden or outside", "[apps][files][root]") {
  const Fixture fixture;
  const auto entries = fixture.root.list("/").value();
  std::string names;
  for (const DirectoryEntry& entry : entries)
    names += entry.name + "|";
  CHECK(names == "sub|a b|fifo|within|");
  CHECK(entries.at(1).size == 6);
  CHECK(entries.at(2).kind == DirectoryEntry::Kind::Other);
  CHECK(entries.at(3).size == 4);
  CHECK(fixture.root.list("/a b").error() == std::errc::not_a_directory);
}

}  // namespace
}  // namespace apps::files
