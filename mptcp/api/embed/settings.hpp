#pragma once

#include <span>
#include <string>
#include <string_view>

#include "mptcp/api/embed/node.hpp"

namespace mptcp::api::embed {

/// `set NAME VALUE` without its first word: 0 or -EINVAL.
int set_setting(Node& node, std::span<const std::string_view> words);
/// `show` or `show NAME`: 0 and "NAME VALUE" lines, or -EINVAL.
int show_settings(const Node& node, std::span<const std::string_view> words, std::string& answer);

}  // namespace mptcp::api::embed
