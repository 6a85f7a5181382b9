#include "dataplane/tcp/config.hpp"

#include <array>

namespace dataplane::tcp {
namespace {

constexpr std::array<std::string_view, kEcnModeCount> kEcnModeNames{"off", "answer", "on"};

}  // namespace

std::string_view name_of(EcnMode mode) { return kEcnModeNames.at(static_cast<std::size_t>(mode)); }

std::optional<EcnMode> ecn_mode_named(std::string_view name) {
  for (std::size_t i = 0; i < kEcnModeNames.size(); ++i)
    if (kEcnModeNames.at(i) == name) return static_cast<EcnMode>(i);
  return std::nullopt;
}

}  // namespace dataplane::tcp
