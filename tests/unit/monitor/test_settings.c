#include "monitor/settings.h"
#include "store/container.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int read_documents(const char *config, const char *host, struct settings *ret, struct cor_err *err)
{
        struct container_row row = { .id = (char *)(uintptr_t) "0123" };

        row.config = (char *)(uintptr_t)config;
        row.host_config = (char *)(uintptr_t)host;
        return settings_read(&row, ret, err);
}

static void without_words_there_are_defaults(void **state)
{
        auto_settings s = { 0 };
        struct cor_err err = { 0 };

        assert_int_equal(read_documents("{}", "{}", &s, &err), 0);
        assert_int_equal(s.stop_signal, 0);
        assert_int_equal(s.stop_timeout_ms, 10000);
        assert_int_equal(s.restart.when, RESTART_NO);
        assert_string_equal(s.log_type, "json-file");
        assert_null(s.runtime);
        assert_int_equal(s.health.command.n_items, 0);
}

static void a_shell_check_has_the_shell_in_front(void **state)
{
        auto_settings s = { 0 }, own = { 0 };
        struct cor_err err = { 0 };

        assert_int_equal(read_documents("{\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"a b\"]}}", "{}", &s, &err), 0);
        assert_int_equal(s.health.command.n_items, 3);
        assert_string_equal(s.health.command.items[0], "/bin/sh");
        assert_string_equal(s.health.command.items[2], "a b");
        assert_int_equal(s.health.interval_ms, 30000);
        assert_int_equal(s.health.start_interval_ms, 5000);
        assert_int_equal(s.health.retries, 3);
        assert_int_equal(read_documents("{\"Shell\":[\"/bin/ash\",\"-e\",\"-c\"],\"Healthcheck\":{\"Test\":"
                                        "[\"CMD-SHELL\",\"x\"],\"Interval\":1,\"Retries\":-5}}",
                                        "{}", &own, &err),
                         0);
        assert_int_equal(own.health.command.n_items, 4);
        assert_string_equal(own.health.command.items[0], "/bin/ash");
        assert_int_equal(own.health.interval_ms, 1);
        assert_int_equal(own.health.retries, 3);
}

static void stop_words_are_read(void **state)
{
        auto_settings s = { 0 };
        struct cor_err err = { 0 };

        assert_int_equal(read_documents("{\"StopSignal\":\"SIGUSR1\",\"StopTimeout\":-1}",
                                        "{\"RestartPolicy\":{\"Name\":\"on-failure\",\"MaximumRetryCount\":4},"
                                        "\"Runtime\":\"/usr/bin/crun\",\"LogConfig\":{\"Type\":\"none\","
                                        "\"Config\":{\"a\":\"b\"}}}",
                                        &s, &err),
                         0);
        assert_int_equal(s.stop_signal, SIGUSR1);
        assert_int_equal(s.stop_timeout_ms, -1);
        assert_int_equal(s.restart.when, RESTART_ON_FAILURE);
        assert_int_equal(s.restart.max_retries, 4);
        assert_string_equal(s.runtime, "/usr/bin/crun");
        assert_string_equal(s.log_type, "none");
        assert_string_equal(s.log_options.items[0], "a=b");
}

static void what_is_not_understood_is_refused(void **state)
{
        static const struct {
                const char *config, *host, *says;
        } bad[] = {
                { "{\"StopSignal\":\"SIGNOTHING\"}", "{}", "StopSignal" },
                { "{\"Healthcheck\":{\"Test\":[\"RUN\"]}}", "{}", "Healthcheck.Test" },
                { "{}", "{\"RestartPolicy\":{\"Name\":\"sometimes\"}}", "sometimes" },
                { "{", "{}", "Config" },
                { "{}", "[]", "HostConfig" },
        };

        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                struct cor_err err = { 0 };
                auto_settings s = { 0 };

                assert_int_equal(read_documents(bad[i].config, bad[i].host, &s, &err), -1);
                assert_non_null(strstr(err.msg, bad[i].says));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(without_words_there_are_defaults),
                cmocka_unit_test(a_shell_check_has_the_shell_in_front),
                cmocka_unit_test(stop_words_are_read),
                cmocka_unit_test(what_is_not_understood_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
