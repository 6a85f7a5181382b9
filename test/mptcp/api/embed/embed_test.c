#include <fcntl.h>
#include <string.h>

#include "test/mptcp/api/embed/tests.h"

static int new_socket(hawser* host, int protocol) {
  const int number = hawser_socket(host, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, protocol);
  CHECK(number >= 3);
  return number;
}

static int connect_to(hawser* host, int number, const char* address, unsigned port) {
  const struct sockaddr_in there = v4(address, port);
  return hawser_connect(host, number, (const struct sockaddr*)&there, sizeof there);
}

static int bind_to(hawser* host, int number, const char* address, unsigned port) {
  const struct sockaddr_in here = v4(address, port);
  return hawser_bind(host, number, (const struct sockaddr*)&here, sizeof here);
}

static short poll_of(hawser* host, int number) {
  struct pollfd one = {number, (short)~POLLNVAL, 0};
  const int told = hawser_poll(host, &one, 1);
  CHECK_EQ(told, one.revents != 0);
  return one.revents;
}

enum {
  IN = POLLIN | POLLRDNORM,
  OUT = POLLOUT | POLLWRNORM,
  FRESH = POLLHUP | OUT,
  ENDED = IN | OUT | POLLHUP | POLLRDHUP
};

static void test_config(void) {
  const char* const good[] = {"10.0.0.1/24"};
  const char* const twice[] = {"10.0.0.1/24", "10.0.0.1/16"};
  const char* const bad[] = {"ten"};
  hawser* host = NULL;
  struct pair* pair = pair_open();
  struct hawser_config config;
  memset(&config, 0, sizeof config);
  CHECK_EQ(hawser_open(&config, &host), -EINVAL);
  config.size = sizeof config;
  config.addresses = good;
  CHECK_EQ(hawser_open(&config, &host), -EINVAL);
  config.address_count = 1;
  CHECK_EQ(hawser_open(&config, &host), -EINVAL); /* No output. */
  config.addresses = bad;
  CHECK_EQ(hawser_open(&config, &host), -EINVAL);
  config.addresses = twice;
  config.address_count = 2;
  CHECK_EQ(hawser_open(&config, &host), -EINVAL);
  CHECK_EQ(hawser_version(), HAWSER_API_VERSION);
  CHECK_EQ(hawser_input(pair->side[0].host, "x", 1), -EINVAL);
  pair_close(pair);
}

static bool loses_every_tenth_data(struct pair* pair, int from, const unsigned char* packet,
                                   size_t length) {
  (void)packet;
  return from == 0 && length > 1000 && pair->sent % 10 == 0;
}

/* Two paths, losses, an orderly end. */
static void test_multipath(void) {
  struct pair* pair = pair_open();
  hawser* const a = pair->side[0].host;
  hawser* const b = pair->side[1].host;
  const struct opened o = open_v4(pair, IPPROTO_MPTCP, 80);
  CHECK((pair->side[0].ready[o.client] & POLLOUT) != 0);
  CHECK((pair->side[1].ready[o.listener] & POLLIN) != 0);
  transfer(pair, 0, o.client, o.server, 3 * 1000 * 1000);
  CHECK(pair->sent_by_last_octet[0] > 500 && pair->sent_by_last_octet[1] > 500);
  pair->loses = loses_every_tenth_data;
  transfer(pair, 0, o.client, o.server, 300 * 1000);
  pair->loses = NULL;
  transfer(pair, 1, o.server, o.client, 1000 * 1000);

  char octet;
  CHECK_EQ(poll_of(b, o.server), OUT);
  CHECK_EQ(hawser_shutdown(a, o.client, SHUT_WR), 0);
  CHECK_EQ(hawser_write(a, o.client, "x", 1), -EPIPE);
  pair_run(pair, 50);
  CHECK_EQ(hawser_read(b, o.server, &octet, 1), 0);
  CHECK_EQ(poll_of(b, o.server), IN | OUT | POLLRDHUP);
  CHECK_EQ(hawser_read(a, o.client, &octet, 1), -EAGAIN);
  CHECK_EQ(hawser_write(b, o.server, "y", 1), 1);
  CHECK_EQ(hawser_close(b, o.server), 0);
  CHECK_EQ(hawser_close(b, o.server), -EBADF);
  pair_run(pair, 50);
  CHECK_EQ(hawser_read(a, o.client, &octet, 1), 1);
  CHECK_EQ(octet, 'y');
  CHECK_EQ(hawser_read(a, o.client, &octet, 1), 0);
  CHECK_EQ(poll_of(a, o.client), ENDED);
  CHECK_EQ(hawser_close(a, o.client), 0);
  CHECK_EQ(hawser_close(b, o.listener), 0);
  pair_run(pair, 5);
  CHECK(hawser_next_deadline(a) > pair->now);
  pair_close(pair);
}

