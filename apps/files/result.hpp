#pragma once

#include <cerrno>
#include <cstddef>
#include <span>
#include <system_error>
#include <tl/expected.hpp>

namespace apps::files {

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

/// What the system answers: errno values in std::generic_category().
template <class T>
using Result = tl::expected<T, std::error_code>;
using Refused = tl::unexpected<std::error_code>;

inline std::error_code last_error() { return {errno, std::generic_category()}; }
inline Refused refused(std::errc reason) { return Refused(std::make_error_code(reason)); }

}  // namespace apps::files
