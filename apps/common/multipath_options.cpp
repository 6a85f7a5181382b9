#include "apps/common/multipath_options.hpp"

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "apps/common/config.hpp"
#include "apps/common/diagnostic.hpp"

namespace apps {

namespace {

template <class Kind>
std::vector<std::string> names_of(std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i)
    names.emplace_back(name_of(static_cast<Kind>(i)));
  return names;
}

/// An option whose values are the names of a closed list; `find` gives the kind of a name.
template <class Kind, class Find>
void add_choice(CLI::App& app, const std::string& option, std::optional<Kind>& target,
                const std::vector<std::string>& names, Find find, const std::string& help) {
  app.add_option_function<std::string>(
         option,
         [&target, option, names, find](const std::string& text) {
           target = find(text);
           if (target) return;
           const std::string near = nearest_name(text, names);
           throw CLI::ValidationError(
               option, fmt::format("there is no \"{}\"; {}choose one of {}", text,
                                   near.empty() ? "" : fmt::format("did you mean {}? Or ", near),
                                   fmt::join(names, ", ")));
         },
         fmt::format("{}: {}", help, fmt::join(names, ", ")))
      ->type_name("NAME");
}

}  // namespace

void MultipathOptions::apply_to(Config& config) const {
  if (scheduler) config.mptcp.scheduler = *scheduler;
  if (paths) config.mptcp.path_manager = *paths;
  if (congestion_control) config.tcp.congestion_control = *congestion_control;
}

void add_multipath_options(CLI::App& app, MultipathOptions& target) {
  add_choice(app, "--scheduler", target.scheduler,
             names_of<mptcp::SchedulerKind>(mptcp::kSchedulerKindCount), mptcp::scheduler_named,
             "Which path sends next, instead of the node file's");
  add_choice(app, "--paths", target.paths,
             names_of<mptcp::PathManagerKind>(mptcp::kPathManagerKindCount),
             mptcp::path_manager_named, "Which paths a connection opens");
  add_choice(app, "--cc", target.congestion_control, names_of<cc::Kind>(cc::kKindCount),
             cc::kind_named, "How fast each path sends");
}

}  // namespace apps