/* What a kernel of Linux 6.18 answers to each of these calls. */
static void test_fresh(int protocol) {
  struct pair* pair = pair_open();
  hawser* const a = pair->side[0].host;
  char octet;
  const int s = new_socket(a, protocol);
  CHECK_EQ(s, 3);
  CHECK_EQ(poll_of(a, s), FRESH);
  CHECK_EQ(hawser_recv(a, s, &octet, 1, 0), -ENOTCONN);
  CHECK_EQ(hawser_send(a, s, "x", 1, MSG_NOSIGNAL), -EPIPE);
  CHECK_EQ(hawser_read(a, s, &octet, 0), 0);
  CHECK_EQ(hawser_shutdown(a, s, SHUT_WR), -ENOTCONN);
  CHECK_EQ(hawser_accept(a, s, NULL, NULL), -EINVAL);
  struct sockaddr_in name;
  socklen_t length = sizeof name;
  CHECK_EQ(hawser_getpeername(a, s, (struct sockaddr*)&name, &length), -ENOTCONN);
  CHECK_EQ(hawser_getsockname(a, s, (struct sockaddr*)&name, &length), 0);
  CHECK(length == sizeof name && name.sin_port == 0 && name.sin_addr.s_addr == 0);
  CHECK_EQ(hawser_fcntl(a, s, F_GETFL, 0), O_RDWR | O_NONBLOCK);
  CHECK_EQ(hawser_close(a, s), 0);
  CHECK_EQ(hawser_recv(a, s, &octet, 1, 0), -EBADF);
  CHECK_EQ(poll_of(a, s), POLLNVAL);
  CHECK_EQ(hawser_socket(a, AF_UNIX, SOCK_STREAM, 0), -EAFNOSUPPORT);
  CHECK_EQ(hawser_socket(a, AF_INET, SOCK_STREAM, 7), -EPROTONOSUPPORT);
  CHECK_EQ(hawser_socket(a, AF_INET, SOCK_STREAM, 300), -EINVAL);
  pair_close(pair);
}

static void test_names(int protocol) {
  struct pair* pair = pair_open();
  hawser* const a = pair->side[0].host;
  char octet;
  const int s = new_socket(a, protocol);
  CHECK_EQ(bind_to(a, s, "203.0.113.9", 0), -EADDRNOTAVAIL);
  CHECK_EQ(bind_to(a, s, "10.0.0.1", 0), 0);
  CHECK_EQ(bind_to(a, s, "10.0.0.1", 0), -EINVAL);
  struct sockaddr_in name;
  socklen_t length = sizeof name;
  CHECK_EQ(hawser_getsockname(a, s, (struct sockaddr*)&name, &length), 0);
  CHECK(ntohs(name.sin_port) >= 32768);
  CHECK_EQ(hawser_listen(a, s, 5), 0);
  CHECK_EQ(hawser_listen(a, s, 5), 0);
  CHECK_EQ(connect_to(a, s, "10.0.0.2", 80), -EISCONN);
  CHECK_EQ(hawser_recv(a, s, &octet, 1, 0), -ENOTCONN);
  CHECK_EQ(hawser_send(a, s, "x", 1, 0), -EPIPE);
  CHECK_EQ(hawser_accept(a, s, NULL, NULL), -EAGAIN);
  CHECK_EQ(poll_of(a, s), 0);
  const int t = new_socket(a, protocol);
  CHECK_EQ(bind_to(a, t, "10.0.0.1", ntohs(name.sin_port)), -EADDRINUSE);
  CHECK_EQ(bind_to(a, t, "0.0.0.0", ntohs(name.sin_port)), -EADDRINUSE);
  CHECK_EQ(bind_to(a, t, "10.0.1.1", ntohs(name.sin_port)), 0);
  struct sockaddr_in6 other = v6("::1", 5);
  const struct sockaddr* const wide = (const struct sockaddr*)&other;
  CHECK_EQ(hawser_bind(a, new_socket(a, protocol), wide, sizeof other), -EAFNOSUPPORT);
  CHECK_EQ(hawser_connect(a, new_socket(a, protocol), wide, sizeof other), -EAFNOSUPPORT);
  CHECK_EQ(hawser_connect(a, new_socket(a, protocol), wide, 15), -EINVAL);
  CHECK_EQ(connect_to(a, new_socket(a, protocol), "255.255.255.255", 5), -ENETUNREACH);
  CHECK_EQ(connect_to(a, new_socket(a, protocol), "224.0.0.5", 5), -ENETUNREACH);
  CHECK_EQ(hawser_shutdown(a, s, SHUT_RD), 0);
  CHECK_EQ(hawser_accept(a, s, NULL, NULL), -EINVAL);
  CHECK_EQ(hawser_listen(a, s, 1), 0);
  pair_close(pair);
}

