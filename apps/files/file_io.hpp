#pragma once

#include <cstddef>
#include <cstdint>
#include <system_error>

#include "apps/files/result.hpp"

namespace apps::files {

/// Reads until `into` is full or the file ends, and returns how much it was. May wait for the disk.
Result<std::size_t> read_at(int fd, MutableBytes into, std::uint64_t offset);
/// As read_at, but what would have to wait for the disk fails with resource_unavailable_try_again.
Result<std::size_t> read_cached_at(int fd, MutableBytes into, std::uint64_t offset);
/// Writes all of `from`. May wait for the disk.
std::error_code write_at(int fd, Bytes from, std::uint64_t offset);
/// As write_at, at the descriptor's own position: for pipes and terminals.
std::error_code write_all(int fd, Bytes from);
/// Lets the kernel begin to bring these octets to the disk, so that a later fsync is short.
void start_writeback(int fd, std::uint64_t offset, std::size_t length);
/// Octets that an unprivileged user may still store on the file system of `fd`.
Result<std::uint64_t> free_space(int fd);
/// Whether the error says that there is no room left: disk or quota.
bool is_no_space(const std::error_code& error);

}  // namespace apps::files
