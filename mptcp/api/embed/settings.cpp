#include "mptcp/api/embed/settings.hpp"

#include <cerrno>
#include <variant>

#include "dataplane/base/decimal.hpp"
#include "mptcp/api/embed/words.hpp"

namespace mptcp::api::embed {
namespace {

using dataplane::Duration;
using dataplane::tcp::EcnMode;
using TcpConfig = dataplane::tcp::Config;

/// A field of one of the two configurations. A bool is said as 0 or 1; a time, whose name ends in
/// _ms, in milliseconds.
using Field = std::variant<bool TcpConfig::*, std::uint8_t TcpConfig::*, std::uint32_t TcpConfig::*,
                           Duration TcpConfig::*, cc::Kind TcpConfig::*, EcnMode TcpConfig::*,
                           bool Config::*, std::uint8_t Config::*, Duration Config::*,
                           SchedulerKind Config::*, PathManagerKind Config::*, Version Config::*>;

struct Setting {
  std::string_view name;
  Field field;
  std::uint64_t least = 0;
  std::uint64_t most = 1;
};

constexpr std::uint64_t kDay = 86'400'000;  // Milliseconds.
constexpr std::uint64_t kGiB = 1U << 30;

constexpr std::array kSettings{
    Setting{"scheduler", &Config::scheduler},
    Setting{"path_manager", &Config::path_manager},
    Setting{"congestion_control", &TcpConfig::congestion_control},
    Setting{"checksum", &Config::checksum},
    Setting{"version", &Config::version},
    Setting{"oldest_version", &Config::oldest_version},
    Setting{"max_subflows", &Config::max_subflows, 1, 8},
    Setting{"announce", &Config::announce},
    Setting{"join_first_address", &Config::join_first_address},
    Setting{"syns_with_option", &Config::syns_with_option, 1, 255},
    Setting{"opportunistic_retransmission", &Config::opportunistic_retransmission},
    Setting{"penalisation", &Config::penalisation},
    Setting{"blackhole_time_ms", &Config::blackhole_time, 0, kDay},
    Setting{"close_timeout_ms", &Config::close_timeout, 0, kDay},
    Setting{"probe_interval_ms", &Config::probe_interval, 1, kDay},
    Setting{"rto_min_ms", &TcpConfig::rto_min, 1, kDay},
    Setting{"rto_max_ms", &TcpConfig::rto_max, 1, kDay},
    Setting{"rto_initial_ms", &TcpConfig::rto_initial, 1, kDay},
    Setting{"syn_retries", &TcpConfig::syn_retries, 0, 255},
    Setting{"user_timeout_ms", &TcpConfig::user_timeout, 0, kDay},
    Setting{"delayed_ack_ms", &TcpConfig::delayed_ack, 0, 499},
    Setting{"time_wait_ms", &TcpConfig::time_wait, 0, kDay},
    Setting{"fin_wait_2_ms", &TcpConfig::fin_wait_2, 0, kDay},
    Setting{"ecn", &TcpConfig::ecn},
    Setting{"nagle", &TcpConfig::nagle},
    Setting{"timestamps", &TcpConfig::timestamps},
    Setting{"sack", &TcpConfig::sack},
    Setting{"window_scaling", &TcpConfig::window_scaling},
    Setting{"rack", &TcpConfig::rack},
    Setting{"mtu_probing", &TcpConfig::mtu_probing},
    Setting{"initial_window_segments", &TcpConfig::initial_window_segments, 1, 255},
    Setting{"receive_buffer_initial", &TcpConfig::receive_buffer_initial, 4096, kGiB},
    Setting{"receive_buffer_max", &TcpConfig::receive_buffer_max, 4096, kGiB},
    Setting{"send_buffer_initial", &TcpConfig::send_buffer_initial, 4096, kGiB},
    Setting{"send_buffer_max", &TcpConfig::send_buffer_max, 4096, kGiB},
};

const Setting* find_setting(std::string_view name) {
  for (const Setting& each : kSettings)
    if (each.name == name) return &each;
  return nullptr;
}

// What is said in numbers, as a number.
template <class Value>
std::uint64_t number_of(const Value& value) {
  return static_cast<std::uint64_t>(value);
}
std::uint64_t number_of(const Duration& value) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(value).count());
}
template <class Value>
void assign(Value& value, std::uint64_t number) {
  value = static_cast<Value>(number);
}
void assign(Duration& value, std::uint64_t number) { value = std::chrono::milliseconds(number); }

// What is said by a name.
std::optional<SchedulerKind> named(std::string_view word, SchedulerKind) {
  return scheduler_named(word);
}
std::optional<PathManagerKind> named(std::string_view word, PathManagerKind) {
  return path_manager_named(word);
}
std::optional<cc::Kind> named(std::string_view word, cc::Kind) { return cc::kind_named(word); }
std::optional<EcnMode> named(std::string_view word, EcnMode) {
  return dataplane::tcp::ecn_mode_named(word);
}

template <class Value>
constexpr bool kHasNames =
    std::is_same_v<Value, SchedulerKind> || std::is_same_v<Value, PathManagerKind> ||
    std::is_same_v<Value, cc::Kind> || std::is_same_v<Value, EcnMode>;

template <class Value>
bool read(const Setting& setting, std::string_view word, Value& value) {
  if constexpr (kHasNames<Value>) {
    const auto found = named(word, value);
    if (found) value = *found;
    return found.has_value();
  } else {
    const auto number = dataplane::parse_decimal<std::uint64_t>(word);
    if (!number || *number < setting.least || *number > setting.most) return false;
    assign(value, *number);
    return true;
  }
}

template <class Value>
std::string text_of(const Value& value) {
  if constexpr (kHasNames<Value>) {
    return std::string(name_of(value));
  } else {
    return std::to_string(number_of(value));
  }
}

// The value of a field, which may be in either configuration.
template <class AnyNode, class Value>
auto& in(AnyNode& node, Value TcpConfig::*field) {
  return node.tcp.*field;
}
template <class AnyNode, class Value>
auto& in(AnyNode& node, Value Config::*field) {
  return node.mptcp.*field;
}

std::string line_of(const Node& node, const Setting& setting) {
  const auto text = [&](auto field) { return text_of(in(node, field)); };
  return std::string(setting.name) + " " + std::visit(text, setting.field) + "\n";
}

/// What must hold between settings.
bool is_sound(const Node& node) {
  return node.mptcp.oldest_version <= node.mptcp.version && node.tcp.rto_min <= node.tcp.rto_max &&
         node.tcp.receive_buffer_initial <= node.tcp.receive_buffer_max &&
         node.tcp.send_buffer_initial <= node.tcp.send_buffer_max;
}

}  // namespace

int set_setting(Node& node, std::span<const std::string_view> words) {
  const Setting* const setting = words.size() == 2 ? find_setting(words[0]) : nullptr;
  if (setting == nullptr) return -EINVAL;
  const TcpConfig tcp = node.tcp;
  const Config mptcp = node.mptcp;
  const auto put = [&](auto field) { return read(*setting, words[1], in(node, field)); };
  if (std::visit(put, setting->field) && is_sound(node)) return 0;
  node.tcp = tcp;
  node.mptcp = mptcp;
  return -EINVAL;
}

int show_settings(const Node& node, std::span<const std::string_view> words, std::string& answer) {
  if (words.size() > 1) return -EINVAL;
  for (const Setting& each : kSettings)
    if (words.empty() || words[0] == each.name) answer += line_of(node, each);
  return answer.empty() ? -EINVAL : 0;
}

}  // namespace mptcp::api::embed
