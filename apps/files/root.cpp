#include "apps/files/root.hpp"

#include <algorithm>
#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <memory>
#include <optional>
#include <sys/syscall.h>
#include <tuple>

namespace apps::files {
namespace {

/// openat2 asks for another try when a rename raced with a "..": this often.
constexpr int kResolveAttempts = 8;

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

/// What the kernel would refuse later, and what it would take for a different path than the one
/// that was asked for.
std::optional<std::errc> why_refused(std::string_view path) {
  if (path.find('\0') != std::string_view::npos) return std::errc::invalid_argument;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    if (path.substr(0, slash) == "..") return std::errc::cross_device_link;
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return std::nullopt;
}

std::string relative(std::string_view path) {
  path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
  return path.empty() ? std::string(".") : std::string(path);
}

DirectoryEntry::Kind kind_of(mode_t mode) {
  if (S_ISREG(mode)) return DirectoryEntry::Kind::File;
  if (S_ISDIR(mode)) return DirectoryEntry::Kind::Directory;
  return DirectoryEntry::Kind::Other;
}

}  // namespace

Result<Root> Root::open(const std::string& directory) {
  UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return Refused(last_error());
  Root root(std::move(fd));
  // Fails here, and not with each request, on a kernel before 5.6.
  if (auto self = root.resolve(".", O_PATH); !self) return Refused(self.error());
  return root;
}

Result<UniqueFd> Root::resolve(std::string_view path, int flags) const {
  if (const auto reason = why_refused(path)) return refused(*reason);
  const std::string name = relative(path);
  open_how how{};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  for (int attempt = 0; attempt < kResolveAttempts; ++attempt) {
    const long fd = ::syscall(SYS_openat2, fd_.raw(), name.c_str(), &how, sizeof how);
    if (fd >= 0) return UniqueFd(static_cast<int>(fd));
    if (errno != EAGAIN && errno != EINTR) break;
  }
  return Refused(last_error());
}

Result<OpenFile> Root::open_file(std::string_view path) const {
  auto fd = resolve(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!fd) return Refused(fd.error());
  OpenFile file{std::move(*fd), {}};
  if (::fstat(file.fd.raw(), &file.info) != 0) return Refused(last_error());
  // "name/" is not a file (POSIX would say so only for some calls).
  if (path.ends_with('/') && !file.is_directory()) return refused(std::errc::not_a_directory);
  return file;
}

Result<Place> Root::place_of(std::string_view path) const {
  const std::size_t slash = path.rfind('/');
  const std::string_view parent = slash == std::string_view::npos ? "" : path.substr(0, slash);
  const std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  if (name.empty() || name == ".") return refused(std::errc::is_a_directory);
  if (const auto reason = why_refused(name)) return refused(*reason);
  if (name.size() > NAME_MAX) return refused(std::errc::filename_too_long);
  auto directory = resolve(parent, O_PATH | O_DIRECTORY);
  if (!directory) return Refused(directory.error());
  return Place{std::move(*directory), std::string(name)};
}

Result<std::vector<DirectoryEntry>> Root::list(std::string_view path) const {
  auto fd = resolve(path, O_RDONLY | O_DIRECTORY);
  if (!fd) return Refused(fd.error());
  // readdir owns its descriptor; ours stays for the look at each entry.
  const int copy = ::fcntl(fd->raw(), F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return Refused(last_error());
  const std::unique_ptr<DIR, CloseDir> dir(::fdopendir(copy));
  if (!dir) return Refused(last_error());

  std::vector<DirectoryEntry> entries;
  // Each call has its own stream, so that readdir is safe here.
  while (const dirent* found = ::readdir(dir.get())) {  // NOLINT(concurrency-mt-unsafe)
    const std::string_view name = static_cast<const char*>(found->d_name);
    if (name.starts_with('.')) continue;
    struct stat info {};
    if (::fstatat(fd->raw(), found->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (S_ISLNK(info.st_mode)) {
      const auto target = resolve(std::string(path) + "/" + std::string(name), O_PATH);
      if (!target || ::fstat(target->raw(), &info) != 0) continue;
    }
    entries.push_back({std::string(name), kind_of(info.st_mode),
                       static_cast<std::uint64_t>(info.st_size), info.st_mtim.tv_sec});
  }
  std::ranges::sort(entries, {}, [](const DirectoryEntry& entry) {
    return std::tuple(entry.kind != DirectoryEntry::Kind::Directory, std::string_view(entry.name));
  });
  return entries;
}

Result<Place> local_place_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  if (name.empty() || name == "." || name == "..") return refused(std::errc::is_a_directory);
  if (name.size() > NAME_MAX) return refused(std::errc::filename_too_long);
  UniqueFd directory(::open(parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return Refused(last_error());
  return Place{std::move(directory), std::move(name)};
}

}  // namespace apps::files
