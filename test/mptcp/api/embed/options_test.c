#include <linux/mptcp.h>
#include <linux/tcp.h>
#include <string.h>

#include "test/mptcp/api/embed/tests.h"

enum { SOL_OF_MPTCP = 284, IS_MPTCP = 43, FULL_INFO = 4 };

static int set(hawser* host, int number, int level, int name, int value) {
  return hawser_setsockopt(host, number, level, name, &value, sizeof value);
}

static int told(hawser* host, int number, int level, int name) {
  int value = -12345;
  socklen_t length = sizeof value;
  const int result = hawser_getsockopt(host, number, level, name, &value, &length);
  if (result != 0) return result;
  CHECK_EQ(length, sizeof value);
  return value;
}

/* Each line: an option, what is set, what that gives, and what is told then; as Linux 6.18 does. */
struct line {
  int level, name, value, result, told;
};

static void check_lines(int protocol, const struct line* lines, size_t count) {
  struct pair* pair = pair_open();
  hawser* const a = pair->side[0].host;
  for (size_t i = 0; i < count; ++i) {
    const int s = hawser_socket(a, lines[i].level == IPPROTO_IPV6 ? AF_INET6 : AF_INET, SOCK_STREAM,
                                protocol);
    const int result = set(a, s, lines[i].level, lines[i].name, lines[i].value);
    const int is = told(a, s, lines[i].level, lines[i].name);
    if (result != lines[i].result || is != lines[i].told)
      fprintf(stderr, "level %d, option %d of %d\n", lines[i].level, lines[i].name, protocol);
    CHECK_EQ(result, lines[i].result);
    CHECK_EQ(is, lines[i].told);
    CHECK_EQ(hawser_close(a, s), 0);
  }
  pair_close(pair);
}

void test_numbers(void) {
  static const struct line tcp[] = {
      {SOL_SOCKET, SO_REUSEADDR, 300, 0, 1},
      {SOL_SOCKET, SO_TYPE, 1, -ENOPROTOOPT, SOCK_STREAM},
      {SOL_SOCKET, SO_SNDBUF, 1, 0, 4608},
      {SOL_SOCKET, SO_RCVBUF, 300, 0, 2304},
      {SOL_SOCKET, SO_RCVBUF, 100000, 0, 200000},
      {SOL_SOCKET, SO_PROTOCOL, 1, -ENOPROTOOPT, IPPROTO_TCP},
      {SOL_SOCKET, 99, 1, -ENOPROTOOPT, -ENOPROTOOPT},
      {IPPROTO_IP, IP_TOS, 300, 0, 44},
      {IPPROTO_IP, IP_TTL, 300, -EINVAL, 64},
      {IPPROTO_IP, IP_TTL, 7, 0, 7},
      {IPPROTO_IPV6, IPV6_V6ONLY, 5, 0, 1},
      {IPPROTO_IPV6, IPV6_UNICAST_HOPS, 300, -EINVAL, 64},
      {IPPROTO_TCP, TCP_NODELAY, 300, 0, 1},
      {IPPROTO_TCP, TCP_KEEPIDLE, 0, -EINVAL, 7200},
      {IPPROTO_TCP, TCP_KEEPCNT, 300, -EINVAL, 9},
      {IPPROTO_TCP, TCP_LINGER2, 300, 0, 120},
      {IPPROTO_TCP, TCP_USER_TIMEOUT, 300, 0, 300},
      {IPPROTO_TCP, IS_MPTCP, 1, -ENOPROTOOPT, 0},
      {IPPROTO_TCP, 99, 1, -ENOPROTOOPT, -ENOPROTOOPT},
      {SOL_OF_MPTCP, MPTCP_INFO, 1, -ENOPROTOOPT, -EOPNOTSUPP},
      {99, 1, 1, -ENOPROTOOPT, -EOPNOTSUPP},
  };
  static const struct line mptcp[] = {
      {SOL_SOCKET, SO_TYPE, 1, -EOPNOTSUPP, SOCK_STREAM},
      {SOL_SOCKET, SO_BROADCAST, 1, 0, 0},
      {SOL_SOCKET, SO_OOBINLINE, 1, -EOPNOTSUPP, 0},
      {SOL_SOCKET, SO_PROTOCOL, 1, -EOPNOTSUPP, IPPROTO_MPTCP},
      {SOL_SOCKET, 99, 1, -EOPNOTSUPP, -ENOPROTOOPT},
      {IPPROTO_IP, IP_TOS, 300, 0, 44},
      {IPPROTO_IP, IP_TTL, 7, -EOPNOTSUPP, -EOPNOTSUPP},
      {IPPROTO_IP, 99, 7, -ENOPROTOOPT, -EOPNOTSUPP},
      {IPPROTO_IPV6, IPV6_V6ONLY, 5, 0, 1},
      {IPPROTO_IPV6, IPV6_TCLASS, 5, -EOPNOTSUPP, -EOPNOTSUPP},
      {IPPROTO_TCP, TCP_CORK, 5, 0, 1},
      {IPPROTO_TCP, TCP_SYNCNT, 5, -ENOPROTOOPT, -EOPNOTSUPP},
      {IPPROTO_TCP, TCP_USER_TIMEOUT, 5, -ENOPROTOOPT, -EOPNOTSUPP},
      {IPPROTO_TCP, IS_MPTCP, 1, -ENOPROTOOPT, 1},
      {IPPROTO_TCP, 99, 1, -ENOPROTOOPT, -EOPNOTSUPP},
      {SOL_OF_MPTCP, 5, 1, -ENOPROTOOPT, -EOPNOTSUPP},
      {SOL_OF_MPTCP, MPTCP_TCPINFO, 1, -ENOPROTOOPT, -EINVAL},
      {99, 1, 1, -ENOPROTOOPT, -EOPNOTSUPP},
  };
  check_lines(IPPROTO_TCP, tcp, sizeof tcp / sizeof *tcp);
  check_lines(IPPROTO_MPTCP, mptcp, sizeof mptcp / sizeof *mptcp);
}

