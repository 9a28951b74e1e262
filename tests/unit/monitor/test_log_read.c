/* Reading json-file logs: lines, files that were rotated, the end of them, and what is no line. */
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
#include "base/alloc.h"
#include "base/fd.h"
#include "base/file.h"
#include "monitor/log_read.h"

#include <zlib.h>

static void append(int dir, const char *name, const char *text)
{
        auto_fd fd = openat(dir, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        struct cor_err err = { 0 };

        assert_true(fd >= 0);
        assert_int_equal(cor_write_full(fd, text, strlen(text), &err), 0);
}

static void say(int dir, const char *name, const char *text, int second)
{
        auto_str line = cor_printf("{\"log\":\"%s\\n\",\"stream\":\"stdout\",\"time\":\"2024-01-01T00:00:%02d.5Z\"}\n",
                                   text, second);

        append(dir, name, line);
}

static const int64_t midnight = 1704067200LL * 1000000000; /* 2024-01-01 */

/* All that is read now, each entry followed by '|'. */
static char *read_all(struct log_reader *r)
{
        struct cor_text t = COR_TEXT_INIT;
        struct cor_err err = { 0 };
        struct log_entry e;
        int got;

        while ((got = log_reader_next(r, &e, &err)) > 0) {
                cor_text_add_n(&t, e.text, e.n);
                cor_text_add_c(&t, '|');
        }
        assert_int_equal(got, 0);
        return cor_text_take(&t);
}

static struct log_reader *open_log(int dir, struct log_query q)
{
        struct log_reader *r = NULL;
        struct cor_err err = { 0 };

        if (log_reader_open(dir, "log", LOG_FORMAT_JSON, &q, &r, &err) < 0)
                fail_msg("%s", err.msg);
        return r;
}

static void expect(int dir, struct log_query q, const char *wanted)
{
        auto_log_reader r = open_log(dir, q);
        auto_str got = read_all(r);

        assert_string_equal(got, wanted);
}

static void test_lines(void **state)
{
        int dir = ((struct scratch *)*state)->fd;
        struct log_entry e;
        struct cor_err err = { 0 };

        append(dir, "log",
               "{\"log\":\"a\\u0000\\u00e9\\ud83d\\ude00\\ud83d\\t\\n\",\"stream\":\"stderr\",\"attrs\":{\"k\":\"v\","
               "\"l\":"
               "\"\"},\"time\":\"2024-01-01T00:00:01.000000002Z\"}\n");
        auto_log_reader r = open_log(dir, (struct log_query){ .tail = -1 });

        assert_int_equal(log_reader_next(r, &e, &err), 1);
        assert_int_equal(e.stream, LOG_STDERR);
        assert_int_equal(e.time, midnight + 1000000002);
        assert_int_equal(e.n, 13);
        assert_memory_equal(e.text, "a\0\xc3\xa9\xf0\x9f\x98\x80\xef\xbf\xbd\t\n", 13);
        assert_int_equal(e.n_attrs, 2);
        assert_string_equal(e.attrs[0].key, "k");
        assert_string_equal(e.attrs[0].value, "v");
        assert_int_equal(log_reader_next(r, &e, &err), 0);
}

static void test_damaged(void **state)
{
        int dir = ((struct scratch *)*state)->fd;
        static const char *const bad[] = {
                "",
                "\n",
                "{\"log\":\"x\n",
                "{}\n",
                "[1]\n",
                "{\"log\":\"x\\q\",\"time\":\"2024-01-01T00:00:01Z\"}\n",
                "{\"log\":\"x\\u12\",\"time\":\"2024-01-01T00:00:01Z\"}\n",
                "{\"log\":\"x\",\"stream\":\"stdout\",\"time\":\"yesterday\"}\n",
                "{\"log\":\"x\",\"stream\":\"stdout\"}\n",
                "{\"log\":\"x\",\"time\":\"2024-01-01T00:00:01Z\"}}\n",
                "{\"log\":5,\"time\":\"2024-01-01T00:00:01Z\"}\n",
        };

        say(dir, "log", "first", 1);
        for (size_t i = 0; i < COR_COUNT(bad); i++)
                append(dir, "log", bad[i]);
        say(dir, "log", "last", 2);
        append(dir, "log", "{\"log\":\"half");
        expect(dir, (struct log_query){ .tail = -1 }, "first\n|last\n|");
}

static void test_tail(void **state)
{
        int dir = ((struct scratch *)*state)->fd;

        say(dir, "log.2", "one", 1);
        say(dir, "log.2", "two", 2);
        say(dir, "log.1", "three", 3);
        say(dir, "log", "four", 4);
        say(dir, "log", "five", 5);
        expect(dir, (struct log_query){ .tail = -1 }, "one\n|two\n|three\n|four\n|five\n|");
        expect(dir, (struct log_query){ .tail = 0 }, "");
        expect(dir, (struct log_query){ .tail = 1 }, "five\n|");
        expect(dir, (struct log_query){ .tail = 2 }, "four\n|five\n|");
        expect(dir, (struct log_query){ .tail = 3 }, "three\n|four\n|five\n|");
        expect(dir, (struct log_query){ .tail = 4 }, "two\n|three\n|four\n|five\n|");
        expect(dir, (struct log_query){ .tail = 5 }, "one\n|two\n|three\n|four\n|five\n|");
        expect(dir, (struct log_query){ .tail = 100 }, "one\n|two\n|three\n|four\n|five\n|");
}

static void test_times(void **state)
{
        int dir = ((struct scratch *)*state)->fd;
        struct log_query q = { .tail = -1 };

        for (int i = 0; i < 5; i++)
                say(dir, "log", (const char *[]){ "a", "b", "c", "d", "e" }[i], i);
        q.since = midnight + 2500000000;
        expect(dir, q, "c\n|d\n|e\n|");
        q.until = midnight + 3500000000;
        expect(dir, q, "c\n|d\n|");
}

static void gzip(int dir, const char *name, const char *to)
{
        auto_str text = NULL;
        struct cor_err err = { 0 };
        size_t n;
        int fd = openat(dir, to, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        gzFile out = gzdopen(fd, "wb");

        assert_int_equal(cor_own_read(dir, name, 1 << 20, &text, &n, &err), 0);
        assert_int_equal(gzwrite(out, text, (unsigned)n), n);
        assert_int_equal(gzclose(out), Z_OK);
        unlinkat(dir, name, 0);
}

/* What the driver does when a file is full: log becomes log.1, that becomes log.2. */
static void rotate(int dir, bool pack)
{
        renameat(dir, "log.1.gz", dir, "log.2.gz");
        renameat(dir, "log.1", dir, "log.2");
        assert_int_equal(renameat(dir, "log", dir, "log.1"), 0);
        if (pack)
                gzip(dir, "log.1", "log.1.gz");
}

static void test_rotated(void **state)
{
        int dir = ((struct scratch *)*state)->fd;
        struct log_query q = { .tail = -1 };

        say(dir, "log", "one", 1);
        rotate(dir, true);
        say(dir, "log", "two", 2);
        expect(dir, q, "one\n|two\n|");
        q.tail = 1;
        expect(dir, q, "two\n|");
        q.tail = 2;
        expect(dir, q, "one\n|two\n|");
}

static void test_follow(void **state)
{
        int dir = ((struct scratch *)*state)->fd;

        say(dir, "log", "one", 1);
        auto_log_reader r = open_log(dir, (struct log_query){ .tail = -1 });
        auto_str a = read_all(r);
        auto_str b = read_all(r);

        assert_string_equal(a, "one\n|");
        assert_string_equal(b, "");
        say(dir, "log", "two", 2);
        rotate(dir, false);
        say(dir, "log", "three", 3);
        rotate(dir, false); /* twice before anybody looks */
        say(dir, "log", "four", 4);
        auto_str c = read_all(r);
        auto_str d = read_all(r);

        assert_string_equal(c, "two\n|three\n|four\n|");
        assert_string_equal(d, "");
        rotate(dir, false); /* the new file is not there yet */
        auto_str e = read_all(r);

        assert_string_equal(e, "");
        say(dir, "log", "five", 5);
        auto_str f = read_all(r);

        assert_string_equal(f, "five\n|");
}

static void test_none(void **state)
{
        const struct log_query q = { .tail = -1 };
        struct log_reader *r;
        struct cor_err err = { 0 };

        assert_int_equal(log_reader_open(((struct scratch *)*state)->fd, "log", LOG_FORMAT_JSON, &q, &r, &err), -1);
        assert_int_equal(err.kind, COR_NOT_FOUND);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_lines, scratch_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(test_damaged, scratch_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(test_tail, scratch_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(test_times, scratch_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(test_rotated, scratch_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(test_follow, scratch_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(test_none, scratch_setup, scratch_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
