#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <toml++/toml.h>
#include <vector>

#include "apps/common/diagnostic.hpp"
#include "dataplane/base/time.hpp"

namespace apps {

/// A value of the file and the line it stands on.
template <class T>
struct Located {
  T value{};
  std::uint32_t line = 0;
};

/// Collects what is wrong with one file.
class Report {
 public:
  explicit Report(std::string file) : file_(std::move(file)) {}

  void error(std::uint32_t line, std::string message, std::string remedy = {});
  void note(std::uint32_t line, std::string message, std::string remedy = {});
  bool has_errors() const { return errors_ != 0; }
  /// Everything said, in the order of the lines.
  std::vector<Diagnostic> take();

 private:
  std::string file_;
  std::vector<Diagnostic> diagnostics_;
  std::size_t errors_ = 0;
};

/// Reads one table of a TOML file key by key. A key of the wrong type is reported and reads as
/// absent; finish() reports every key that nobody asked for, with the name that was probably meant.
class TableReader {
 public:
  /// `name` is how messages call the table: "[engine]".
  TableReader(const toml::table& table, std::string name, Report& report)
      : table_(table), name_(std::move(name)), report_(report) {}

  std::optional<Located<std::string>> text(std::string_view key, std::string_view example);
  std::optional<Located<bool>> flag(std::string_view key);
  /// An integer in [low, high].
  std::optional<Located<std::int64_t>> integer(std::string_view key, std::int64_t low,
                                               std::int64_t high);
  /// A size such as "512MiB", in [low, high] octets.
  std::optional<Located<std::uint64_t>> size(std::string_view key, std::uint64_t low,
                                             std::uint64_t high);
  /// A time such as "200ms", in [low, high].
  std::optional<Located<dataplane::Duration>> duration(std::string_view key,
                                                       dataplane::Duration low,
                                                       dataplane::Duration high);
  /// One of `words`; another is reported with the list.
  std::optional<Located<std::string>> word(std::string_view key,
                                           const std::vector<std::string>& words);
  /// A string, or an array of strings.
  std::optional<std::vector<Located<std::string>>> texts(std::string_view key,
                                                         std::string_view example);
  /// An array of integers in [low, high].
  std::optional<std::vector<Located<std::int64_t>>> integers(std::string_view key, std::int64_t low,
                                                             std::int64_t high);

  void finish();

  const std::string& name() const { return name_; }
  std::uint32_t line() const { return table_.source().begin.line; }
  Report& report() { return report_; }

 private:
  const toml::node* take(std::string_view key);
  void wrong_type(std::string_view key, const toml::node& node, std::string_view expected);

  const toml::table& table_;
  std::string name_;
  Report& report_;
  std::vector<std::string> known_;
};

}  // namespace apps
