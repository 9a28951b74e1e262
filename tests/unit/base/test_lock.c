#include "base/fd.h"
#include "base/lock.h"
#include "base/process.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "scratch.h"

static int open_file(const struct scratch *s)
{
        return openat(s->fd, "file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

static void one_holds_and_the_other_waits_no_longer_than_it_says(void **state)
{
        struct cor_err err = { 0 };
        struct scratch *s = *state;
        auto_fd a = open_file(s);
        auto_fd b = open_file(s);
        int64_t start;

        assert_int_equal(cor_flock(a, -1, &err), 1);
        assert_int_equal(cor_flock(b, 0, &err), 0);
        start = cor_now_ms();
        assert_int_equal(cor_flock(b, 30, &err), 0);
        assert_true(cor_now_ms() - start >= 30);
        cor_fd_close(&a);
        assert_int_equal(cor_flock(b, 0, &err), 1);
}

static void bytes_are_locks_of_their_own(void **state)
{
        struct cor_err err = { 0 };
        struct scratch *s = *state;
        auto_fd a = open_file(s);
        auto_fd b = open_file(s);

        assert_int_equal(cor_lock_byte(a, 7, -1, &err), 1);
        assert_int_equal(cor_lock_byte(b, 8, 0, &err), 1);
        assert_int_equal(cor_lock_byte(b, 7, 20, &err), 0);
        cor_fd_close(&a);
        assert_int_equal(cor_lock_byte(b, 7, 0, &err), 1);
}

static void a_file_is_made_and_named_when_it_is_kept(void **state)
{
        struct cor_err err = { 0 };
        struct scratch *s = *state;
        auto_fd a = cor_lock_file(s->fd, "x.lock", 0, &err);

        assert_true(a >= 0);
        assert_int_equal(cor_lock_file(s->fd, "x.lock", 20, &err), -1);
        assert_int_equal(err.kind, COR_BUSY);
        assert_string_equal(err.msg, "another process keeps x.lock locked");
        assert_int_equal(symlinkat("x.lock", s->fd, "link"), 0);
        assert_int_equal(cor_lock_file(s->fd, "link", 0, &err), -1);
}

static void what_cannot_be_locked_is_an_error(void **state)
{
        struct cor_err err = { 0 };

        assert_int_equal(cor_flock(-1, 1000, &err), -1);
        assert_int_equal(cor_lock_byte(-1, 0, 1000, &err), -1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                scratch_test(one_holds_and_the_other_waits_no_longer_than_it_says),
                scratch_test(bytes_are_locks_of_their_own),
                scratch_test(a_file_is_made_and_named_when_it_is_kept),
                cmocka_unit_test(what_cannot_be_locked_is_an_error),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
