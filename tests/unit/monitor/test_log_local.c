/* The driver local: its bytes are docker's; what is damaged is passed over; files that were compressed are found once.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../base/scratch.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "monitor/log.h"
#include "monitor/log_read.h"

static const struct cor_strv nothing;

static struct log *open_log(const struct scratch *s, struct cor_strv *options)
{
        const struct log_options o = {
                .type = "local", .options = options, .folder = s->path, .id = "c", .labels = &nothing, .env = &nothing
        };
        struct cor_err err = { 0 };
        struct log *l = NULL;

        if (log_open(&o, &l, &err) < 0)
                fail_msg("%s", err.msg);
        return l;
}

static void say(struct log *l, const char *text, int64_t second)
{
        const struct timespec time = { .tv_sec = (time_t)second };

        log_write(l, LOG_STDOUT, text, strlen(text), &time);
}

static struct log_reader *open_reader(const struct scratch *s, int64_t tail)
{
        const struct log_query q = { .tail = tail };
        auto_str path = cor_printf("%s/" LOG_LOCAL_FOLDER, s->path);
        static int dir = -1;
        struct log_reader *r = NULL;
        struct cor_err err = { 0 };

        cor_fd_close(&dir);
        dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (log_reader_open(dir, LOG_LOCAL_NAME, LOG_FORMAT_LOCAL, &q, &r, &err) < 0)
                fail_msg("%s", err.msg);
        return r;
}

static char *read_all(struct log_reader *r)
{
        struct cor_text t = COR_TEXT_INIT;
        struct cor_err err = { 0 };
        struct log_entry e;

        cor_text_add(&t, "");
        while (log_reader_next(r, &e, &err) > 0)
                cor_text_add_n(&t, e.text, e.n);
        return cor_text_take(&t);
}

static void expect(const struct scratch *s, int64_t tail, const char *wanted)
{
        auto_log_reader r = open_reader(s, tail);
        auto_str got = read_all(r);

        assert_string_equal(got, wanted);
}

static char *file_of(const struct scratch *s, size_t *ret_n)
{
        auto_str path = cor_printf("%s/" LOG_LOCAL_FOLDER "/" LOG_LOCAL_NAME, s->path);
        struct cor_err err = { 0 };
        char *text = NULL;

        assert_int_equal(cor_read_file(path, 1 << 20, &text, ret_n, &err), 0);
        return text;
}

static void put_file(const struct scratch *s, const char *bytes, size_t n)
{
        auto_str path = cor_printf("%s/" LOG_LOCAL_FOLDER "/" LOG_LOCAL_NAME, s->path);
        auto_fd fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
        struct cor_err err = { 0 };

        assert_int_equal(cor_write_full(fd, bytes, n, &err), 0);
}

static void the_bytes_are_dockers(void **state)
{
        static const char wanted[] = "\0\0\0\x11\x0a\x06stdout\x10\x80\x94\xeb\xdc\x03\x1a\x01"
                                     "a\0\0\0\x11";
        struct cor_strv none = { 0 };
        struct log *l = open_log(*state, &none);
        auto_str text = NULL;
        size_t n;

        say(l, "a\n", 1);
        log_close(l);
        text = file_of(*state, &n);
        assert_int_equal(n, sizeof wanted - 1);
        assert_memory_equal(text, wanted, n);
}

static void long_lines_read_as_one(void **state)
{
        struct cor_strv none = { 0 };
        struct log *l = open_log(*state, &none);
        auto_text line = COR_TEXT_INIT;

        for (int i = 0; i < 5000; i++)
                cor_text_add(&line, "0123456789");
        cor_text_add(&line, "\n\nx\n");
        say(l, line.s, 1);
        log_close(l);
        expect(*state, -1, line.s);
        expect(*state, 2, "\nx\n");
}

static void what_is_damaged_is_passed_over(void **state)
{
        struct cor_strv none = { 0 };
        struct log *l = open_log(*state, &none);
        auto_str text = NULL;
        auto_text damaged = COR_TEXT_INIT;
        size_t n;

        say(l, "one\ntwo\nthree\n", 1);
        log_close(l);
        text = file_of(*state, &n);
        cor_text_add_n(&damaged, text, 27); /* one */
        cor_text_add_n(&damaged, "zz", 2);  /* not one */
        cor_text_add_n(&damaged, text + 27, n - 27);
        put_file(*state, damaged.s, damaged.len);
        expect(*state, -1, "one\ntwo\nthree\n");
        expect(*state, 1, "three\n");
        put_file(*state, text, n - 3); /* the machine went down */
        expect(*state, -1, "one\ntwo\n");
        l = open_log(*state, &none);
        say(l, "four\n", 2);
        log_close(l);
        expect(*state, -1, "one\ntwo\nfour\n");
        expect(*state, 2, "two\nfour\n");
}