static void test_connecting(int protocol) {
  struct pair* pair = pair_open();
  hawser* const a = pair->side[0].host;
  char octet;
  const int s = new_socket(a, protocol);
  CHECK_EQ(connect_to(a, s, "198.51.100.1", 5), -EINPROGRESS);
  CHECK_EQ(connect_to(a, s, "198.51.100.1", 5), -EALREADY);
  CHECK_EQ(hawser_recv(a, s, &octet, 1, 0), -EAGAIN);
  CHECK_EQ(hawser_send(a, s, "x", 1, 0), -EAGAIN);
  CHECK_EQ(poll_of(a, s), 0);
  CHECK_EQ(hawser_listen(a, s, 1), -EINVAL);
  CHECK_EQ(hawser_shutdown(a, s, SHUT_WR), 0);
  CHECK_EQ(poll_of(a, s), protocol == IPPROTO_MPTCP ? FRESH : FRESH | POLLERR);
  CHECK_EQ(hawser_shutdown(a, s, SHUT_WR), -ENOTCONN);

  /* Nobody listens there. */
  const int r = new_socket(a, protocol);
  CHECK_EQ(connect_to(a, r, "10.0.0.2", 1), -EINPROGRESS);
  pair_run(pair, 20);
  CHECK_EQ(poll_of(a, r), POLLERR | (protocol == IPPROTO_MPTCP ? FRESH : ENDED));
  CHECK_EQ(connect_to(a, r, "10.0.0.2", 1), -ECONNREFUSED);
  CHECK_EQ(hawser_recv(a, r, &octet, 1, 0), -ENOTCONN);
  CHECK_EQ(hawser_send(a, r, "x", 1, 0), -EPIPE);
  CHECK_EQ(connect_to(a, r, "10.0.0.2", 1), -EINPROGRESS);
  pair_run(pair, 20);
  CHECK_EQ(hawser_recv(a, r, &octet, 1, 0), -ECONNREFUSED);
  CHECK_EQ(hawser_recv(a, r, &octet, 1, 0), protocol == IPPROTO_MPTCP ? -ENOTCONN : 0);
  CHECK_EQ(connect_to(a, r, "10.0.0.2", 1), -ECONNABORTED);
  pair_close(pair);
}

static void test_connected(int protocol) {
  struct pair* pair = pair_open();
  hawser* const a = pair->side[0].host;
  hawser* const b = pair->side[1].host;
  char octets[8];
  const struct opened o = open_v4(pair, protocol, 80);
  CHECK_EQ(connect_to(a, o.client, "10.0.0.2", 80), -EISCONN);
  CHECK_EQ(poll_of(a, o.client), OUT);
  CHECK_EQ(hawser_listen(a, o.client, 5), -EINVAL);
  CHECK_EQ(bind_to(a, o.client, "10.0.0.1", 0), -EINVAL);
  CHECK_EQ(hawser_recv(a, o.client, octets, 1, MSG_OOB),
           protocol == IPPROTO_MPTCP ? -EAGAIN : -EINVAL);
  CHECK_EQ(hawser_shutdown(a, o.client, 7), -EINVAL);
  CHECK_EQ(hawser_send(a, o.client, "", 0, 0), 0);
  CHECK_EQ(hawser_send(b, o.server, "abc", 3, 0), 3);
  CHECK_EQ(hawser_shutdown(b, o.server, SHUT_WR), 0);
  pair_run(pair, 50);
  CHECK_EQ(poll_of(a, o.client), IN | OUT | POLLRDHUP);
  CHECK_EQ(hawser_recv(a, o.client, octets, 2, MSG_PEEK), 2);
  CHECK_EQ(hawser_recv(a, o.client, octets, 8, MSG_PEEK), 3);
  int unread = 0;
  CHECK_EQ(hawser_ioctl(a, o.client, 0x541b, &unread), 0); /* SIOCINQ */
  CHECK_EQ(unread, 3);
  struct iovec parts[2] = {{octets, 1}, {octets + 4, 4}};
  CHECK_EQ(hawser_readv(a, o.client, parts, 2), 3);
  CHECK(octets[0] == 'a' && memcmp(octets + 4, "bc", 2) == 0);
  CHECK_EQ(hawser_recv(a, o.client, octets, 8, 0), 0);
  CHECK_EQ(hawser_shutdown(a, o.client, SHUT_WR), 0);
  pair_run(pair, 50);
  CHECK_EQ(poll_of(a, o.client), ENDED);
  CHECK_EQ(poll_of(b, o.server), ENDED);
  CHECK_EQ(hawser_send(a, o.client, "x", 1, 0), -EPIPE);
  CHECK_EQ(hawser_getpeername(a, o.client, NULL, NULL), -ENOTCONN);
  CHECK_EQ(connect_to(a, o.client, "10.0.0.2", 80), -EISCONN);
  CHECK_EQ(hawser_shutdown(a, o.client, SHUT_WR), -ENOTCONN);
  pair_close(pair);
}