void test_congestion(int protocol) {
  struct pair* pair = pair_open();
  hawser* const a = pair->side[0].host;
  const int s = hawser_socket(a, AF_INET, SOCK_STREAM, protocol);
  char name[16];
  socklen_t length = sizeof name;
  CHECK_EQ(hawser_setsockopt(a, s, IPPROTO_TCP, TCP_CONGESTION, "none", 4), -ENOENT);
  CHECK_EQ(hawser_setsockopt(a, s, IPPROTO_TCP, TCP_CONGESTION, "bbr", 3), 0);
  CHECK_EQ(hawser_getsockopt(a, s, IPPROTO_TCP, TCP_CONGESTION, name, &length), 0);
  CHECK(length == 16 && strcmp(name, "bbr") == 0);
  pair_close(pair);
}

/* A cork holds back what does not fill a segment, for 200 ms or until it is drawn. */
void test_cork(int protocol) {
  struct pair* pair = pair_open();
  hawser* const a = pair->side[0].host;
  hawser* const b = pair->side[1].host;
  char buffer[4000];
  memset(buffer, 'c', sizeof buffer);
  const struct opened o = open_v4(pair, protocol, 80);
  CHECK_EQ(set(a, o.client, IPPROTO_TCP, TCP_CORK, 1), 0);
  CHECK_EQ(hawser_write(a, o.client, buffer, 100), 100);
  pair_run(pair, 100);
  CHECK_EQ(hawser_read(b, o.server, buffer, sizeof buffer), -EAGAIN);
  pair_run(pair, 110);
  CHECK_EQ(hawser_read(b, o.server, buffer, sizeof buffer), 100);
  CHECK_EQ(hawser_write(a, o.client, buffer, 3000), 3000);
  pair_run(pair, 50);
  const ssize_t full = hawser_read(b, o.server, buffer, sizeof buffer);
  CHECK(full > 2500 && full < 3000);
  CHECK_EQ(set(a, o.client, IPPROTO_TCP, TCP_CORK, 0), 0);
  pair_run(pair, 50);
  CHECK_EQ(hawser_read(b, o.server, buffer, sizeof buffer), 3000 - full);
  CHECK_EQ(hawser_send(a, o.client, "x", 1, MSG_MORE), 1);
  pair_run(pair, 50);
  CHECK_EQ(hawser_read(b, o.server, buffer, sizeof buffer), -EAGAIN);
  CHECK_EQ(hawser_close(a, o.client), 0);
  pair_run(pair, 50);
  CHECK_EQ(hawser_read(b, o.server, buffer, sizeof buffer), 1);
  CHECK_EQ(hawser_read(b, o.server, buffer, sizeof buffer), 0);
  pair_close(pair);
}

