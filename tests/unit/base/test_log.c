#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "scratch.h"

static int back_to_stderr(void **state)
{
        assert_int_equal(cor_log_open(NULL, COR_LOG_TEXT, COR_LOG_WARN, NULL), 0);
        return scratch_teardown(state);
}

static void log_to(struct scratch *s, enum cor_log_format format, enum cor_log_level level)
{
        auto_str path = cor_printf("%s/log", s->path);
        struct cor_err err = { 0 };

        if (cor_log_open(path, format, level, &err) < 0)
                fail_msg("%s", err.msg);
}

/* The part of @line between @before and @after must be a time near now: 2026-01-02T15:04:05Z. */
static void assert_time(const char *text, time_t earliest)
{
        struct tm tm = { 0 };
        const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);

        assert_ptr_equal(end, text + 20);
        assert_true(timegm(&tm) >= earliest && timegm(&tm) <= time(NULL));
}

static void json_lines_have_three_keys(void **state)
{
        struct scratch *s = *state;
        time_t start = time(NULL);
        auto_str text = NULL;
        auto_str expected = NULL;
        json_t *line;

        log_to(s, COR_LOG_JSON, COR_LOG_WARN);
        cor_error("bad \"%s\"\n\x01\xff", "name");
        text = scratch_text(s, "log");
        line = json_loads(text, 0, NULL);
        assert_non_null(line);
        assert_time(json_string_value(json_object_get(line, "time")), start);
        expected =
                cor_printf("{\"level\":\"error\",\"msg\":\"bad \\\"name\\\"\\n\\u0001\xef\xbf\xbd\",\"time\":\"%s\"}\n",
                           json_string_value(json_object_get(line, "time")));
        assert_string_equal(text, expected);
        json_decref(line);
}

static void text_lines_in_a_file_are_quoted(void **state)
{
        struct scratch *s = *state;
        time_t start = time(NULL);
        auto_str text = NULL;

        log_to(s, COR_LOG_TEXT, COR_LOG_WARN);
        cor_warn("a \"b\" \\ c\nd\x1b[31m");
        text = scratch_text(s, "log");
        assert_memory_equal(text, "time=\"", 6);
        assert_time(text + 6, start);
        assert_string_equal(text + 26, "\" level=warning msg=\"a \\\"b\\\" \\\\ c\\nd\\x1b[31m\"\n");
}

static void levels_are_named_and_filtered(void **state)
{
        static const char *const names[] = { "error", "warning", "info", "debug" };
        struct scratch *s = *state;

        for (int level = COR_LOG_ERROR; level <= COR_LOG_DEBUG; level++) {
                auto_str text = NULL;
                int lines = 0;

                log_to(s, COR_LOG_JSON, (enum cor_log_level)level);
                scratch_file(s, "log", ""); /* emptied: what is appended comes first again */
                for (int at = COR_LOG_ERROR; at <= COR_LOG_DEBUG; at++) {
                        assert_int_equal(cor_log_enabled((enum cor_log_level)at), at <= level);
                        cor_log((enum cor_log_level)at, "message");
                }
                text = scratch_text(s, "log");
                for (char *cursor = text, *line; (line = cor_split_next(&cursor, '\n')) && *line; lines++) {
                        auto_str start = cor_printf("{\"level\":\"%s\",\"msg\":\"message\"", names[lines]);

                        assert_true(cor_starts_with(line, start));
                }
                assert_int_equal(lines, level + 1);
        }
}

static void a_log_is_appended_to_and_private_to_us(void **state)
{
        struct scratch *s = *state;
        auto_str text = NULL;
        struct stat st;

        log_to(s, COR_LOG_TEXT, COR_LOG_WARN);
        assert_int_equal(fstatat(s->fd, "log", &st, 0), 0);
        assert_int_equal(st.st_mode & 0777, 0644);
        assert_true(fcntl(cor_log_fd(), F_GETFD) & FD_CLOEXEC);
        assert_true(fcntl(cor_log_fd(), F_GETFL) & O_APPEND);
        assert_false(cor_log_to_stderr());
        scratch_file(s, "log", "first\n");
        cor_error("second");
        text = scratch_text(s, "log");
        assert_true(cor_starts_with(text, "first\ntime="));
}

static void reopening_closes_the_former_log(void **state)
{
        struct scratch *s = *state;
        int first, second;

        log_to(s, COR_LOG_TEXT, COR_LOG_WARN);
        first = cor_log_fd();
        log_to(s, COR_LOG_TEXT, COR_LOG_WARN);
        second = cor_log_fd();
        assert_true(first != second);
        assert_int_equal(fcntl(first, F_GETFD), -1);
        assert_int_equal(cor_log_open(NULL, COR_LOG_TEXT, COR_LOG_WARN, NULL), 0);
        assert_int_equal(fcntl(second, F_GETFD), -1);
        assert_true(cor_log_to_stderr());
        assert_int_equal(cor_log_fd(), 2);
}

