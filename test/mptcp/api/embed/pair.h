/** Two hosts of hawser.h joined by a network in virtual time, and what the tests need of C. */
#ifndef TEST_EMBED_PAIR_H
#define TEST_EMBED_PAIR_H

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "mptcp/api/hawser.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

/** Ends the test program with the place of what does not hold. */
#define CHECK(condition)                                          \
  do {                                                            \
    if (!(condition)) fail(__FILE__, __LINE__, #condition, 0, 0); \
  } while (0)
#define CHECK_EQ(is, wanted) \
  check_equal(__FILE__, __LINE__, #is, (long long)(is), (long long)(wanted))

_Noreturn void fail(const char* file, int line, const char* what, long long is, long long wanted);
void check_equal(const char* file, int line, const char* what, long long is, long long wanted);

enum { MOST_FLIGHTS = 4096, MOST_PACKET = 1500, MOST_READY = 256 };

struct flight {
  uint64_t arrival;
  int to;
  size_t length;
  unsigned char packet[MOST_PACKET];
};

struct pair;

/** One of the two hosts. */
struct side {
  struct pair* pair;
  int index;
  hawser* host;
  short ready[MOST_READY]; /**< What was told of each socket since this was zeroed. */
};

/** Packets take `delay` nanoseconds from one host to the other, in the order sent. */
struct pair {
  struct side side[2];
  uint64_t now;
  uint64_t delay;
  /** Whether a packet from a side is lost; null: none is. */
  bool (*loses)(struct pair* pair, int from, const unsigned char* packet, size_t length);
  unsigned sent;                    /**< Packets so far. */
  unsigned sent_by_last_octet[256]; /**< By the last octet of the IPv4 source's subnet. */
  size_t first, last;               /**< Of the ring of flights. */
  struct flight flights[MOST_FLIGHTS];
};

/** Hosts 10.0.0.N and 10.0.1.N, and fd00::N and fd01::N, N being 1 and 2. */
struct pair* pair_open(void);
void pair_close(struct pair* pair);
/** Lets the two run for `milliseconds`. */
void pair_run(struct pair* pair, unsigned milliseconds);

struct sockaddr_in v4(const char* address, unsigned port);
struct sockaddr_in6 v6(const char* address, unsigned port);

/** A listener of the second host on 0.0.0.0, or `::`, and a connection of the first to it. */
struct opened {
  int listener, client, server;
};
struct opened open_v4(struct pair* pair, int protocol, unsigned port);

/** Octet number `at` of what the tests send. */
unsigned char octet_at(size_t at);
/** Sends octets from one socket to another, comparing each one that comes. */
void transfer(struct pair* pair, int from, int source, int sink, size_t length);

#endif