/* SO_LINGER of 0 seconds makes of a close() a reset. */
void test_linger(int protocol) {
  struct pair* pair = pair_open();
  hawser* const a = pair->side[0].host;
  hawser* const b = pair->side[1].host;
  char octet;
  const struct linger hard = {1, 0};
  struct linger is;
  socklen_t length = sizeof is;
  const struct opened o = open_v4(pair, protocol, 80);
  CHECK_EQ(hawser_setsockopt(a, o.client, SOL_SOCKET, SO_LINGER, &hard, 4), -EINVAL);
  CHECK_EQ(hawser_setsockopt(a, o.client, SOL_SOCKET, SO_LINGER, &hard, sizeof hard), 0);
  CHECK_EQ(hawser_getsockopt(a, o.client, SOL_SOCKET, SO_LINGER, &is, &length), 0);
  CHECK(is.l_onoff == 1 && is.l_linger == 0);
  CHECK_EQ(hawser_close(a, o.client), 0);
  pair_run(pair, 50);
  CHECK_EQ(told(b, o.server, SOL_SOCKET, SO_ERROR), ECONNRESET);
  CHECK_EQ(told(b, o.server, SOL_SOCKET, SO_ERROR), 0);
  CHECK_EQ(hawser_read(b, o.server, &octet, 1), 0);
  pair_close(pair);
}

static unsigned marked_packets, plain_packets;

static bool counts_marks(struct pair* pair, int from, const unsigned char* packet, size_t length) {
  (void)pair;
  (void)length;
  if (from == 0 && packet[0] >> 4 == 4) {
    ++*((packet[1] & 0xfc) == 0x28 ? &marked_packets : &plain_packets);
  }
  return false;
}

/* IP_TOS is in all IPv4 packets of a connection, with a right checksum, or they would not arrive.
 */
void test_tos(int protocol) {
  struct pair* pair = pair_open();
  hawser* const a = pair->side[0].host;
  const struct opened o = open_v4(pair, protocol, 80);
  marked_packets = 0;
  pair->loses = counts_marks;
  transfer(pair, 0, o.client, o.server, 100 * 1000);
  CHECK(marked_packets == 0 && plain_packets > 20);
  plain_packets = 0;
  CHECK_EQ(set(a, o.client, IPPROTO_IP, IP_TOS, 0x28), 0);
  transfer(pair, 0, o.client, o.server, 100 * 1000);
  CHECK(marked_packets > 20);
  CHECK_EQ(plain_packets, 0);
  pair_close(pair);
}

void test_info(int protocol) {
  struct pair* pair = pair_open();
  hawser* const a = pair->side[0].host;
  const struct opened o = open_v4(pair, protocol, 80);
  transfer(pair, 0, o.client, o.server, 100 * 1000);
  pair_run(pair, 100);
  struct tcp_info info;
  socklen_t length = sizeof info;
  CHECK_EQ(hawser_getsockopt(a, o.client, IPPROTO_TCP, TCP_INFO, &info, &length), 0);
  CHECK_EQ(info.tcpi_state, 1);
  CHECK_EQ(info.tcpi_bytes_acked, 100 * 1000);
  CHECK(info.tcpi_rtt >= 2000 && info.tcpi_rtt < 60000 && info.tcpi_snd_mss > 1000);
  length = 1;
  CHECK_EQ(hawser_getsockopt(a, o.client, IPPROTO_TCP, TCP_INFO, &info, &length), 0);
  CHECK_EQ(length, 1);
  int waiting = -1;
  CHECK_EQ(hawser_write(a, o.client, "abc", 3), 3);
  CHECK_EQ(hawser_ioctl(a, o.client, 0x5411, &waiting), 0); /* SIOCOUTQ */
  CHECK_EQ(waiting, 3);
  pair_run(pair, 100);
  CHECK_EQ(hawser_ioctl(a, o.client, 0x5411, &waiting), 0);
  CHECK_EQ(waiting, 0);
  CHECK_EQ(told(a, o.client, IPPROTO_TCP, IS_MPTCP), protocol == IPPROTO_MPTCP);
  pair_close(pair);
}

