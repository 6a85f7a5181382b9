#include "test/sim/path_driver.hpp"

namespace sim {

namespace {

/// Commands that may take something away; the rest only add.
constexpr std::uint32_t kTakingAway = 40;

}  // namespace

void PathDriver::run(Instant now, mptcp::Core& core, mptcp::SocketId socket,
                     std::span<const dataplane::IpAddress> own) {
  if (!is_on() || now < next_) return;
  next_ = now + rng_.between(pause_ / 2, pause_ * 3 / 2);
  while (core.next_path_change(socket)) {
  }
  const auto info = core.info(socket);
  // Each refusal is a value, and legal: the last path may not go, an address may have none.
  if (info && info->multipath) (void)core.command(now, socket, draw(own, *info));
}

mptcp::PathCommand PathDriver::draw(std::span<const dataplane::IpAddress> own,
                                    const mptcp::SocketInfo& info) {
  const auto& address = own[rng_.below(own.size())];
  const bool may_take = ++given_ < kTakingAway && !info.subflows.empty();
  const auto path = [&] { return info.subflows[rng_.below(info.subflows.size())].tuple; };
  switch (may_take ? rng_.below(6) : rng_.below(2)) {
    case 0:
      return mptcp::AnnounceAddress{address};
    case 1:
    case 2: {
      const auto remote = info.subflows.empty() ? info.tuple.remote : path().remote;
      return mptcp::OpenPath{address, remote, rng_.chance(0.2)};
    }
    case 3:
      return mptcp::ClosePath{path()};
    case 4:
      return mptcp::SetBackup{path(), rng_.chance(0.5)};
    default:
      return mptcp::WithdrawAddresses{{address}};
  }
}

}  // namespace sim
