#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace apps {

/// What the operator did that cannot work, or has no effect, where it stands, and what to do about
/// it.
struct Diagnostic {
  enum class Severity : std::uint8_t {
    Note,   ///< The value is accepted and has no effect in this version.
    Error,  ///< Nothing is started.
  };
  Severity severity = Severity::Error;
  std::string file;
  std::uint32_t line = 0;  ///< From 1; 0 when it is about the file as a whole.
  std::string message;
  std::string remedy;  ///< A sentence that says what to do; may be empty.
};

/// "a.toml:7: unknown key ... (remedy)", as compilers print it, so that editors jump there.
std::string to_string(const Diagnostic& diagnostic);

/// The name among `known` that `word` most likely stands for; empty when none is near.
std::string nearest_name(const std::string& word, const std::vector<std::string>& known);

}  // namespace apps
