#pragma once

#include <string>

#include "apps/common/exit_code.hpp"
#include "apps/http/error.hpp"

namespace apps::hawser {

ExitCode exit_code_of(http::ErrorKind kind);
/// Message and remedy, as the reporter says them.
std::string text_of(const http::Error& error);

}  // namespace apps::hawser