/* What the peer has not read when it closes makes it a reset. */
static void test_reset(int protocol) {
  struct pair* pair = pair_open();
  hawser* const a = pair->side[0].host;
  hawser* const b = pair->side[1].host;
  char octet;
  const struct opened o = open_v4(pair, protocol, 80);
  CHECK_EQ(hawser_send(a, o.client, "q", 1, 0), 1);
  pair_run(pair, 50);
  CHECK_EQ(hawser_recv(b, o.server, &octet, 1, MSG_PEEK), 1);
  CHECK_EQ(hawser_close(b, o.server), 0);
  pair_run(pair, 50);
  CHECK_EQ(poll_of(a, o.client), ENDED | POLLERR);
  CHECK_EQ(hawser_recv(a, o.client, &octet, 1, 0), -ECONNRESET);
  CHECK_EQ(hawser_recv(a, o.client, &octet, 1, 0), 0);
  CHECK_EQ(hawser_send(a, o.client, "x", 1, 0), -EPIPE);
  pair_close(pair);
}

/* connect() to AF_UNSPEC resets, and the socket connects again. */
static void test_unspec(int protocol) {
  struct pair* pair = pair_open();
  hawser* const a = pair->side[0].host;
  hawser* const b = pair->side[1].host;
  char octet;
  const struct opened o = open_v4(pair, protocol, 80);
  const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
  CHECK_EQ(hawser_connect(a, o.client, &nobody, sizeof nobody), 0);
  pair_run(pair, 50);
  CHECK_EQ(hawser_recv(b, o.server, &octet, 1, 0), -ECONNRESET);
  CHECK_EQ(hawser_send(a, o.client, "x", 1, 0), protocol == IPPROTO_MPTCP ? -EPIPE : -ECONNRESET);
  CHECK_EQ(poll_of(a, o.client), FRESH);
  CHECK_EQ(connect_to(a, o.client, "10.0.0.2", 80), -EINPROGRESS);
  pair_run(pair, 50);
  CHECK_EQ(connect_to(a, o.client, "10.0.0.2", 80), 0);
  CHECK_EQ(hawser_connect(b, o.listener, &nobody, sizeof nobody), 0);
  CHECK_EQ(poll_of(b, o.listener), FRESH);
  pair_close(pair);
}

/* A listener on `::` takes both families; IPv4 comes as v4-mapped. */
static void test_v6(int protocol) {
  struct pair* pair = pair_open();
  hawser* const a = pair->side[0].host;
  hawser* const b = pair->side[1].host;
  const struct sockaddr_in6 any = v6("::", 443);
  const int l = hawser_socket(b, AF_INET6, SOCK_STREAM, protocol);
  CHECK_EQ(hawser_bind(b, l, (const struct sockaddr*)&any, sizeof any), 0);
  CHECK_EQ(bind_to(b, new_socket(b, protocol), "0.0.0.0", 443), -EADDRINUSE);
  CHECK_EQ(hawser_listen(b, l, 8), 0);
  static const char* const there[] = {"fd00::2", "::ffff:10.0.0.2"};
  static const char* const here[] = {"fd00::1", "::ffff:10.0.0.1"};
  for (int i = 0; i < 2; ++i) {
    const struct sockaddr_in6 to = v6(there[i], 443);
    const struct sockaddr_in6 from = v6(here[i], 0);
    const int c = hawser_socket(a, AF_INET6, SOCK_STREAM, protocol);
    CHECK_EQ(hawser_connect(a, c, (const struct sockaddr*)&to, sizeof to), -EINPROGRESS);
    pair_run(pair, 50);
    struct sockaddr_in6 name;
    socklen_t length = sizeof name;
    const int s = hawser_accept(b, l, (struct sockaddr*)&name, &length);
    CHECK(s >= 3 && length == sizeof name && name.sin6_family == AF_INET6);
    CHECK_EQ(memcmp(&name.sin6_addr, &from.sin6_addr, sizeof name.sin6_addr), 0);
    transfer(pair, 0, c, s, 20 * 1000);
  }
  pair_close(pair);
}

