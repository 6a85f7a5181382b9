#include <string.h>

#include "test/mptcp/api/embed/tests.h"

static char answer[16384];

static int run(hawser* host, const char* line) {
  const ssize_t result = hawser_command(host, line, answer, sizeof answer);
  return result < 0 ? (int)result : 0;
}

static void check_answer(hawser* host, const char* line, const char* wanted) {
  CHECK_EQ(run(host, line), 0);
  if (strcmp(answer, wanted) != 0) fprintf(stderr, "%s\n%s", line, answer);
  CHECK(strcmp(answer, wanted) == 0);
}

/* The number after a name in the JSON of the counters. */
static long counter(hawser* host, const char* name) {
  char key[64];
  snprintf(key, sizeof key, "\"%s\":", name);
  CHECK_EQ(run(host, "counters"), 0);
  const char* at = strstr(answer, key);
  CHECK(at != NULL);
  return strtol(at + strlen(key), NULL, 10);
}

void test_settings(void) {
  struct pair* pair = pair_open();
  hawser* const a = pair->side[0].host;
  check_answer(a, "show scheduler", "scheduler min-rtt\n");
  CHECK_EQ(run(a, "set scheduler round-robin"), 0);
  check_answer(a, "show scheduler", "scheduler round-robin\n");
  CHECK_EQ(run(a, "set rto_min_ms 50"), 0);
  check_answer(a, " show\trto_min_ms\n", "rto_min_ms 50\n");
  CHECK_EQ(run(a, "set scheduler fastest"), -EINVAL);
  CHECK_EQ(run(a, "set checksum 2"), -EINVAL);
  CHECK_EQ(run(a, "set version 0"), 0);
  CHECK_EQ(run(a, "set oldest_version 1"), -EINVAL);
  CHECK_EQ(run(a, "set rto_max_ms 49"), -EINVAL);
  CHECK_EQ(run(a, "set colour red"), -EINVAL);
  CHECK_EQ(run(a, "show colour"), -EINVAL);
  CHECK_EQ(run(a, ""), -EINVAL);
  CHECK_EQ(run(a, "frob"), -EINVAL);
  CHECK(run(a, "show") == 0 && strstr(answer, "\ncongestion_control cubic\n") != NULL);
  char small[8];
  CHECK_EQ(hawser_command(a, "show rto_min_ms", small, sizeof small), 14);
  CHECK(strcmp(small, "rto_min") == 0);
  CHECK_EQ(hawser_command(a, "show rto_min_ms", NULL, 0), 14);
  pair_close(pair);
}

/* The lines are those of `ip mptcp` of Linux. */
void test_endpoint_words(void) {
  struct pair* pair = pair_open();
  hawser* const a = pair->side[0].host;
  check_answer(a, "limits show", "add_addr_accepted 0 subflows 2 \n");
  CHECK_EQ(run(a, "limits set subflows 3 add_addr_accepted 2"), 0);
  check_answer(a, "limits", "add_addr_accepted 2 subflows 3 \n");
  CHECK_EQ(run(a, "limits set subflows 9"), -EINVAL);
  CHECK_EQ(run(a, "limits set"), -EINVAL);
  check_answer(a, "endpoint show", "");
  CHECK_EQ(run(a, "endpoint add 10.0.0.1 dev lo id 3 subflow"), 0);
  CHECK_EQ(run(a, "endpoint add 10.0.1.1 signal backup"), 0);
  CHECK_EQ(run(a, "endpoint add 10.0.1.1 signal"), -EEXIST);
  CHECK_EQ(run(a, "endpoint add 10.0.1.9 id 3 signal"), -EBUSY);
  CHECK_EQ(run(a, "endpoint add fd00::1 subflow fullmesh"), 0);
  CHECK_EQ(run(a, "endpoint add 10.0.7.8 port 9000 subflow"), -EINVAL);
  CHECK_EQ(run(a, "endpoint add 10.0.7.9 signal fullmesh"), -EINVAL);
  CHECK_EQ(run(a, "endpoint add nonsense"), -EINVAL);
  CHECK_EQ(run(a, "endpoint add"), -EINVAL);
  CHECK_EQ(run(a, "endpoint add 10.0.7.10"), 0);
  check_answer(a, "endpoint show",
               "10.0.0.1 id 3 subflow dev lo \n10.0.1.1 id 4 signal backup \n"
               "fd00::1 id 5 subflow fullmesh \n10.0.7.10 id 6 \n");
  check_answer(a, "endpoint show id 4", "10.0.1.1 id 4 signal backup \n");
  CHECK_EQ(run(a, "endpoint show id 99"), -EINVAL);
  CHECK_EQ(run(a, "endpoint change id 3 backup"), 0);
  CHECK_EQ(run(a, "endpoint change 10.0.1.1 nobackup"), 0);
  CHECK_EQ(run(a, "endpoint change id 77 backup"), -EINVAL);
  CHECK_EQ(run(a, "endpoint change id 3 signal"), -EINVAL);
  check_answer(a, "endpoint show",
               "10.0.0.1 id 3 subflow backup dev lo \n10.0.1.1 id 4 signal \n"
               "fd00::1 id 5 subflow fullmesh \n10.0.7.10 id 6 \n");
  CHECK_EQ(run(a, "endpoint delete id 3"), 0);
  CHECK_EQ(run(a, "endpoint del id 3"), -EINVAL);
  CHECK_EQ(run(a, "endpoint del id 0 10.0.0.1"), 0);
  CHECK_EQ(run(a, "endpoint flush"), 0);
  check_answer(a, "endpoint show", "");
  pair_close(pair);
}