static void a_reader_follows_files_that_are_compressed(void **state)
{
        struct cor_strv options = { 0 };
        struct log *l;

        cor_strv_add(&options, "max-size=200");
        cor_strv_add(&options, "max-file=100");
        l = open_log(*state, &options);
        say(l, "first\n", 1);
        auto_log_reader r = open_reader(*state, -1);
        auto_str first = read_all(r);
        auto_text wanted = COR_TEXT_INIT;

        assert_string_equal(first, "first\n");
        for (int i = 0; i < 100; i++) {
                auto_str line = cor_printf("line %d\n", i);

                say(l, line, i);
                cor_text_add(&wanted, line);
        }
        log_close(l); /* waits for the children that compress */
        auto_str path = cor_printf("%s/" LOG_LOCAL_FOLDER "/" LOG_LOCAL_NAME ".1.gz", ((struct scratch *)*state)->path);
        auto_str rest = read_all(r);
        auto_str nothing_more = read_all(r);
        auto_str whole = cor_printf("first\n%s", wanted.s);

        assert_int_equal(access(path, F_OK), 0);
        assert_string_equal(rest, wanted.s);
        assert_string_equal(nothing_more, "");
        expect(*state, -1, whole);
        expect(*state, 30, strstr(wanted.s, "line 70\n"));
        cor_strv_done(&options);
}

static unsigned said;

static void count(enum cor_log_level level, const char *msg)
{
        said += strstr(msg, "is lost") != NULL;
}

static void a_full_disk_is_said_once_and_loses_whole_messages(void **state)
{
        struct cor_strv none = { 0 };
        struct log *l = open_log(*state, &none);
        const struct scratch *s = *state;
        auto_str path = cor_printf("%s/" LOG_LOCAL_FOLDER "/" LOG_LOCAL_NAME, s->path);

        say(l, "kept\n", 1);
        log_close(l);
        l = open_log(*state, &none);
        for (int fd = 3; fd < 64; fd++) {
                char target[4096];
                auto_str link = cor_printf("/proc/self/fd/%d", fd);
                ssize_t n = readlink(link, target, sizeof target - 1);

                if (n > 0 && (size_t)n == strlen(path) && memcmp(target, path, (size_t)n) == 0) {
                        int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

                        assert_int_equal(dup2(full, fd), fd);
                        close(full);
                }
        }
        cor_log_to(count, COR_LOG_WARN);
        for (int i = 0; i < 10; i++)
                say(l, "lost\n", 2);
        log_close(l);
        assert_int_equal(said, 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(the_bytes_are_dockers, scratch_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(long_lines_read_as_one, scratch_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(what_is_damaged_is_passed_over, scratch_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(a_reader_follows_files_that_are_compressed, scratch_setup,
                                                scratch_teardown),
                cmocka_unit_test_setup_teardown(a_full_disk_is_said_once_and_loses_whole_messages, scratch_setup,
                                                scratch_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