static void a_descriptor_can_be_the_log(void **state)
{
        struct scratch *s = *state;
        int fd = openat(s->fd, "log", O_WRONLY | O_CREAT | O_APPEND, 0644);
        auto_str name = cor_printf("fd:%d", fd);
        struct cor_err err = { 0 };
        auto_str text = NULL;

        assert_int_equal(cor_log_open(name, COR_LOG_TEXT, COR_LOG_WARN, &err), 0);
        assert_int_equal(cor_log_fd(), fd);
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        cor_error("here");
        text = scratch_text(s, "log");
        assert_true(cor_ends_with(text, "level=error msg=\"here\"\n"));
}

static void a_bad_log_is_refused_and_the_old_one_stays(void **state)
{
        static const char *const bad[] = { "/nonexistent/dir/log", "fd:",        "fd:x", "fd:-1", "fd:99999999999",
                                           "fd:4294967295",        "fd:1000000", "/",    "" };
        struct scratch *s = *state;
        int before;

        log_to(s, COR_LOG_TEXT, COR_LOG_WARN);
        before = cor_log_fd();
        for (size_t i = 0; i < COR_COUNT(bad); i++) {
                struct cor_err err = { 0 };

                assert_int_equal(cor_log_open(bad[i], COR_LOG_JSON, COR_LOG_DEBUG, &err), -1);
                assert_true(err.msg[0]);
                assert_int_equal(cor_log_fd(), before);
                assert_false(cor_log_enabled(COR_LOG_DEBUG));
        }
}

static void check_stderr(enum cor_log_level level, const char *message, const char *expected)
{
        char buf[256];
        int ends[2], saved = dup(2);
        ssize_t n;

        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        dup2(ends[1], 2);
        cor_log(level, "%s", message);
        dup2(saved, 2);
        close(saved);
        close(ends[1]);
        n = read(ends[0], buf, sizeof buf - 1);
        close(ends[0]);
        assert_true(n >= 0);
        buf[n] = '\0';
        assert_string_equal(buf, expected);
}

static void stderr_gets_plain_lines(void **state)
{
        check_stderr(COR_LOG_ERROR, "no such container", "test_base_log: no such container\n");
        check_stderr(COR_LOG_WARN, "careful", "test_base_log: warning: careful\n");
        check_stderr(COR_LOG_INFO, "hidden", "");
        check_stderr(COR_LOG_ERROR, "tab\there \"quoted\" \xc3\xa9", "test_base_log: tab\there \"quoted\" \xc3\xa9\n");
        check_stderr(COR_LOG_ERROR, "\x1b]0;title\x07\r", "test_base_log: \\x1b]0;title\\x07\\x0d\n");
}

static void logging_keeps_errno(void **state)
{
        errno = EXDEV;
        check_stderr(COR_LOG_DEBUG, "x", "");
        errno = EXDEV;
        cor_log(COR_LOG_DEBUG, "x");
        assert_int_equal(errno, EXDEV);
        {
                auto_fd saved = dup(2);

                close(2);
                errno = EXDEV;
                cor_error("nobody hears this");
                assert_int_equal(errno, EXDEV);
                dup2(saved, 2);
        }
}

static void lines_of_several_processes_do_not_mix(void **state)
{
        struct scratch *s = *state;
        auto_str path = cor_printf("%s/log", s->path);
        auto_str text = NULL;
        int lines = 0;
        size_t n;

        log_to(s, COR_LOG_JSON, COR_LOG_WARN);
        for (int child = 0; child < 4; child++) {
                pid_t pid = fork();

                assert_true(pid >= 0);
                if (pid == 0) {
                        for (int i = 0; i < 100; i++)
                                cor_error("%0400d", child);
                        _exit(0);
                }
        }
        while (wait(NULL) > 0)
                ;
        {
                auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);

                text = calloc(1, 400 * 600);
                assert_true(cor_read_full(fd, text, 400 * 600, NULL) > 0);
        }
        n = strlen(text);
        assert_true(n > 0 && text[n - 1] == '\n');
        for (char *cursor = text, *line; (line = cor_split_next(&cursor, '\n')) && *line; lines++) {
                json_t *value = json_loads(line, 0, NULL);

                assert_non_null(value);
                json_decref(value);
        }
        assert_int_equal(lines, 400);
}

#define log_test(f) cmocka_unit_test_setup_teardown(f, scratch_setup, back_to_stderr)

int main(void)
{
        const struct CMUnitTest tests[] = {
                log_test(json_lines_have_three_keys),
                log_test(text_lines_in_a_file_are_quoted),
                log_test(levels_are_named_and_filtered),
                log_test(a_log_is_appended_to_and_private_to_us),
                log_test(reopening_closes_the_former_log),
                log_test(a_descriptor_can_be_the_log),
                log_test(a_bad_log_is_refused_and_the_old_one_stays),
                cmocka_unit_test(stderr_gets_plain_lines),
                cmocka_unit_test(logging_keeps_errno),
                log_test(lines_of_several_processes_do_not_mix),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
