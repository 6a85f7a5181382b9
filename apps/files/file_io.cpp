#include "apps/files/file_io.hpp"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

namespace apps::files {
namespace {

Result<std::size_t> read_loop(int fd, MutableBytes into, std::uint64_t offset, int flags) {
  std::size_t done = 0;
  while (done < into.size()) {
    const iovec part{into.data() + done, into.size() - done};
    const ssize_t n = ::preadv2(fd, &part, 1, static_cast<off_t>(offset + done), flags);
    if (n < 0 && errno == EINTR) continue;
    // What is there already is worth returning: the next call meets the error again.
    if (n < 0 && done == 0) return Refused(last_error());
    if (n <= 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

}  // namespace

Result<std::size_t> read_at(int fd, MutableBytes into, std::uint64_t offset) {
  return read_loop(fd, into, offset, 0);
}

Result<std::size_t> read_cached_at(int fd, MutableBytes into, std::uint64_t offset) {
  auto read = read_loop(fd, into, offset, RWF_NOWAIT);
  // File systems that cannot promise not to wait say so: the caller's way on is the same.
  if (!read && read.error() == std::errc::operation_not_supported) {
    return refused(std::errc::resource_unavailable_try_again);
  }
  return read;
}

std::error_code write_at(int fd, Bytes from, std::uint64_t offset) {
  while (!from.empty()) {
    const ssize_t n = ::pwrite(fd, from.data(), from.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return last_error();
    from = from.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

std::error_code write_all(int fd, Bytes from) {
  while (!from.empty()) {
    const ssize_t n = ::write(fd, from.data(), from.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return last_error();
    from = from.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

void start_writeback(int fd, std::uint64_t offset, std::size_t length) {
  // Advice: where it is not supported, the fsync just has more to do.
  ::sync_file_range(fd, static_cast<off_t>(offset), static_cast<off_t>(length),
                    SYNC_FILE_RANGE_WRITE);
}

Result<std::uint64_t> free_space(int fd) {
  struct statvfs info {};
  if (::fstatvfs(fd, &info) != 0) return Refused(last_error());
  return std::uint64_t{info.f_bavail} * info.f_frsize;
}

bool is_no_space(const std::error_code& error) {
  return error == std::errc::no_space_on_device || error.value() == EDQUOT;
}

}  // namespace apps::files
