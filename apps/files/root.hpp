#pragma once

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <vector>

#include "apps/files/result.hpp"
#include "apps/files/unique_fd.hpp"

namespace apps::files {

/// An open file and what it was when it was opened.
struct OpenFile {
  UniqueFd fd;
  struct stat info {};

  bool is_directory() const { return S_ISDIR(info.st_mode); }
  bool is_regular() const { return S_ISREG(info.st_mode); }
  std::uint64_t size() const { return static_cast<std::uint64_t>(info.st_size); }
};

/// A directory, and a name in it that may or may not exist.
struct Place {
  UniqueFd directory;
  std::string name;
};

struct DirectoryEntry {
  enum class Kind : std::uint8_t { File, Directory, Other };
  std::string name;
  Kind kind = Kind::File;
  std::uint64_t size = 0;
  std::time_t modified = 0;
};

/// A directory beneath which paths are resolved by openat2(2). The kernel itself refuses what leads
/// out of it, by "..", symbolic links or /proc, with cross_device_link. Paths are decoded,
/// separated by slashes, and taken from the root whether or not they begin with a slash.
class Root {
 public:
  static Result<Root> open(const std::string& directory);

  /// For reading. Never waits for the other end of a FIFO.
  Result<OpenFile> open_file(std::string_view path) const;
  /// Where a file of this path would be stored. Its directory must exist; is_a_directory if the
  /// path ends with a slash.
  Result<Place> place_of(std::string_view path) const;
  /// What is in a directory, directories first, by name. Names that begin with a dot are left out,
  /// and so are links that lead out of the root.
  Result<std::vector<DirectoryEntry>> list(std::string_view path) const;

 private:
  explicit Root(UniqueFd fd) : fd_(std::move(fd)) {}
  Result<UniqueFd> resolve(std::string_view path, int flags) const;

  UniqueFd fd_;
};

/// Opens the directory that holds `path`, wherever that is: for the files of the one who runs the
/// command.
Result<Place> local_place_of(const std::string& path);

}  // namespace apps::files
