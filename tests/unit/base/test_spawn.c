#include "base/alloc.h"
#include "base/fd.h"
#include "base/process.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"

/* Run @script in a shell with all that is captured. */
static int run_shell(const char *script, const char *input, size_t input_len, int timeout_ms, int *ret_status,
                     char **ret_output, struct cor_err *err)
{
        char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, cor_strdup(script), NULL };
        struct cor_spawn s = { .path = "/bin/sh",
                               .argv = argv,
                               .input = input,
                               .input_len = input_len,
                               .stdout_fd = -1,
                               .stderr_fd = -1,
                               .timeout_ms = timeout_ms };
        int r = cor_spawn_run(&s, ret_status, ret_output, err);

        free(argv[2]);
        return r;
}

static void check_shell(const char *script, const char *input, int code, const char *output)
{
        struct cor_err err = { 0 };
        auto_str text = NULL;
        int status;

        if (run_shell(script, input, input ? strlen(input) : 0, 60000, &status, &text, &err) < 0)
                fail_msg("%s", err.msg);
        assert_int_equal(cor_status_code(status), code);
        assert_string_equal(text, output);
}

static void output_and_status_come_back(void **state)
{
        check_shell("echo out; echo err >&2; exit 3", NULL, 3, "out\nerr\n");
        check_shell("exit 0", NULL, 0, "");
        check_shell("kill -9 $$", NULL, 137, "");
}

static void input_reaches_stdin(void **state)
{
        check_shell("cat", "hello", 0, "hello");
        check_shell("cat", "", 0, "");
        check_shell("cat", NULL, 0, ""); /* /dev/null, not ours */
        check_shell("cat /dev/stdin", "through the name", 0, "through the name");
}

static void large_input_and_output_do_not_wait_for_each_other(void **state)
{
        size_t n = 3 << 20;
        struct cor_err err = { 0 };
        auto_str input = cor_alloc(n);
        auto_str text = NULL;
        int status;

        memset(input, 'i', n);
        assert_int_equal(run_shell("cat", input, n, 60000, &status, &text, &err), 0);
        assert_int_equal(status, 0);
        assert_int_equal(strlen(text), 65536); /* and the rest was drained */
        assert_memory_equal(text, input, 65536);
}

static void input_that_is_not_read_does_not_end_us(void **state)
{
        size_t n = 1 << 20;
        struct cor_err err = { 0 };
        auto_str input = cor_alloc(n);
        struct sigaction act;
        sigset_t pending;
        int status;

        for (int i = 0; i < 20; i++) {
                assert_int_equal(run_shell("exec <&-; exit 7", input, n, 60000, &status, NULL, &err), 0);
                assert_int_equal(cor_status_code(status), 7);
        }
        sigaction(SIGPIPE, NULL, &act);
        assert_true(act.sa_handler == SIG_DFL);
        sigpending(&pending);
        assert_false(sigismember(&pending, SIGPIPE));
        sigprocmask(SIG_BLOCK, NULL, &pending);
        assert_false(sigismember(&pending, SIGPIPE));
}

static void a_deadline_ends_the_whole_group(void **state)
{
        struct scratch *s = *state;
        struct cor_err err = { 0 };
        auto_str text = NULL;
        auto_str script = NULL;
        auto_str pids = NULL;
        int status = -5, child, grandchild;

        script = cor_printf("trap '' TERM INT HUP; sleep 60 & echo $$ $! > %s/pids; wait; sleep 60", s->path);
        assert_int_equal(run_shell(script, NULL, 0, 1500, &status, &text, &err), -1);
        assert_int_equal(err.kind, COR_TIMEOUT);
        assert_non_null(strstr(err.msg, "/bin/sh"));
        assert_int_equal(status, -5);
        assert_null(text);
        pids = scratch_text(s, "pids");
        assert_int_equal(sscanf(pids, "%d %d", &child, &grandchild), 2);
        assert_int_equal(kill(child, 0), -1); /* reaped */
        for (int i = 0; i < 30000; i++) {     /* whoever is init reaps the other */
                struct cor_procid id;
                char letter = 0;

                if (cor_procid_get(grandchild, &id, &letter, NULL) < 0 || letter == 'Z')
                        return;
                usleep(1000);
        }
        fail_msg("process %d of the group lives on", grandchild);
}

static void a_deadline_holds_for_one_that_floods(void **state)
{
        struct cor_err err = { 0 };
        auto_str text = NULL;
        int status;

        assert_int_equal(run_shell("while :; do echo flood; done", NULL, 0, 300, &status, &text, &err), -1);
        assert_int_equal(err.kind, COR_TIMEOUT);
}

