#pragma once

#include <optional>
#include <variant>

#include "dataplane/wire/tcp_header.hpp"
#include "mptcp/wire/option.hpp"

namespace mptcp {

/// The first option of a type in a segment's raw ones.
template <class T>
std::optional<T> find_option(const dataplane::wire::TcpHeader& header) {
  OptionReader reader(header.options.mptcp);
  while (const auto next = reader.next())
    if (*next)
      if (const T* found = std::get_if<T>(&**next)) return *found;
  return std::nullopt;
}

}  // namespace mptcp
