#include "mptcp/api/embed/endpoints.hpp"

#include <algorithm>
#include <cerrno>

#include "dataplane/base/decimal.hpp"
#include "mptcp/api/embed/words.hpp"

namespace mptcp::api::embed {
namespace {

using dataplane::IpAddress;
using Words = std::span<const std::string_view>;

constexpr std::size_t kMostEndpoints = 8;   // MPTCP_PM_ADDR_MAX
constexpr std::uint64_t kHighestLimit = 8;  // of both limits
constexpr std::uint64_t kHighestPort = 65'535;

/// The number after the word at `at`, from 0 to `most`.
std::optional<std::uint64_t> number_after(Words words, std::size_t at, std::uint64_t most) {
  if (at + 1 >= words.size()) return std::nullopt;
  return dataplane::parse_decimal<std::uint64_t>(words[at + 1], most);
}

bool is_show(Words words) { return words.empty() || words[0] == "show" || words[0] == "list"; }

/// Subflows of a connection whose path manager this is.
bool is_ours(const Socket& socket) {
  return socket.is_multipath() && socket.state() == Socket::State::Connected;
}

}  // namespace

/// From now on the endpoints decide about new connections.
void Endpoints::take_over() {
  in_charge_ = true;
  node_.mptcp.path_manager = PathManagerKind::None;
  node_.mptcp.announce = false;
  node_.mptcp.max_subflows = static_cast<std::uint8_t>(most_subflows_ + 1);
}

int Endpoints::limits(Words words, std::string& answer) {
  if (!is_show(words)) return words[0] == "set" ? set_limits(words.subspan(1)) : -EINVAL;
  answer = "add_addr_accepted " + std::to_string(most_accepted_) + " subflows " +
           std::to_string(most_subflows_) + " \n";
  return 0;
}

int Endpoints::set_limits(Words words) {
  std::uint8_t subflows = most_subflows_;
  std::uint8_t accepted = most_accepted_;
  if (words.empty()) return -EINVAL;
  for (std::size_t at = 0; at < words.size(); at += 2) {
    const auto number = number_after(words, at, kHighestLimit);
    if (!number) return -EINVAL;
    if (words[at] == "subflows") {
      subflows = static_cast<std::uint8_t>(*number);
    } else if (words[at] == "add_addr_accepted") {
      accepted = static_cast<std::uint8_t>(*number);
    } else {
      return -EINVAL;
    }
  }
  most_subflows_ = subflows;
  most_accepted_ = accepted;
  take_over();
  return 0;
}

int Endpoints::endpoint(Words words, std::string& answer) {
  if (is_show(words)) return show(words.empty() ? words : words.subspan(1), answer);
  const Words rest = words.subspan(1);
  if (words[0] == "add") return add(rest);
  if (words[0] == "delete" || words[0] == "del") return remove(rest);
  if (words[0] == "change") return change(rest);
  if (words[0] != "flush") return -EINVAL;
  for (const std::vector<Endpoint> all = std::exchange(endpoints_, {}); const Endpoint& gone : all)
    withdraw(gone);
  return 0;
}

bool Endpoints::set_flag(std::string_view word, Endpoint& out) {
  if (word == "signal") return out.signal = true;
  if (word == "subflow") return out.subflow = true;
  if (word == "backup") return out.backup = true;
  if (word == "fullmesh") return out.fullmesh = true;
  return false;
}

bool Endpoints::set_number(Words words, Endpoint& out) {
  const bool is_id = words[0] == "id";
  const auto number = number_after(words, 0, is_id ? 255 : kHighestPort);
  if (number && is_id) out.id = static_cast<std::uint8_t>(*number);
  if (number && !is_id) out.port = static_cast<std::uint16_t>(*number);
  return number.has_value();
}

int Endpoints::read(Words words, Endpoint& out) {
  for (std::size_t at = 0; at < words.size(); ++at) {
    const std::string_view word = words[at];
    if (set_flag(word, out)) continue;
    if (word == "dev" && at + 1 < words.size()) {
      out.device = words[++at];
    } else if (word == "id" || word == "port") {
      if (!set_number(words.subspan(at++), out)) return -EINVAL;
    } else {
      const auto address = IpAddress::parse(word);
      if (!address || !out.address.is_unspecified()) return -EINVAL;
      out.address = *address;
    }
  }
  return 0;
}

int Endpoints::add(Words words) {
  Endpoint wanted;
  if (const int result = read(words, wanted); result != 0) return result;
  if (wanted.address.is_unspecified() || (wanted.port != 0 && !wanted.signal)) return -EINVAL;
  if (wanted.signal && wanted.fullmesh) return -EINVAL;
  return insert(std::move(wanted));
}

int Endpoints::insert(Endpoint wanted) {
  if (endpoints_.size() >= kMostEndpoints) return -ERANGE;
  if (find(wanted.address) != nullptr) return -EEXIST;
  if (wanted.id != 0 && find(wanted.id) != nullptr) return -EBUSY;
  // The next after the last one given, as Linux has it.
  if (wanted.id == 0 && !endpoints_.empty())
    wanted.id = static_cast<std::uint8_t>(endpoints_.back().id + 1);
  if (wanted.id == 0) wanted.id = 1;
  while (find(wanted.id) != nullptr)
    ++wanted.id;
  node_.core.number_address(wanted.address, static_cast<AddressId>(wanted.id));
  endpoints_.push_back(std::move(wanted));
  take_over();
  return 0;
}

int Endpoints::remove(Words words) {
  Endpoint named;
  const int result = read(words, named);
  if (result != 0 || words.empty()) return -EINVAL;
  // `id 0` is the address that a connection began with; only its own words could name it.
  if (named.id == 0) return named.address.is_unspecified() ? -EINVAL : 0;
  Endpoint* const found = find(named.id);
  if (found == nullptr) return -EINVAL;
  const Endpoint gone = *found;
  endpoints_.erase(endpoints_.begin() + (found - endpoints_.data()));
  withdraw(gone);
  return 0;
}

void Endpoints::withdraw(const Endpoint& gone) {
  sockets_.for_each([&](Socket& socket) {
    if (std::erase(socket.paths.used, gone.id) == 0 || !is_ours(socket)) return;
    // Where it is the only path, it stays.
    static_cast<void>(
        node_.core.command(node_.now, socket.ids().front(), WithdrawAddresses{{gone.address}}));
  });
}

int Endpoints::change(Words words) {
  Endpoint named;
  std::vector<std::string_view> names;
  std::vector<std::string_view> flags;
  for (const std::string_view word : words) {
    const bool is_flag = word.ends_with("backup") || word.ends_with("fullmesh");
    (is_flag ? flags : names).push_back(word);
  }
  if (read(names, named) != 0 || flags.empty() || named.signal || named.subflow) return -EINVAL;
  Endpoint* const found = named.id != 0 ? find(named.id) : find(named.address);
  if (found == nullptr) return -EINVAL;
  for (const std::string_view flag : flags) {
    bool& which = flag.ends_with("backup") ? found->backup : found->fullmesh;
    which = !flag.starts_with("no");
  }
  sockets_.for_each([&](Socket& socket) {
    if (!is_ours(socket)) return;
    const SocketId id = socket.ids().front();
    const auto info = node_.core.info(id);
    if (!info) return;
    for (const SubflowInfo& subflow : info->subflows)
      if (subflow.tuple.local.address == found->address)
        static_cast<void>(
            node_.core.command(node_.now, id, SetBackup{subflow.tuple, found->backup}));
  });
  return 0;
}

std::string Endpoints::line_of(const Endpoint& endpoint) {
  std::string out = endpoint.address.to_string() + " ";
  if (endpoint.port != 0) out += "port " + std::to_string(endpoint.port) + " ";
  out += "id " + std::to_string(endpoint.id) + " ";
  if (endpoint.signal) out += "signal ";
  if (endpoint.subflow) out += "subflow ";
  if (endpoint.backup) out += "backup ";
  if (endpoint.fullmesh) out += "fullmesh ";
  if (!endpoint.device.empty()) out += "dev " + endpoint.device + " ";
  return out + "\n";
}

int Endpoints::show(Words words, std::string& answer) const {
  Endpoint named;
  if (read(words, named) != 0) return -EINVAL;
  for (const Endpoint& each : endpoints_)
    if (named.id == 0 || named.id == each.id) answer += line_of(each);
  return answer.empty() && named.id != 0 ? -EINVAL : 0;
}

Endpoints::Endpoint* Endpoints::find(std::uint8_t id) {
  const auto at = std::find_if(endpoints_.begin(), endpoints_.end(),
                               [&](const Endpoint& each) { return each.id == id; });
  return at == endpoints_.end() ? nullptr : &*at;
}

Endpoints::Endpoint* Endpoints::find(const IpAddress& address) {
  const auto at = std::find_if(endpoints_.begin(), endpoints_.end(),
                               [&](const Endpoint& each) { return each.address == address; });
  return at == endpoints_.end() ? nullptr : &*at;
}

void Endpoints::work() {
  if (!in_charge_ || endpoints_.empty()) return;
  sockets_.for_each([&](Socket& socket) {
    if (is_ours(socket) && socket.paths.used.size() < endpoints_.size()) serve(socket);
  });
}

void Endpoints::serve(Socket& socket) {
  for (const Endpoint& each : endpoints_) {
    auto& used = socket.paths.used;
    if (std::find(used.begin(), used.end(), each.id) != used.end()) continue;
    if (!use(socket, each)) return;  // It does not know yet whether the peer speaks MPTCP.
    used.push_back(each.id);
  }
}

/// Does what an endpoint is for; false when that cannot be done yet.
bool Endpoints::use(Socket& socket, const Endpoint& endpoint) {
  const SocketId id = socket.ids().front();
  const bool is_first = endpoint.address == socket.local().address;
  if (is_first) return true;
  SocketResult<void> done;
  if (endpoint.signal) {
    AnnounceAddress announce{endpoint.address};
    if (endpoint.port != 0) announce.port = endpoint.port;
    done = node_.core.command(node_.now, id, announce);
  }
  const bool fits = endpoint.address.is_v4() == socket.remote().address.is_v4();
  if (done && endpoint.subflow && fits)
    done = node_.core.command(node_.now, id,
                              OpenPath{endpoint.address, socket.remote(), endpoint.backup});
  return done || done.error() != SocketError::NotMultipath;
}

void Endpoints::on_path_changed(Socket& socket) {
  const SocketId id = socket.ids().empty() ? SocketId{} : socket.ids().front();
  while (const auto change = node_.core.next_path_change(id)) {
    if (!in_charge_) continue;
    if (change->kind == PathChange::Kind::AddressAnnounced) join_announced(socket, *change);
    if (change->kind == PathChange::Kind::AddressRemoved && socket.paths.accepted != 0)
      --socket.paths.accepted;
  }
}

/// A peer's address is joined from every `fullmesh` endpoint, or else from where it is reached.
void Endpoints::join_announced(Socket& socket, const PathChange& change) {
  if (socket.paths.accepted >= most_accepted_) return;
  mptcp::Endpoint remote = change.tuple.remote;
  if (remote.port == 0) remote.port = socket.remote().port;
  const SocketId id = socket.ids().front();
  bool joined = false;
  bool meshed = false;
  for (const Endpoint& each : endpoints_) {
    if (!each.fullmesh || each.address.is_v4() != remote.address.is_v4()) continue;
    meshed = true;
    const OpenPath open{each.address, remote, each.backup};
    joined = node_.core.command(node_.now, id, open).has_value() || joined;
  }
  const auto source = node_.core.host().source_for(remote.address);
  if (!meshed && source)
    joined = node_.core.command(node_.now, id, OpenPath{*source, remote, false}).has_value();
  if (joined) ++socket.paths.accepted;
}

}  // namespace mptcp::api::embed
