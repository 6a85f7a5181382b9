#include "test/emulator/plan.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "apps/common/toml_reader.hpp"

namespace emulator {
namespace {

using apps::Report;
using apps::TableReader;
using namespace std::chrono_literals;

constexpr Duration kLongest = 3600s;
constexpr std::uint64_t kLargestQueue = 1UL << 30;

/// A number and the unit behind it.
struct Quantity {
  double value = 0;
  std::string_view unit;
};

std::optional<Quantity> parse_quantity(std::string_view text) {
  Quantity out;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out.value);
  if (error != std::errc() || out.value < 0) return std::nullopt;
  out.unit = text.substr(static_cast<std::size_t>(end - text.data()));
  return out;
}

/// Bits per second from "50Mbit/s".
std::optional<std::uint64_t> parse_rate(std::string_view text) {
  const auto quantity = parse_quantity(text);
  if (!quantity) return std::nullopt;
  for (const auto& [unit, factor] : {std::pair{"kbit/s", 1e3}, {"Mbit/s", 1e6}, {"Gbit/s", 1e9}}) {
    const auto rate = static_cast<std::uint64_t>(quantity->value * factor);
    if (quantity->unit == unit && rate > 0) return rate;
  }
  return std::nullopt;
}

/// A chance in [0, 1] from "0.1%".
std::optional<double> parse_share(std::string_view text) {
  const auto quantity = parse_quantity(text);
  if (!quantity || quantity->unit != "%" || quantity->value > 100) return std::nullopt;
  return quantity->value / 100;
}

void read_rate(TableReader& table, sim::LinkConfig& way) {
  const auto text = table.text("rate", "50Mbit/s");
  if (!text) return;
  if (const auto rate = parse_rate(text->value)) {
    way.rate_bps = *rate;
  } else {
    table.report().error(text->line, "\"" + text->value + "\" is no rate",
                         "Write it as \"50Mbit/s\", with kbit/s, Mbit/s or Gbit/s.");
  }
}

void read_share(TableReader& table, std::string_view key, double& share) {
  const auto text = table.text(key, "0.1%");
  if (!text) return;
  if (const auto chance = parse_share(text->value)) {
    share = *chance;
  } else {
    table.report().error(text->line, "\"" + text->value + "\" is no share of the frames",
                         "Write it as \"0.1%\", from 0% to 100%.");
  }
}

void read_duration(TableReader& table, std::string_view key, Duration& out) {
  if (const auto read = table.duration(key, 0s, kLongest)) out = read->value;
}

/// What one way, or both, are like; what is not said stays as it is.
void read_way(TableReader& table, sim::LinkConfig& way) {
  sim::Faults& faults = way.faults;
  read_rate(table, way);
  read_duration(table, "delay", way.delay);
  read_duration(table, "jitter", way.jitter);
  if (const auto queue = table.size("queue", 1, kLargestQueue)) {
    way.queue_octets = queue->value;
    way.queue_frames = std::max<std::size_t>(1, way.queue_octets / 64);
  }
  read_share(table, "loss", faults.loss);
  read_share(table, "good_to_bad", faults.burst.good_to_bad);
  read_share(table, "bad_to_good", faults.burst.bad_to_good);
  read_share(table, "loss_in_bad", faults.burst.loss_in_bad);
  read_share(table, "reorder", faults.reorder);
  read_duration(table, "reorder_delay", faults.reorder_delay);
  read_share(table, "duplicate", faults.duplicate);
  read_share(table, "corrupt", faults.corrupt);
}

/// Calls read(table reader) for each table of [[name]].
template <class Read>
void for_each_table(const toml::table& root, const std::string& name, Report& report, Read&& read) {
  const toml::node* node = root.get(name);
  if (node == nullptr) return;
  const toml::array* array = node->as_array();
  if (array == nullptr || !array->is_array_of_tables()) {
    report.error(node->source().begin.line, name + " is no list of tables",
                 "Write [[" + name + "]] for each.");
    return;
  }
  for (const toml::node& each : *array) {
    TableReader reader(*each.as_table(), "[[" + name + "]]", report);
    read(reader);
    reader.finish();
  }
}

void read_path(TableReader& table, Plan& plan) {
  PathPlan path;
  const auto devices = table.texts("devices", "net_af_packet0,iface=left0");
  if (devices && devices->size() == path.devices.size()) {
    path.devices = {(*devices)[0].value, (*devices)[1].value};
  } else {
    table.report().error(table.line(), "a path has two devices",
                         "Write devices = [\"net_af_packet0,iface=left0\", "
                         "\"net_af_packet1,iface=right0\"].");
  }
  read_way(table, path.ways[0]);
  path.ways[1] = path.ways[0];
  plan.paths.push_back(std::move(path));
}

/// The path that a table is about: the first, unless it says another.
PathPlan* path_of(TableReader& table, Plan& plan) {
  if (plan.paths.empty()) return nullptr;
  const auto last = static_cast<std::int64_t>(plan.paths.size()) - 1;
  const auto path = table.integer("path", 0, last);
  return &plan.paths[path ? static_cast<std::size_t>(path->value) : 0];
}

void read_cut(TableReader& table, Plan& plan) {
  PathPlan* path = path_of(table, plan);
  Duration from{};
  Duration until = kLongest;
  read_duration(table, "from", from);
  read_duration(table, "until", until);
  if (path == nullptr) return;
  for (sim::LinkConfig& way : path->ways)
    way.faults.cuts.push_back({sim::kStart + from, sim::kStart + until});
}

void read_change(TableReader& table, Plan& plan) {
  PathPlan* path = path_of(table, plan);
  const auto which = table.word("way", {"both", "there", "back"});
  Change change;
  read_duration(table, "at", change.at);
  sim::LinkConfig nowhere;
  if (path == nullptr) return read_way(table, nowhere);
  if (!path->changes.empty() && change.at < path->changes.back().at)
    table.report().error(table.line(), "this change is earlier than the one above it",
                         "Write the changes of a path in the order of their times.");
  change.ways = path->changes.empty() ? path->ways : path->changes.back().ways;
  // Asked for once more, a key counts once.
  if (!which || which->value != "back") read_way(table, change.ways[0]);
  if (!which || which->value != "there") read_way(table, change.ways[1]);
  path->changes.push_back(std::move(change));
}

void check_root(const toml::table& root, Report& report) {
  for (const auto& [key, node] : root) {
    const std::string_view name = key.str();
    if (name == "seed" || name == "path" || name == "cut" || name == "change") continue;
    report.error(node.source().begin.line, "unknown key " + std::string(name),
                 "There are seed, [[path]], [[cut]] and [[change]].");
  }
}

}  // namespace

tl::expected<Plan, std::vector<apps::Diagnostic>> parse_plan(std::string_view text,
                                                             const std::string& file) {
  Report report(file);
  toml::table root;
  try {
    root = toml::parse(text, file);
  } catch (const toml::parse_error& error) {
    report.error(error.source().begin.line, std::string(error.description()));
    return tl::unexpected(report.take());
  }
  Plan plan;
  check_root(root, report);
  TableReader top(root, "the plan", report);
  if (const auto seed = top.integer("seed", 0, std::numeric_limits<std::int64_t>::max()))
    plan.seed = static_cast<std::uint64_t>(seed->value);
  for_each_table(root, "path", report, [&](TableReader& table) { read_path(table, plan); });
  if (plan.paths.empty()) report.error(0, "there is no path", "Write one [[path]] or more.");
  for_each_table(root, "cut", report, [&](TableReader& table) { read_cut(table, plan); });
  for_each_table(root, "change", report, [&](TableReader& table) { read_change(table, plan); });
  if (report.has_errors()) return tl::unexpected(report.take());
  return plan;
}

}  // namespace emulator
