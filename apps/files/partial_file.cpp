#include "apps/files/partial_file.hpp"

#include <cstdio>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "apps/files/sha256.hpp"

namespace apps::files {
namespace {

constexpr mode_t kFileMode = 0666;  // The umask takes its part.
constexpr int kNameAttempts = 16;
/// Leaves room in NAME_MAX for the rest of a part's name.
constexpr std::size_t kMaxNameInPart = 200;
constexpr std::size_t kTagDigits = 16;
constexpr std::string_view kPartSuffix = ".part";

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

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

std::string part_prefix(std::string_view name) {
  return fmt::format(".{}.", name.substr(0, kMaxNameInPart));
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
  if (::flock(fd.raw(), LOCK_EX | LOCK_NB) != 0) return Refused(last_error());
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

std::string part_name(std::string_view name, std::string_view tag) {
  Sha256 hash;
  hash.update(std::as_bytes(std::span(tag)));
  return part_prefix(name) + to_hex(hash.finish()).substr(0, kTagDigits) + std::string(kPartSuffix);
}

std::vector<std::string> find_parts(const Place& target) {
  std::vector<std::string> parts;
  const int copy = ::openat(target.directory.raw(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, CloseDir> dir(copy >= 0 ? ::fdopendir(copy) : nullptr);
  const std::string prefix = part_prefix(target.name);
  // Each call has its own stream, so that readdir is safe here.
  while (const dirent* found =
             dir ? ::readdir(dir.get()) : nullptr) {  // NOLINT(concurrency-mt-unsafe)
    const std::string_view name = static_cast<const char*>(found->d_name);
    const bool fits = name.starts_with(prefix) && name.ends_with(kPartSuffix) &&
                      name.size() == prefix.size() + kTagDigits + kPartSuffix.size();
    if (fits) parts.emplace_back(name);
  }
  return parts;
}

}  // namespace apps::files
