/** The tests of the C face, by file. Each ends the program when something does not hold. */
#ifndef TEST_EMBED_TESTS_H
#define TEST_EMBED_TESTS_H

#include "test/mptcp/api/embed/pair.h"

/* options_test.c */
void test_numbers(void);
void test_congestion(int protocol);
void test_cork(int protocol);
void test_linger(int protocol);
void test_tos(int protocol);
void test_info(int protocol);
void test_mptcp_info(void);

/* command_test.c */
void test_settings(void);
void test_endpoint_words(void);
void test_subflow_endpoint(void);
void test_signal_endpoint(void);

#endif
