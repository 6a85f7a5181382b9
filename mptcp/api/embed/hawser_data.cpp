#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "mptcp/api/embed/instance.hpp"
#include "mptcp/api/hawser.h"

using mptcp::api::embed::Socket;
namespace embed = mptcp::api::embed;

namespace {

/// Octets of one call, as Linux has it (MAX_RW_COUNT).
constexpr std::size_t kMostOctets = 0x7fff'f000;

Socket* find(hawser* instance, int number) { return instance->sockets().find(number); }

/// readv() and writev(): nothing is asked of the socket where there are no octets.
template <class Move>
ssize_t move_parts(hawser* instance, int number, const iovec* parts, int count, Move move) {
  Socket* const socket = find(instance, number);
  if (socket == nullptr) return -EBADF;
  if (count < 0 || count > IOV_MAX) return -EINVAL;
  const std::span all(parts, static_cast<std::size_t>(count));
  if (embed::total_of(all) > kMostOctets) return -EINVAL;
  return move(*socket, all);
}

iovec part_of(const void* buffer, std::size_t length) {
  return {const_cast<void*>(buffer), std::min(length, kMostOctets)};
}

int as_int(std::uint64_t octets) {
  return static_cast<int>(std::min<std::uint64_t>(octets, INT_MAX));
}

}  // namespace

extern "C" {

ssize_t hawser_readv(hawser* instance, int number, const iovec* parts, int count) {
  return move_parts(instance, number, parts, count, [](Socket& socket, auto all) -> ssize_t {
    return embed::total_of(all) == 0 ? 0 : socket.receive(all, 0);
  });
}

ssize_t hawser_read(hawser* instance, int number, void* buffer, size_t length) {
  const iovec part = part_of(buffer, length);
  return hawser_readv(instance, number, &part, 1);
}

ssize_t hawser_recv(hawser* instance, int number, void* buffer, size_t length, int flags) {
  return hawser_recvfrom(instance, number, buffer, length, flags, nullptr, nullptr);
}

// NOLINTNEXTLINE(readability-function-size): POSIX has so many parameters.
ssize_t hawser_recvfrom(hawser* instance, int number, void* buffer, size_t length, int flags,
                        sockaddr* address, socklen_t* address_length) {
  iovec part = part_of(buffer, length);
  msghdr message{};
  message.msg_name = address;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  const ssize_t result = hawser_recvmsg(instance, number, &message, flags);
  // Of a stream it is known from whom the octets come.
  if (result >= 0 && address != nullptr && address_length != nullptr) *address_length = 0;
  return result;
}

ssize_t hawser_recvmsg(hawser* instance, int number, msghdr* message, int flags) {
  Socket* const socket = find(instance, number);
  if (socket == nullptr) return -EBADF;
  if (message->msg_iovlen > IOV_MAX) return -EMSGSIZE;
  const ssize_t result = socket->receive(std::span(message->msg_iov, message->msg_iovlen), flags);
  if (result < 0) return result;
  message->msg_namelen = 0;
  message->msg_controllen = 0;
  message->msg_flags = 0;
  return result;
}

ssize_t hawser_writev(hawser* instance, int number, const iovec* parts, int count) {
  return move_parts(instance, number, parts, count,
                    [](Socket& socket, auto all) { return socket.send(all, 0); });
}

ssize_t hawser_write(hawser* instance, int number, const void* buffer, size_t length) {
  const iovec part = part_of(buffer, length);
  return hawser_writev(instance, number, &part, 1);
}

ssize_t hawser_send(hawser* instance, int number, const void* buffer, size_t length, int flags) {
  return hawser_sendto(instance, number, buffer, length, flags, nullptr, 0);
}

// NOLINTNEXTLINE(readability-function-size): likewise.
ssize_t hawser_sendto(hawser* instance, int number, const void* buffer, size_t length, int flags,
                      const sockaddr* /*address*/, socklen_t /*address_length*/) {
  iovec part = part_of(buffer, length);
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  return hawser_sendmsg(instance, number, &message, flags);
}

ssize_t hawser_sendmsg(hawser* instance, int number, const msghdr* message, int flags) {
  Socket* const socket = find(instance, number);
  if (socket == nullptr) return -EBADF;
  if (message->msg_iovlen > IOV_MAX) return -EMSGSIZE;
  if ((flags & MSG_FASTOPEN) != 0) return -EOPNOTSUPP;
  return socket->send(std::span(message->msg_iov, message->msg_iovlen), flags);
}

int hawser_ioctl(hawser* instance, int number, unsigned long request, void* argument) {
  Socket* const socket = find(instance, number);
  if (socket == nullptr) return -EBADF;
  int value = 0;
  switch (request) {
    case FIONBIO:
      std::memcpy(&value, argument, sizeof value);
      socket->non_blocking = value != 0;
      return 0;
    case SIOCINQ:
      value = as_int(socket->unread());
      break;
    case SIOCOUTQ:
      value = as_int(socket->unacknowledged());
      break;
    case SIOCOUTQNSD:
      value = as_int(socket->unsent());
      break;
    default:
      return -ENOTTY;
  }
  if (socket->state() == Socket::State::Listening) return -EINVAL;
  std::memcpy(argument, &value, sizeof value);
  return 0;
}

}  // extern "C"
