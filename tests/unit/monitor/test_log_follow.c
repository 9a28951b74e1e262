/* Reading a log while it is written: files are renamed, compressed and begun, and each line is read once, in its order.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../base/scratch.h"
#include "base/text.h"
#include "monitor/log_file.h"
#include "monitor/log_read.h"

enum { LINES = 800, FILE_BYTES = 1000 }; /* some sixty files */

static int write_lines(const char *folder, bool compress)
{
        const struct log_file_settings s = { .max_size = FILE_BYTES, .max_file = 1000, .compress = compress };
        struct cor_err err = { 0 };
        auto_log_file f = NULL;

        if (log_file_open(folder, "log", &s, &f, &err) < 0)
                return 1;
        for (int i = 0; i < LINES; i++) {
                cor_text_printf(log_file_record(f),
                                "{\"log\":\"%d\\n\",\"stream\":\"stdout\",\"time\":\"2024-01-01T00:00:00Z\"}\n", i);
                log_file_flush(f);
                log_file_step(f);
        }
        return 0;
}

/* The numbers that there are now have to go on with *next. */
static void read_on(struct log_reader *r, int *next)
{
        struct cor_err err = { 0 };
        struct log_entry e;
        int got;

        while ((got = log_reader_next(r, &e, &err)) > 0) {
                if (atoi(e.text) != *next)
                        fail_msg("%d comes after %d", atoi(e.text), *next - 1);
                ++*next;
        }
        if (got < 0)
                fail_msg("%s", err.msg);
}

static struct log_reader *open_when_there(int dir)
{
        const struct log_query q = { .tail = -1 };
        struct log_reader *r = NULL;
        struct cor_err err = { 0 };

        while (log_reader_open(dir, "log", LOG_FORMAT_JSON, &q, &r, &err) < 0)
                assert_int_equal(err.kind, COR_NOT_FOUND);
        return r;
}

static void read_anew(int dir, int at_least)
{
        auto_log_reader r = open_when_there(dir);
        int next = 0;

        read_on(r, &next);
        assert_true(next >= at_least);
}

static void follow(const struct scratch *s, bool compress)
{
        pid_t writer = fork();
        int next = 0, status;

        assert_true(writer >= 0);
        if (writer == 0)
                _exit(write_lines(s->path, compress));
        auto_log_reader r = open_when_there(s->fd);
        while (waitpid(writer, &status, WNOHANG) == 0) {
                read_on(r, &next);
                read_anew(s->fd, next); /* meanwhile some files more are written */
        }
        assert_int_equal(status, 0);
        read_on(r, &next);
        assert_int_equal(next, LINES);
        read_anew(s->fd, LINES);
}

static void each_line_is_read_once_while_files_are_renamed(void **state)
{
        follow(*state, false);
}

static void each_line_is_read_once_while_files_are_compressed(void **state)
{
        follow(*state, true);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(each_line_is_read_once_while_files_are_renamed, scratch_setup,
                                                scratch_teardown),
                cmocka_unit_test_setup_teardown(each_line_is_read_once_while_files_are_compressed, scratch_setup,
                                                scratch_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
