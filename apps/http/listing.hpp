#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apps/files/root.hpp"
#include "apps/http/client.hpp"

namespace apps::http {

/// A page for browsers; also what `wget -r` and other readers of directory pages follow. `path` is
/// decoded.
std::string to_html(std::string_view path, const std::vector<files::DirectoryEntry>& entries);
/// An array of {name, type, mtime, size}: the same as nginx' autoindex_format json, so that one
/// client reads both.
std::string to_json(const std::vector<files::DirectoryEntry>& entries);
Outcome<std::vector<ListEntry>> parse_json_listing(std::string_view text);

/// Text with what HTML gives a meaning to replaced.
std::string escape_html(std::string_view text);
/// "1.4 MB": for people.
std::string human_size(std::uint64_t octets);

}  // namespace apps::http
