#include "apps/files/partial_file.hpp"

#include <cstdio>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace apps::files {
namespace {

constexpr mode_t kFileMode = 0666;  // The umask takes its part.
constexpr int kNameAttempts = 16;

std::string random_name() {
  std::uint64_t random = 0;
  // Up to 256 octets never come short once the system is up (getrandom(2)); a clash is tried again
  // anyway.
  [[maybe_unused]] const ssize_t n = ::getrandom(&random, sizeof random, 0);
  return fmt::format(".hawser-{:016x}.part", random);
}

/// Gives a file without a name one.
bool link_descriptor(int fd, const Place& place, const std::string& name) {
  const std::string self = fmt::format("/proc/self/fd/{}", fd);
  if (::linkat(AT_FDCWD, self.c_str(), place.directory.raw(), name.c_str(), AT_SYMLINK_FOLLOW) ==
      0) {
    return true;
  }
  // Without /proc: needs CAP_DAC_READ_SEARCH.
  return errno == ENOENT &&
         ::linkat(fd, "", place.directory.raw(), name.c_str(), AT_EMPTY_PATH) == 0;
}

/// A directory that may be searched and written but not read cannot be synced; that is its owner's
/// choice.
std::error_code sync_directory(const Place& place) {
  const UniqueFd fd(::openat(place.directory.raw(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return errno == EACCES ? std::error_code{} : last_error();
  if (::fsync(fd.raw()) != 0 && errno != EINVAL) return last_error();
  return {};
}

bool has_no_unnamed_files(int error) {
  return error == EOPNOTSUPP || error == EISDIR || error == ENOENT || error == EINVAL;
}

}  // namespace

Result<PartialFile> PartialFile::create(Place target) {
  const int directory = target.directory.raw();
  UniqueFd unnamed(::openat(directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, kFileMode));
  if (unnamed) return PartialFile(std::move(target), std::move(unnamed), {});
  if (!has_no_unnamed_files(errno)) return Refused(last_error());
  for (int attempt = 0; attempt < kNameAttempts; ++attempt) {
    std::string part = random_name();
    UniqueFd fd(
        ::openat(directory, part.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, kFileMode));
    if (fd) return PartialFile(std::move(target), std::move(fd), std::move(part));
    if (errno != EEXIST) break;
  }
  return Refused(last_error());
}

Result<PartialFile> PartialFile::open_resumable(Place target, std::string part) {
  UniqueFd fd(::openat(target.directory.raw(), part.c_str(),
                       O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, kFileMode));
  if (!fd) return Refused(last_error());
  struct stat info {};
  if (::fstat(fd.raw(), &info) != 0) return Refused(last_error());
  if (!S_ISREG(info.st_mode)) return refused(std::errc::file_exists);
  return PartialFile(std::move(target), std::move(fd), std::move(part));
}

PartialFile::PartialFile(PartialFile&& other) noexcept
    : target_(std::move(other.target_)),
      fd_(std::move(other.fd_)),
      part_(std::exchange(other.part_, {})) {}

PartialFile::~PartialFile() {
  if (!part_.empty()) ::unlinkat(target_.directory.raw(), part_.c_str(), 0);
}

Result<std::uint64_t> PartialFile::size() const {
  struct stat info {};
  if (::fstat(fd_.raw(), &info) != 0) return Refused(last_error());
  return static_cast<std::uint64_t>(info.st_size);
}

std::error_code PartialFile::truncate(std::uint64_t size) {
  if (::ftruncate(fd_.raw(), static_cast<off_t>(size)) != 0) return last_error();
  return {};
}

Result<PartialFile::Committed> PartialFile::commit(Durability durability) {
  // The octets first: a name must never lead to a file that a power cut has emptied.
  if (durability == Durability::Synced && ::fsync(fd_.raw()) != 0) return Refused(last_error());
  Result<Committed> committed = Committed::Created;
  if (!part_.empty()) {
    committed = rename_part();
  } else if (!link_descriptor(fd_.raw(), target_, target_.name)) {
    // A link never replaces: what has the name already is replaced by a rename.
    if (errno != EEXIST) return Refused(last_error());
    std::string part = random_name();
    if (!link_descriptor(fd_.raw(), target_, part)) return Refused(last_error());
    part_ = std::move(part);
    committed = rename_part();
  }
  if (!committed || durability == Durability::None) return committed;
  if (const auto error = sync_directory(target_)) return Refused(error);
  return committed;
}

Result<PartialFile::Committed> PartialFile::rename_part() {
  const int directory = target_.directory.raw();
  const bool existed = ::faccessat(directory, target_.name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
  if (::renameat(directory, part_.c_str(), directory, target_.name.c_str()) != 0) {
    return Refused(last_error());
  }
  part_.clear();
  return existed ? Committed::Replaced : Committed::Created;
}

}  // namespace apps::files
