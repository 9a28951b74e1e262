#include "tools/init/descendants.h"
#include "tools/init/signals.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NUMBERS "1 1 0 -1 4194560 100 0 0 0 5 6 0 0 20 0 1 0"

static void the_line_of_a_process_is_read_behind_its_name(void **state)
{
        struct process_stat s;

        assert_int_equal(process_stat_parse("42 (sh) S 7 " NUMBERS " 12345 999 1", &s), 0);
        assert_int_equal(s.state, 'S');
        assert_int_equal(s.parent, 7);
        assert_int_equal(s.start_time, 12345);

        assert_int_equal(process_stat_parse("42 (a) Z 1 (b) R 8 " NUMBERS " 18446744073709551615 0", &s), 0);
        assert_int_equal(s.state, 'R');
        assert_int_equal(s.parent, 8);
        assert_true(s.start_time == UINT64_MAX);
}

static void what_is_not_such_a_line_is_refused(void **state)
{
        static const char *const lines[] = {
                "",
                ")",
                ") ",
                ") S",
                ") S ",
                "1 (x) S",
                "1 (x) S x 1",
                "1 (x) S -1 " NUMBERS " 5 0",
                "1 (x) S 7 1 2 3",
                "1 (x) S 7 " NUMBERS,
                "1 (x) S 7 " NUMBERS " ",
                "1 (x) S 7 " NUMBERS " x",
                "1 (x) S 99999999999 " NUMBERS " 5 0",
                "1 (x)",
                "1 x S 7 " NUMBERS " 5 0",
        };
        struct process_stat s;

        for (size_t i = 0; i < COR_COUNT(lines); i++) {
                if (process_stat_parse(lines[i], &s) == 0)
                        fail_msg("accepted: %s", lines[i]);
        }
}

struct found {
        pid_t pids[8];
        size_t n;
};

static void note(pid_t pid, void *context)
{
        struct found *f = context;

        assert_true(f->n < COR_COUNT(f->pids));
        f->pids[f->n++] = pid;
}

static void pids_come_out_whole_however_the_text_is_cut(void **state)
{
        const char *text = "1 23 456 99999999999999999999 2147483648 2147483647 ";

        for (size_t cut = 0; cut <= strlen(text); cut++) {
                struct pid_reader r = { 0 };
                struct found f = { .n = 0 };

                pid_reader_feed(&r, text, cut, note, &f);
                pid_reader_feed(&r, text + cut, strlen(text) - cut, note, &f);
                assert_int_equal(f.n, 4);
                assert_int_equal(f.pids[0], 1);
                assert_int_equal(f.pids[1], 23);
                assert_int_equal(f.pids[2], 456);
                assert_int_equal(f.pids[3], 2147483647);
        }
}

static void skip_as_pid_1(void)
{
        if (getpid() == 1) {
                print_message("skipped: as pid 1 these signals would go to all of the namespace: runs in every other "
                              "process\n");
                skip();
        }
}

/* Runs in a child: its own child and grandchild wait for a signal. Ends with 0 if the signal ended both. */
static void be_a_grandparent(void)
{
        int ready[2], status, n_ended = 0;
        struct cor_err err;
        char byte;

        if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 || pipe(ready) < 0)
                _exit(10);
        if (fork() == 0) {
                (void)!fork();
                (void)!write(ready[1], "x", 1);
                for (;;)
                        pause();
        }
        if (read(ready[0], &byte, 1) != 1 || read(ready[0], &byte, 1) != 1)
                _exit(11);
        if (descendants_check(&err) < 0)
                _exit(12);
        if (descendants_signal(SIGUSR1, &err) != 2)
                _exit(13);
        alarm(20);
        while (wait(&status) > 0)
                n_ended += WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1;
        if (descendants_signal(SIGUSR1, &err) != 0)
                _exit(14);
        _exit(n_ended == 2 ? 0 : 15);
}

static void a_signal_reaches_children_and_grandchildren_and_nobody_else(void **state)
{
        pid_t bystander, family;
        int status;

        skip_as_pid_1();
        bystander = fork();
        if (bystander == 0) {
                for (;;)
                        pause();
        }
        family = fork();
        if (family == 0)
                be_a_grandparent();
        assert_int_equal(waitpid(family, &status, 0), family);
        assert_int_equal(status, 0);

        assert_int_equal(waitpid(bystander, &status, WNOHANG), 0);
        kill(bystander, SIGKILL);
        assert_int_equal(waitpid(bystander, &status, 0), bystander);
        assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void a_wait_for_signals_ends_in_time_and_takes_the_libc_s_own_numbers(void **state)
{
        struct cor_err err = { 0 };
        siginfo_t info;
        signal_mask old;

        assert_int_equal(signal_mask_set(SIGNAL_MASK_ALL, &old, &err), 0);
        assert_int_equal(signal_wait(0, &info, &err), 0);
        assert_int_equal(signal_wait(1, &info, &err), 0);
        for (int sig = 32; sig <= 34; sig++) {
                assert_int_equal(kill(getpid(), sig), 0);
                assert_int_equal(signal_wait(-1, &info, &err), sig);
                assert_int_equal(info.si_pid, getpid());
        }
        assert_int_equal(signal_mask_set(old, NULL, &err), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_line_of_a_process_is_read_behind_its_name),
                cmocka_unit_test(what_is_not_such_a_line_is_refused),
                cmocka_unit_test(pids_come_out_whole_however_the_text_is_cut),
                cmocka_unit_test(a_signal_reaches_children_and_grandchildren_and_nobody_else),
                cmocka_unit_test(a_wait_for_signals_ends_in_time_and_takes_the_libc_s_own_numbers),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
