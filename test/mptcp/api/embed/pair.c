#include "test/mptcp/api/embed/pair.h"

#include <arpa/inet.h>
#include <string.h>

void fail(const char* file, int line, const char* what, long long is, long long wanted) {
  fprintf(stderr, "%s:%d: %s: %lld, not %lld (%s)\n", file, line, what, is, wanted,
          is < 0 ? strerror((int)-is) : "");
  exit(1);
}

void check_equal(const char* file, int line, const char* what, long long is, long long wanted) {
  if (is != wanted) fail(file, line, what, is, wanted);
}

static void on_output(void* user, const void* packet, size_t length) {
  struct side* side = user;
  struct pair* pair = side->pair;
  const unsigned char* octets = packet;
  ++pair->sent;
  ++pair->sent_by_last_octet[octets[0] >> 4 == 4 ? octets[14] : 0xff];
  if (pair->loses != NULL && pair->loses(pair, side->index, octets, length)) return;
  struct flight* flight = &pair->flights[pair->last++ % MOST_FLIGHTS];
  CHECK(pair->last - pair->first <= MOST_FLIGHTS && length <= MOST_PACKET);
  flight->arrival = pair->now + pair->delay;
  flight->to = 1 - side->index;
  flight->length = length;
  memcpy(flight->packet, packet, length);
}

static void on_ready(void* user, int socket, short events) {
  struct side* side = user;
  if (socket < MOST_READY) side->ready[socket] = (short)(side->ready[socket] | events);
}

struct pair* pair_open(void) {
  static const char* const addresses[2][4] = {
      {"10.0.0.1/24", "10.0.1.1/24", "fd00::1/64", "fd01::1/64"},
      {"10.0.0.2/24", "10.0.1.2/24", "fd00::2/64", "fd01::2/64"}};
  struct pair* pair = calloc(1, sizeof *pair);
  CHECK(pair != NULL);
  pair->delay = 1000 * 1000;
  for (int i = 0; i < 2; ++i) {
    struct side* side = &pair->side[i];
    struct hawser_config config;
    memset(&config, 0, sizeof config);
    config.size = sizeof config;
    config.addresses = addresses[i];
    config.address_count = 4;
    config.seed = (uint64_t)i + 1;
    config.user = side;
    config.output = on_output;
    config.ready = on_ready;
    side->pair = pair;
    side->index = i;
    CHECK_EQ(hawser_open(&config, &side->host), 0);
  }
  return pair;
}

void pair_close(struct pair* pair) {
  hawser_free(pair->side[0].host);
  hawser_free(pair->side[1].host);
  free(pair);
}

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

static void deliver(struct pair* pair) {
  while (pair->first != pair->last) {
    const struct flight* flight = &pair->flights[pair->first % MOST_FLIGHTS];
    if (flight->arrival > pair->now) return;
    CHECK_EQ(hawser_input(pair->side[flight->to].host, flight->packet, flight->length), 0);
    ++pair->first;
  }
}

void pair_run(struct pair* pair, unsigned milliseconds) {
  const uint64_t end = pair->now + milliseconds * UINT64_C(1000000);
  for (;;) {
    for (int i = 0; i < 2; ++i) {
      hawser_set_now(pair->side[i].host, pair->now);
      hawser_run(pair->side[i].host);
    }
    uint64_t next = end;
    for (int i = 0; i < 2; ++i)
      next = least(next, hawser_next_deadline(pair->side[i].host));
    if (pair->first != pair->last)
      next = least(next, pair->flights[pair->first % MOST_FLIGHTS].arrival);
    if (next >= end) break;
    pair->now = next > pair->now ? next : pair->now + 1;
    for (int i = 0; i < 2; ++i)
      hawser_set_now(pair->side[i].host, pair->now);
    deliver(pair);
  }
  pair->now = end;
  for (int i = 0; i < 2; ++i)
    hawser_set_now(pair->side[i].host, pair->now);
}

struct sockaddr_in v4(const char* address, unsigned port) {
  struct sockaddr_in out;
  memset(&out, 0, sizeof out);
  out.sin_family = AF_INET;
  out.sin_port = htons((uint16_t)port);
  CHECK(inet_pton(AF_INET, address, &out.sin_addr) == 1);
  return out;
}

struct sockaddr_in6 v6(const char* address, unsigned port) {
  struct sockaddr_in6 out;
  memset(&out, 0, sizeof out);
  out.sin6_family = AF_INET6;
  out.sin6_port = htons((uint16_t)port);
  CHECK(inet_pton(AF_INET6, address, &out.sin6_addr) == 1);
  return out;
}

struct opened open_v4(struct pair* pair, int protocol, unsigned port) {
  hawser* const a = pair->side[0].host;
  hawser* const b = pair->side[1].host;
  const struct sockaddr_in any = v4("0.0.0.0", port);
  const struct sockaddr_in there = v4("10.0.0.2", port);
  struct opened out;
  out.listener = hawser_socket(b, AF_INET, SOCK_STREAM, protocol);
  CHECK(out.listener >= 3);
  CHECK_EQ(hawser_bind(b, out.listener, (const struct sockaddr*)&any, sizeof any), 0);
  CHECK_EQ(hawser_listen(b, out.listener, 8), 0);
  out.client = hawser_socket(a, AF_INET, SOCK_STREAM, protocol);
  CHECK_EQ(hawser_connect(a, out.client, (const struct sockaddr*)&there, sizeof there),
           -EINPROGRESS);
  pair_run(pair, 200);
  out.server = hawser_accept(b, out.listener, NULL, NULL);
  CHECK(out.server >= 3);
  CHECK_EQ(hawser_connect(a, out.client, (const struct sockaddr*)&there, sizeof there), 0);
  return out;
}

unsigned char octet_at(size_t at) { return (unsigned char)(at * 2654435761U >> 13); }

void transfer(struct pair* pair, int from, int source, int sink, size_t length) {
  hawser* const sender = pair->side[from].host;
  hawser* const receiver = pair->side[1 - from].host;
  unsigned char buffer[8192];
  size_t written = 0;
  size_t got = 0;
  for (int turns = 0; got < length; ++turns) {
    CHECK(turns < 100000);
    while (written < length) {
      size_t count = length - written < sizeof buffer ? length - written : sizeof buffer;
      for (size_t i = 0; i < count; ++i)
        buffer[i] = octet_at(written + i);
      const ssize_t taken = hawser_write(sender, source, buffer, count);
      if (taken == -EAGAIN) break;
      CHECK(taken > 0);
      written += (size_t)taken;
    }
    pair_run(pair, 1);
    for (;;) {
      const ssize_t count = hawser_read(receiver, sink, buffer, sizeof buffer);
      if (count == -EAGAIN) break;
      CHECK(count > 0);
      for (ssize_t i = 0; i < count; ++i)
        CHECK(buffer[i] == octet_at(got + (size_t)i));
      got += (size_t)count;
    }
  }
}