static int join_id, join_syns;

/* Reads the address id of each MP_JOIN in a SYN (RFC 8684 §3.2). */
static bool reads_joins(struct pair* pair, int from, const unsigned char* packet, size_t length) {
  (void)pair;
  if (from != 0 || packet[0] >> 4 != 4 || (packet[33] & 0x12) != 0x02) return false;
  for (size_t at = 40; at + 3 < length && packet[at] != 0;) {
    if (packet[at] == 30 && packet[at + 1] == 12 && packet[at + 2] >> 4 == 1) {
      ++join_syns;
      join_id = packet[at + 3];
    }
    at += packet[at] == 1 ? 1 : packet[at + 1];
  }
  return false;
}

/* A `subflow` endpoint opens one, with its id; deleted, it takes it away. */
void test_subflow_endpoint(void) {
  struct pair* pair = pair_open();
  hawser* const a = pair->side[0].host;
  hawser* const b = pair->side[1].host;
  CHECK_EQ(run(a, "endpoint add 10.0.1.1 id 7 subflow"), 0);
  CHECK_EQ(run(b, "limits set subflows 1"), 0);
  join_id = join_syns = 0;
  pair->loses = reads_joins;
  const struct opened o = open_v4(pair, IPPROTO_MPTCP, 80);
  transfer(pair, 0, o.client, o.server, 1000 * 1000);
  CHECK_EQ(join_syns, 1);
  CHECK_EQ(join_id, 7);
  CHECK(pair->sent_by_last_octet[1] > 100);
  CHECK_EQ(counter(a, "MPJoinSynTx"), 1);
  CHECK_EQ(counter(b, "MPJoinAckRx"), 1);
  CHECK(counter(a, "OutSegs") > 700);
  CHECK_EQ(run(a, "endpoint change id 7 backup"), 0);
  pair_run(pair, 50);
  CHECK_EQ(counter(b, "MPPrioRx"), 1);
  CHECK_EQ(run(a, "endpoint delete id 7"), 0);
  pair_run(pair, 50);
  CHECK_EQ(counter(b, "RmAddr"), 1);
  const unsigned before = pair->sent_by_last_octet[1];
  transfer(pair, 0, o.client, o.server, 100 * 1000);
  CHECK_EQ(pair->sent_by_last_octet[1], before);
  pair_close(pair);
}

/* A `signal` endpoint is announced, and joined when the peer's limit lets it. */
void test_signal_endpoint(void) {
  for (int accepted = 0; accepted < 2; ++accepted) {
    struct pair* pair = pair_open();
    hawser* const a = pair->side[0].host;
    hawser* const b = pair->side[1].host;
    CHECK_EQ(run(a, accepted != 0 ? "limits set add_addr_accepted 1 subflows 1"
                                  : "limits set add_addr_accepted 0 subflows 1"),
             0);
    CHECK_EQ(run(b, "endpoint add 10.0.1.2 signal"), 0);
    const struct opened o = open_v4(pair, IPPROTO_MPTCP, 80);
    transfer(pair, 0, o.client, o.server, 100 * 1000);
    pair_run(pair, 500);
    CHECK_EQ(counter(a, "AddAddr"), 1);
    CHECK_EQ(counter(b, "EchoAdd"), 1);
    CHECK_EQ(counter(b, "MPJoinAckRx"), accepted);
    /* An endpoint that is added now is used by the connection that is there. */
    if (accepted == 0) {
      CHECK_EQ(run(a, "endpoint add 10.0.1.1 subflow"), 0);
      pair_run(pair, 100);
      CHECK_EQ(counter(b, "MPJoinAckRx"), 1);
    }
    pair_close(pair);
  }
}