static void a_grandchild_with_the_output_open_does_not_hold_us_up(void **state)
{
        struct cor_err err = { 0 };
        auto_str text = NULL;
        int status, pid;

        /* Without a deadline: waiting for the end of the output would last a minute and exceed the test's own limit. */
        assert_int_equal(run_shell("sleep 600 & echo $!", NULL, 0, -1, &status, &text, &err), 0);
        assert_int_equal(sscanf(text, "%d", &pid), 1);
        assert_int_equal(kill(pid, SIGKILL), 0); /* it was still there: not killed, and not waited for */
}

static void descriptors_of_the_caller_are_used_in_any_order(void **state)
{
        struct scratch *s = *state;
        struct cor_err err = { 0 };
        char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, (char[]){ "echo out; echo err >&2" }, NULL };
        int saved1 = dup(1), saved2 = dup(2), a, b, status, r;
        auto_str out = NULL;
        auto_str errors = NULL;

        a = openat(s->fd, "a", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        b = openat(s->fd, "b", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        dup2(a, 1);
        dup2(b, 2);
        /* stdout to our 2, stderr to our 1: a naive pair of dup2 loses one of them */
        r = cor_spawn_run(
                &(struct cor_spawn){
                        .path = "/bin/sh", .argv = argv, .stdout_fd = 2, .stderr_fd = 1, .timeout_ms = 60000 },
                &status, NULL, &err);
        dup2(saved1, 1);
        dup2(saved2, 2);
        close(saved1);
        close(saved2);
        close(a);
        close(b);
        assert_int_equal(r, 0);
        errors = scratch_text(s, "a");
        out = scratch_text(s, "b");
        assert_string_equal(out, "out\n");
        assert_string_equal(errors, "err\n");
}

static void nothing_leaks_into_the_child(void **state)
{
        int leak = dup(0); /* not close-on-exec */

        /* ls has 0, 1, 2 and the folder that it reads */
        check_shell("exec ls /proc/self/fd", NULL, 0, "0\n1\n2\n3\n");
        close(leak);
}

static void our_own_stdio_may_be_closed(void **state)
{
        struct cor_err err = { 0 };
        auto_str text = NULL;
        int saved0 = dup(0), saved1 = dup(1), saved2 = dup(2), status, r;

        close(0);
        close(1);
        close(2);
        r = run_shell("cat; echo err >&2", "in", 2, 60000, &status, &text, &err);
        dup2(saved0, 0);
        dup2(saved1, 1);
        dup2(saved2, 2);
        close(saved0);
        close(saved1);
        close(saved2);
        if (r < 0)
                fail_msg("%s", err.msg);
        assert_string_equal(text, "inerr\n");
}

static void the_child_has_default_signals_and_a_group_of_its_own(void **state)
{
        sigset_t all, before;

        signal(SIGTERM, SIG_IGN);
        sigfillset(&all);
        sigprocmask(SIG_BLOCK, &all, &before);
        check_shell("kill -TERM $$; exit 9", NULL, 128 + SIGTERM, "");
        /* glibc's posix_spawn() ignores 32 and 33, its own, in every child */
        check_shell("grep -Ec '^SigBlk:.0+$|^SigIgn:.0000000(00|18)0000000$' /proc/self/status", NULL, 0, "2\n");
        sigprocmask(SIG_SETMASK, &before, NULL);
        signal(SIGTERM, SIG_DFL);
        check_shell("read pid comm state ppid pgrp rest < /proc/self/stat; test $pgrp = $$ && echo own", NULL, 0,
                    "own\n");
}

static void the_environment_is_ours_or_the_given_one(void **state)
{
        char *argv[] = { (char[]){ "env" }, NULL }, *envp[] = { (char[]){ "ONLY=this" }, NULL };
        struct cor_spawn s = {
                .path = "env", .argv = argv, .envp = envp, .stdout_fd = -1, .stderr_fd = -1, .timeout_ms = 60000
        };
        struct cor_err err = { 0 };
        auto_str text = NULL;
        int status;

        assert_int_equal(cor_spawn_run(&s, &status, &text, &err), 0);
        assert_string_equal(text, "ONLY=this\n");
        setenv("CORACLE_TEST_OURS", "yes", 1);
        check_shell("echo $CORACLE_TEST_OURS", NULL, 0, "yes\n");
        unsetenv("CORACLE_TEST_OURS");
}

static void check_start(const char *path, enum cor_kind kind, int sys)
{
        char *argv[] = { (char[]){ "x" }, NULL };
        struct cor_spawn s = { .path = path, .argv = argv, .stdout_fd = -1, .stderr_fd = -1, .timeout_ms = 60000 };
        struct cor_err err = { 0 };
        auto_str text = NULL;
        int status, before = dup(0), after;

        close(before);
        assert_int_equal(cor_spawn_run(&s, &status, &text, &err), -1);
        assert_int_equal(err.kind, kind);
        if (sys)
                assert_int_equal(err.sys, sys);
        assert_non_null(strstr(err.msg, path));
        after = dup(0);
        close(after);
        assert_int_equal(after, before); /* no descriptor is left */
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
        assert_int_equal(errno, ECHILD); /* no child either */
}

static void a_program_that_cannot_be_run_says_why(void **state)
{
        struct scratch *s = *state;
        auto_str plain = cor_printf("%s/plain", s->path);
        auto_str garbage = cor_printf("%s/garbage", s->path);
        auto_str below = cor_printf("%s/plain/x", s->path);

        scratch_file(s, "plain", "#!/bin/sh\n");
        scratch_file(s, "garbage", "\x01\x02");
        assert_int_equal(fchmodat(s->fd, "garbage", 0755, 0), 0);
        check_start("/nonexistent/program", COR_EXEC_MISSING, ENOENT);
        check_start("coracle-no-such-program", COR_EXEC_MISSING, 0);
        check_start(below, COR_EXEC_MISSING, ENOTDIR);
        check_start(plain, COR_EXEC_REFUSED, EACCES);
        check_start(garbage, COR_EXEC_REFUSED, ENOEXEC);
        check_start("/tmp", COR_EXEC_REFUSED, EACCES);
}

static void a_program_in_path_must_be_executable(void **state)
{
        struct scratch *s = *state;
        auto_str before = cor_strdup(getenv("PATH"));
        auto_str first = cor_printf("%s/first", s->path);
        auto_str path = cor_printf("%s/first:%s/nothing:%s", s->path, s->path, before);

        scratch_dir(s, "first");
        scratch_dir(s, "first/coracle-folder");
        scratch_dir(s, "first/true"); /* passed over: no file */
        scratch_file(s, "first/plain", "#!/bin/sh\n");
        setenv("PATH", first, 1);
        check_start("plain", COR_EXEC_REFUSED, 0);
        check_start("coracle-folder", COR_EXEC_MISSING, 0);
        setenv("PATH", path, 1);
        {
                struct cor_spawn spawn = { .path = "true",
                                           .argv = (char *[]){ (char[]){ "true" }, NULL },
                                           .stdout_fd = -1,
                                           .stderr_fd = -1,
                                           .timeout_ms = 60000 };
                int status;

                assert_int_equal(cor_spawn_run(&spawn, &status, NULL, NULL), 0);
                assert_int_equal(status, 0);
        }
        setenv("PATH", before, 1);
}

static void a_status_taken_by_someone_else_is_an_error(void **state)
{
        struct cor_err err = { 0 };
        auto_str text = NULL;
        int status;

        signal(SIGCHLD, SIG_IGN); /* the kernel reaps */
        assert_int_equal(run_shell("exit 0", NULL, 0, 60000, &status, &text, &err), -1);
        signal(SIGCHLD, SIG_DFL);
        assert_null(text);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(output_and_status_come_back),
                cmocka_unit_test(input_reaches_stdin),
                cmocka_unit_test(large_input_and_output_do_not_wait_for_each_other),
                cmocka_unit_test(input_that_is_not_read_does_not_end_us),
                scratch_test(a_deadline_ends_the_whole_group),
                cmocka_unit_test(a_deadline_holds_for_one_that_floods),
                cmocka_unit_test(a_grandchild_with_the_output_open_does_not_hold_us_up),
                scratch_test(descriptors_of_the_caller_are_used_in_any_order),
                cmocka_unit_test(nothing_leaks_into_the_child),
                cmocka_unit_test(our_own_stdio_may_be_closed),
                cmocka_unit_test(the_child_has_default_signals_and_a_group_of_its_own),
                cmocka_unit_test(the_environment_is_ours_or_the_given_one),
                scratch_test(a_program_that_cannot_be_run_says_why),
                scratch_test(a_program_in_path_must_be_executable),
                cmocka_unit_test(a_status_taken_by_someone_else_is_an_error),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