void test_mptcp_info(void) {
  struct pair* pair = pair_open();
  hawser* const a = pair->side[0].host;
  const struct opened o = open_v4(pair, IPPROTO_MPTCP, 80);
  transfer(pair, 0, o.client, o.server, 100 * 1000);
  struct mptcp_info whole;
  socklen_t length = sizeof whole;
  CHECK_EQ(hawser_getsockopt(a, o.client, SOL_OF_MPTCP, MPTCP_INFO, &whole, &length), 0);
  CHECK(whole.mptcpi_subflows >= 1);
  CHECK_EQ(whole.mptcpi_flags, MPTCP_INFO_FLAG_REMOTE_KEY_RECEIVED);
  struct {
    struct mptcp_subflow_data head;
    struct mptcp_subflow_addrs addresses[8];
  } at;
  memset(&at, 0, sizeof at);
  at.head.size_subflow_data = sizeof at.head;
  at.head.size_user = sizeof at.addresses[0];
  length = sizeof at;
  CHECK_EQ(hawser_getsockopt(a, o.client, SOL_OF_MPTCP, MPTCP_SUBFLOW_ADDRS, &at, &length), 0);
  CHECK_EQ(at.head.num_subflows, whole.mptcpi_subflows + 1);
  CHECK_EQ(length, sizeof at.head + at.head.num_subflows * sizeof at.addresses[0]);
  const struct sockaddr_in there = v4("10.0.0.2", 80);
  CHECK_EQ(memcmp(&at.addresses[0].sin_remote, &there, sizeof there), 0);
  struct {
    struct mptcp_subflow_data head;
    struct tcp_info infos[8];
  } tcp;
  memset(&tcp, 0, sizeof tcp);
  tcp.head.size_subflow_data = sizeof tcp.head;
  tcp.head.size_user = sizeof tcp.infos[0];
  length = sizeof tcp;
  CHECK_EQ(hawser_getsockopt(a, o.client, SOL_OF_MPTCP, MPTCP_TCPINFO, &tcp, &length), 0);
  CHECK_EQ(tcp.head.num_subflows, at.head.num_subflows);
  CHECK(tcp.infos[0].tcpi_state == 1 && tcp.infos[1].tcpi_state == 1);
  /* The arrays of mptcp_full_info lie elsewhere; the structure is newer than this header. */
  struct {
    uint32_t size_tcp_kernel, size_tcp_user, size_sf_kernel, size_sf_user, subflows, size_arrays;
    uint64_t subflow_info, tcp_info;
    struct mptcp_info info;
  } full;
  memset(&full, 0, sizeof full);
  full.size_tcp_user = sizeof tcp.infos[0];
  full.size_arrays = 8;
  full.tcp_info = (uint64_t)(uintptr_t)tcp.infos;
  memset(tcp.infos, 0, sizeof tcp.infos);
  length = sizeof full;
  CHECK_EQ(hawser_getsockopt(a, o.client, SOL_OF_MPTCP, FULL_INFO, &full, &length), 0);
  CHECK_EQ(full.subflows, at.head.num_subflows);
  CHECK_EQ(tcp.infos[1].tcpi_state, 1);
  CHECK_EQ(full.info.mptcpi_subflows, whole.mptcpi_subflows);
  pair_close(pair);
}
