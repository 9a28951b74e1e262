#include "monitor/protocol.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static char got[MONITOR_PACKET_MAX];

static int pair_up(void **state)
{
        static int ends[2];

        *state = ends;
        return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends);
}

static int part(void **state)
{
        int *ends = *state;

        if (ends[0] >= 0)
                close(ends[0]);
        close(ends[1]);
        return 0;
}

static void packets_arrive_as_they_were_sent(void **state)
{
        const struct monitor_stop stop = { .signal = 15, .timeout_ms = -1 };
        struct cor_err err = { 0 };
        struct monitor_stop back;
        int *ends = *state;
        size_t n = 99;

        assert_int_equal(monitor_send(ends[0], MONITOR_STOP, &stop, sizeof stop, &err), 0);
        assert_int_equal(monitor_send(ends[0], MONITOR_STDIN_END, NULL, 0, &err), 0);
        assert_int_equal(monitor_receive(ends[1], got, &n, &err), MONITOR_STOP);
        assert_int_equal(n, sizeof back);
        memcpy(&back, got + 1, sizeof back);
        assert_int_equal(back.signal, 15);
        assert_int_equal(back.timeout_ms, -1);
        assert_int_equal(monitor_receive(ends[1], got, &n, &err), MONITOR_STDIN_END);
        assert_int_equal(n, 0);
        assert_int_equal(monitor_receive(ends[1], got, &n, &err), -1);
        assert_int_equal(err.kind, COR_BUSY);
}

static void the_end_is_no_error(void **state)
{
        struct cor_err err = { 0 };
        int *ends = *state;
        size_t n;

        assert_int_equal(shutdown(ends[0], SHUT_WR), 0);
        assert_int_equal(monitor_receive(ends[1], got, &n, &err), 0);
}

static void who_has_ended_is_not_found(void **state)
{
        struct cor_err err = { 0 };
        int *ends = *state;

        close(ends[0]);
        ends[0] = -1;
        assert_int_equal(monitor_send(ends[1], MONITOR_WAIT, NULL, 0, &err), -1);
        assert_int_equal(err.kind, COR_NOT_FOUND);
}

static void who_ends_with_something_unread_has_said_all(void **state)
{
        struct cor_err err = { 0 };
        int *ends = *state;
        size_t n;

        assert_int_equal(monitor_send(ends[0], MONITOR_STDOUT, "last", 4, &err), 0);
        assert_int_equal(monitor_send(ends[1], MONITOR_STDIN_END, NULL, 0, &err), 0);
        close(ends[0]);
        ends[0] = -1;
        assert_int_equal(monitor_receive(ends[1], got, &n, &err), MONITOR_STDOUT);
        assert_int_equal(n, 4);
        assert_int_equal(monitor_receive(ends[1], got, &n, &err), 0);
}

static void short_and_unknown_packets_are_refused(void **state)
{
        static const char *const bad[] = { "\x01", "\x05\x01\x01", "\x06\x01\x02\x03", "\x7f",
                                           ("\x46"
                                            "abc") };
        int *ends = *state;

        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                struct cor_err err = { 0 };
                size_t n;

                assert_int_equal(send(ends[0], bad[i], strlen(bad[i]), 0), strlen(bad[i]));
                assert_int_equal(monitor_receive(ends[1], got, &n, &err), -1);
                assert_int_equal(err.kind, COR_INVALID);
        }
}

static void an_error_of_another_process_ends(void **state)
{
        struct cor_err e, err = { 0 };
        int *ends = *state;
        size_t n;

        memset(&e, 'x', sizeof e);
        assert_int_equal(monitor_send(ends[0], MONITOR_ERROR, &e, sizeof e, &err), 0);
        assert_int_equal(monitor_receive(ends[1], got, &n, &err), MONITOR_ERROR);
        memcpy(&e, got + 1, sizeof e);
        assert_int_equal(strnlen(e.msg, sizeof e.msg), sizeof e.msg - 1);
}

static void a_full_socket_is_busy(void **state)
{
        static char much[MONITOR_PACKET_MAX - 1];
        struct cor_err err = { 0 };
        int *ends = *state, sent = 0;

        while (monitor_send(ends[0], MONITOR_STDOUT, much, sizeof much, &err) == 0)
                assert_true(++sent < 1000);
        assert_int_equal(err.kind, COR_BUSY);
        assert_true(sent > 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(packets_arrive_as_they_were_sent, pair_up, part),
                cmocka_unit_test_setup_teardown(the_end_is_no_error, pair_up, part),
                cmocka_unit_test_setup_teardown(who_has_ended_is_not_found, pair_up, part),
                cmocka_unit_test_setup_teardown(who_ends_with_something_unread_has_said_all, pair_up, part),
                cmocka_unit_test_setup_teardown(short_and_unknown_packets_are_refused, pair_up, part),
                cmocka_unit_test_setup_teardown(an_error_of_another_process_ends, pair_up, part),
                cmocka_unit_test_setup_teardown(a_full_socket_is_busy, pair_up, part),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