static uint64_t digest;

static bool digests(struct pair* pair, int from, const unsigned char* packet, size_t length) {
  digest = digest * 31 + pair->now + (unsigned)from;
  for (size_t i = 0; i < length; ++i)
    digest = (digest ^ packet[i]) * UINT64_C(1099511628211);
  return pair->sent % 50 == 0;
}

/* The same calls give the same packets at the same times, losses and all. */
static void test_repeats(void) {
  uint64_t digests_of[2];
  for (int i = 0; i < 2; ++i) {
    struct pair* pair = pair_open();
    digest = 0;
    pair->loses = digests;
    const struct opened o = open_v4(pair, IPPROTO_MPTCP, 80);
    transfer(pair, 0, o.client, o.server, 200 * 1000);
    digests_of[i] = digest;
    pair_close(pair);
  }
  CHECK(digests_of[0] == digests_of[1]);
}

/* What came before accept() is told by the next hawser_run(), or it would never be. */
static void test_late_accept(int protocol) {
  struct pair* pair = pair_open();
  hawser* const a = pair->side[0].host;
  hawser* const b = pair->side[1].host;
  const int l = new_socket(b, protocol);
  CHECK_EQ(bind_to(b, l, "0.0.0.0", 80), 0);
  CHECK_EQ(hawser_listen(b, l, 1), 0);
  const int c = new_socket(a, protocol);
  CHECK_EQ(connect_to(a, c, "10.0.0.2", 80), -EINPROGRESS);
  pair_run(pair, 20);
  CHECK_EQ(hawser_write(a, c, "early", 5), 5);
  pair_run(pair, 20);
  CHECK_EQ(poll_of(b, l), IN);
  pair_run(pair, 20);
  const int s = hawser_accept(b, l, NULL, NULL);
  CHECK(s >= 3);
  CHECK(hawser_next_deadline(b) <= pair->now);
  pair_run(pair, 1);
  CHECK_EQ(pair->side[1].ready[s] & POLLIN, POLLIN);
  pair_close(pair);
}

struct test {
  const char* name;
  void (*plain)(void);
  void (*of_protocol)(int protocol);
};

/* Runs the tests whose name has the first argument in it, or all. */
int main(int argc, char** argv) {
  static const struct test tests[] = {
      {"config", test_config, NULL},
      {"multipath", test_multipath, NULL},
      {"fresh", NULL, test_fresh},
      {"names", NULL, test_names},
      {"connecting", NULL, test_connecting},
      {"connected", NULL, test_connected},
      {"reset", NULL, test_reset},
      {"unspec", NULL, test_unspec},
      {"v6", NULL, test_v6},
      {"numbers", test_numbers, NULL},
      {"congestion", NULL, test_congestion},
      {"cork", NULL, test_cork},
      {"linger", NULL, test_linger},
      {"tos", NULL, test_tos},
      {"info", NULL, test_info},
      {"mptcp_info", test_mptcp_info, NULL},
      {"settings", test_settings, NULL},
      {"repeats", test_repeats, NULL},
      {"late_accept", NULL, test_late_accept},
      {"endpoint_words", test_endpoint_words, NULL},
      {"subflow_endpoint", test_subflow_endpoint, NULL},
      {"signal_endpoint", test_signal_endpoint, NULL},
  };
  int count = 0;
  for (size_t i = 0; i < sizeof tests / sizeof *tests; ++i) {
    if (argc > 1 && strstr(tests[i].name, argv[1]) == NULL) continue;
    printf("%s\n", tests[i].name);
    fflush(stdout);
    ++count;
    if (tests[i].plain != NULL) {
      tests[i].plain();
      continue;
    }
    tests[i].of_protocol(IPPROTO_TCP);
    tests[i].of_protocol(IPPROTO_MPTCP);
  }
  /* As the other programs of the suite say it. */
  printf("All tests passed (of C, in %d test cases)\n", count);
  return 0;
}
