#include "base/fd.h"
#include "base/file.h"
#include "base/members.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "scratch.h"

static void in_folder(struct scratch *s)
{
        assert_int_equal(setenv("CORACLE_RUN", s->path, 1), 0);
}

static void nobody_is_a_member_without_a_folder(void **state)
{
        auto_members m = MEMBERS_INIT;
        struct cor_err err = { 0 };

        (void)state;
        unsetenv("CORACLE_RUN");
        unsetenv("XDG_RUNTIME_DIR");
        assert_int_equal(members_begin("list", &m, &err), 0);
}

static pid_t sleeper(void)
{
        pid_t pid = fork();

        if (pid == 0) {
                pause();
                _exit(0);
        }
        return pid;
}

static pid_t first_of(const char *name)
{
        auto_members m = MEMBERS_INIT;
        struct cor_err err = { 0 };

        assert_int_equal(members_begin(name, &m, &err), 1);
        return m.first.pid;
}

static void add(const char *name, pid_t pid)
{
        auto_members m = MEMBERS_INIT;
        struct cor_err err = { 0 };

        assert_int_equal(members_begin(name, &m, &err), 1);
        assert_int_equal(members_add(&m, pid, &err), 0);
}

static void those_that_ended_are_none(void **state)
{
        pid_t one = sleeper(), other = sleeper();

        in_folder(*state);
        assert_int_equal(first_of("list"), 0);
        add("list", one);
        add("list", other);
        assert_int_equal(first_of("list"), one);
        assert_int_equal(first_of("another"), 0);
        kill(one, SIGKILL);
        cor_child_wait(one, -1, NULL);
        assert_int_equal(first_of("list"), other);
        kill(other, SIGKILL);
        cor_child_wait(other, -1, NULL);
        assert_int_equal(first_of("list"), 0);
}

static void lines_that_make_no_sense_are_nobody(void **state)
{
        struct scratch *s = *state;

        in_folder(s);
        scratch_file(s, "list", "\n1\n1 x\nx 1\n1 0\n-1 5\n99999999999 1\n");
        assert_int_equal(first_of("list"), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                scratch_test(nobody_is_a_member_without_a_folder),
                scratch_test(those_that_ended_are_none),
                scratch_test(lines_that_make_no_sense_are_nobody),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
