#include "monitor/log.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

#include <cmocka.h>

static char folder[64];
static const struct timespec noon = { .tv_sec = 1709208000, .tv_nsec = 120000000 };
static const struct cor_strv nothing;

static int make(void **state)
{
        snprintf(folder, sizeof folder, "/tmp/coracle-unit-log-XXXXXX");
        return mkdtemp(folder) ? 0 : -1;
}

static int clean(void **state)
{
        char path[128];

        snprintf(path, sizeof path, "%s/c-json.log", folder);
        (void)unlink(path);
        return rmdir(folder);
}

static struct log *open_log(const char *type)
{
        const struct log_options o = {
                .type = type, .options = &nothing, .folder = folder, .id = "c", .labels = &nothing, .env = &nothing
        };
        struct cor_err err = { 0 };
        struct log *l = NULL;

        return log_open(&o, &l, &err) == 0 ? l : NULL;
}

static char *content(void)
{
        char path[128], *text = NULL;
        struct cor_err err = { 0 };
        size_t n;

        snprintf(path, sizeof path, "%s/c-json.log", folder);
        assert_int_equal(cor_read_file(path, 1 << 20, &text, &n, &err), 0);
        return text;
}

static void lines_are_messages_whatever_pieces_they_come_in(void **state)
{
        struct log *l = open_log("json-file");
        auto_str text = NULL;

        assert_non_null(l);
        log_write(l, LOG_STDOUT, "a", 1, &noon);
        log_write(l, LOG_STDERR, "err\n", 4, &noon);
        log_write(l, LOG_STDOUT, "b\n\nc", 4, &noon);
        log_close(l);
        text = content();
        assert_non_null(strstr(text, "{\"log\":\"err\\n\",\"stream\":\"stderr\",\"time\":\"2024-02-29T12:00:00.12Z\"}\n"
                                     "{\"log\":\"ab\\n\",\"stream\":\"stdout\",\"time\":\"2024-02-29T12:00:00.12Z\"}\n"
                                     "{\"log\":\"\\n\",\"stream\":\"stdout\",\"time\":\"2024-02-29T12:00:00.12Z\"}\n"
                                     "{\"log\":\"c\",\"stream\":\"stdout\",\"time\":\""));
}

static void long_lines_are_cut_and_odd_bytes_escaped(void **state)
{
        struct log *l = open_log("json-file");
        auto_str text = NULL;
        static char line[LOG_LINE_MAX + 3];
        char *second;

        memset(line, 'x', sizeof line);
        memcpy(line + LOG_LINE_MAX, "\x01\xff\n", 3);
        log_write(l, LOG_STDOUT, line, sizeof line, &noon);
        log_write(l, LOG_STDOUT, "a\0b\n", 4, &noon);
        log_close(l);
        text = content();
        second = strchr(text, '\n') + 1;
        assert_int_equal(second - text, LOG_LINE_MAX + (ptrdiff_t)strlen("{\"log\":\"\",\"stream\":\"stdout\","
                                                                         "\"time\":\"2024-02-29T12:00:00.12Z\"}\n"));
        assert_ptr_equal(strstr(second, "{\"log\":\"\\u0001\xef\xbf\xbd\\n\","), second);
        assert_non_null(strstr(second, "{\"log\":\"a\\u0000b\\n\",\"stream\":\"stdout\""));
}

static void drivers_that_are_not_there_are_refused(void **state)
{
        assert_null(open_log("nonsense"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(lines_are_messages_whatever_pieces_they_come_in, make, clean),
                cmocka_unit_test_setup_teardown(long_lines_are_cut_and_odd_bytes_escaped, make, clean),
                cmocka_unit_test(drivers_that_are_not_there_are_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
