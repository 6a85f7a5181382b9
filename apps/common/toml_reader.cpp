#include "apps/common/toml_reader.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "apps/common/units.hpp"

namespace apps {

namespace {

std::string_view name_of(toml::node_type type) {
  switch (type) {
    case toml::node_type::none:
      return "nothing";
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a number with a fraction";
    case toml::node_type::boolean:
      return "a boolean";
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time:
      return "a date or time";
  }
  return "something else";
}

std::uint32_t line_of(const toml::node& node) { return node.source().begin.line; }

std::string format_bound(dataplane::Duration duration) {
  return duration == dataplane::Duration{0} ? std::string("0") : format_short(duration);
}

}  // namespace

void Report::error(std::uint32_t line, std::string message, std::string remedy) {
  diagnostics_.push_back(
      {Diagnostic::Severity::Error, file_, line, std::move(message), std::move(remedy)});
  ++errors_;
}

void Report::note(std::uint32_t line, std::string message, std::string remedy) {
  diagnostics_.push_back(
      {Diagnostic::Severity::Note, file_, line, std::move(message), std::move(remedy)});
}

std::vector<Diagnostic> Report::take() {
  std::ranges::stable_sort(diagnostics_, {}, &Diagnostic::line);
  return std::exchange(diagnostics_, {});
}

const toml::node* TableReader::take(std::string_view key) {
  known_.emplace_back(key);
  return table_.get(key);
}

void TableReader::wrong_type(std::string_view key, const toml::node& node,
                             std::string_view expected) {
  report_.error(line_of(node), fmt::format("{} of {} must be {}, not {}", key, name_, expected,
                                           name_of(node.type())));
}

std::optional<Located<std::string>> TableReader::text(std::string_view key,
                                                      std::string_view example) {
  const toml::node* node = take(key);
  if (node == nullptr) return std::nullopt;
  if (const auto* value = node->as_string())
    return Located<std::string>{value->get(), line_of(*node)};
  wrong_type(key, *node, fmt::format("a string such as \"{}\"", example));
  return std::nullopt;
}

std::optional<Located<bool>> TableReader::flag(std::string_view key) {
  const toml::node* node = take(key);
  if (node == nullptr) return std::nullopt;
  if (const auto* value = node->as_boolean()) return Located<bool>{value->get(), line_of(*node)};
  wrong_type(key, *node, "true or false");
  return std::nullopt;
}

std::optional<Located<std::int64_t>> TableReader::integer(std::string_view key, std::int64_t low,
                                                          std::int64_t high) {
  const toml::node* node = take(key);
  if (node == nullptr) return std::nullopt;
  const auto* value = node->as_integer();
  if (value == nullptr) {
    wrong_type(key, *node, fmt::format("an integer from {} to {}", low, high));
    return std::nullopt;
  }
  if (value->get() < low || value->get() > high) {
    report_.error(line_of(*node), fmt::format("{} of {} is {}; it must lie from {} to {}", key,
                                              name_, value->get(), low, high));
    return std::nullopt;
  }
  return Located<std::int64_t>{value->get(), line_of(*node)};
}

std::optional<Located<std::uint64_t>> TableReader::size(std::string_view key, std::uint64_t low,
                                                        std::uint64_t high) {
  const toml::node* node = take(key);
  if (node == nullptr) return std::nullopt;
  std::optional<std::uint64_t> octets;
  if (const auto* count = node->as_integer(); count != nullptr && count->get() >= 0)
    octets = static_cast<std::uint64_t>(count->get());
  if (const auto* text = node->as_string()) octets = parse_size(text->get());
  if (!octets) {
    report_.error(line_of(*node), fmt::format("{} of {} is not a size", key, name_),
                  "Write octets as a number, or a string such as \"512MiB\" or \"64KiB\".");
    return std::nullopt;
  }
  if (*octets < low || *octets > high) {
    report_.error(line_of(*node),
                  fmt::format("{} of {} is {}; it must lie from {} to {}", key, name_,
                              format_size(*octets), format_size(low), format_size(high)));
    return std::nullopt;
  }
  return Located<std::uint64_t>{*octets, line_of(*node)};
}

std::optional<Located<dataplane::Duration>> TableReader::duration(std::string_view key,
                                                                  dataplane::Duration low,
                                                                  dataplane::Duration high) {
  const toml::node* node = take(key);
  if (node == nullptr) return std::nullopt;
  std::optional<dataplane::Duration> time;
  if (const auto* text = node->as_string()) time = parse_duration(text->get());
  if (!time) {
    report_.error(line_of(*node), fmt::format("{} of {} is not a time", key, name_),
                  "Write a string with a unit, such as \"200ms\", \"1s\" or \"2min\".");
    return std::nullopt;
  }
  if (*time < low || *time > high) {
    report_.error(line_of(*node),
                  fmt::format("{} of {} is {}; it must lie from {} to {}", key, name_,
                              format_bound(*time), format_bound(low), format_bound(high)));
    return std::nullopt;
  }
  return Located<dataplane::Duration>{*time, line_of(*node)};
}

std::optional<Located<std::string>> TableReader::word(std::string_view key,
                                                      const std::vector<std::string>& words) {
  const std::optional<Located<std::string>> value = text(key, words.front());
  if (!value) return std::nullopt;
  if (std::ranges::find(words, value->value) != words.end()) return value;
  const std::string near = nearest_name(value->value, words);
  report_.error(
      value->line, fmt::format("{} of {} cannot be \"{}\"", key, name_, value->value),
      fmt::format("{}It is one of {}.",
                  near.empty() ? std::string{} : fmt::format("Did you mean \"{}\"? ", near),
                  fmt::join(words, ", ")));
  return std::nullopt;
}

std::optional<std::vector<Located<std::string>>> TableReader::texts(std::string_view key,
                                                                    std::string_view example) {
  const toml::node* node = take(key);
  if (node == nullptr) return std::nullopt;
  if (const auto* value = node->as_string())
    return std::vector{Located<std::string>{value->get(), line_of(*node)}};
  const toml::array* array = node->as_array();
  if (array == nullptr) {
    wrong_type(key, *node, fmt::format("a string such as \"{}\", or an array of them", example));
    return std::nullopt;
  }
  std::vector<Located<std::string>> values;
  for (const toml::node& element : *array) {
    if (const auto* value = element.as_string())
      values.push_back({value->get(), line_of(element)});
    else
      wrong_type(key, element, fmt::format("an array of strings such as \"{}\"", example));
  }
  return values;
}

std::optional<std::vector<Located<std::int64_t>>> TableReader::integers(std::string_view key,
                                                                        std::int64_t low,
                                                                        std::int64_t high) {
  const toml::node* node = take(key);
  if (node == nullptr) return std::nullopt;
  const toml::array* array = node->as_array();
  if (array == nullptr) {
    wrong_type(key, *node, "an array of integers such as [0, 1]");
    return std::nullopt;
  }
  std::vector<Located<std::int64_t>> values;
  for (const toml::node& element : *array) {
    const auto* value = element.as_integer();
    if (value == nullptr)
      wrong_type(key, element, "an array of integers such as [0, 1]");
    else if (value->get() < low || value->get() > high)
      report_.error(line_of(element), fmt::format("{} of {} has {}; it must lie from {} to {}", key,
                                                  name_, value->get(), low, high));
    else
      values.push_back({value->get(), line_of(element)});
  }
  return values;
}

void TableReader::finish() {
  for (const auto& [key, node] : table_) {
    const std::string name(key.str());
    if (std::ranges::find(known_, name) != known_.end()) continue;
    const std::string near = nearest_name(name, known_);
    report_.error(key.source().begin.line, fmt::format("unknown key \"{}\" in {}", name, name_),
                  near.empty() ? fmt::format("The keys are {}.", fmt::join(known_, ", "))
                               : fmt::format("Did you mean \"{}\"?", near));
  }
}

}  // namespace apps
