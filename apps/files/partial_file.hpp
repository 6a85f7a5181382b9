#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apps/files/result.hpp"
#include "apps/files/root.hpp"
#include "apps/files/unique_fd.hpp"

namespace apps::files {

/// A file that is being written and gets its name only when it is whole. Until then it has no name
/// at all (O_TMPFILE), so that not even a crash leaves anything, or a hidden name beside the target
/// where the file system cannot do that. What is not committed is gone with the object.
class PartialFile {
 public:
  static Result<PartialFile> create(Place target);
  /// For a transfer that may go on later: has the hidden name `part` beside the target from the
  /// start, and keeps what an earlier attempt left there. resource_unavailable_try_again if
  /// somebody else is writing it.
  static Result<PartialFile> open_resumable(Place target, std::string part);

  PartialFile(PartialFile&& other) noexcept;
  PartialFile& operator=(PartialFile&&) = delete;
  ~PartialFile();

  int fd() const { return fd_.raw(); }
  /// Octets that are there.
  Result<std::uint64_t> size() const;
  std::error_code truncate(std::uint64_t size);

  enum class Durability : std::uint8_t { None, Synced };
  enum class Committed : std::uint8_t { Created, Replaced };
  /// Gives the file its name, at once and as a whole, in place of what had it before. Synced: file
  /// and directory are on the disk when it returns. Waits for the disk.
  Result<Committed> commit(Durability durability);
  /// Leaves a resumable file under its hidden name.
  void keep() { part_.clear(); }

 private:
  PartialFile(Place target, UniqueFd fd, std::string part)
      : target_(std::move(target)), fd_(std::move(fd)), part_(std::move(part)) {}
  Result<Committed> rename_part();

  Place target_;
  UniqueFd fd_;
  std::string part_;  ///< The hidden name; empty: none.
};

/// The hidden name of a part of the file `name` in the state that `tag` names; always short enough.
std::string part_name(std::string_view name, std::string_view tag);
/// The names of all parts of this file, of whatever state, that earlier attempts have left.
std::vector<std::string> find_parts(const Place& target);

}  // namespace apps::files
