/* Options of log drivers: what is taken, and the words for what is not, which are docker's. */
#include "monitor/log_settings.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "monitor/log_attrs.h"
#include "monitor/log_tag.h"

#include <cmocka.h>

/* Up to three words, KEY=VALUE each; NULL or the error's text. */
static const char *read_options(const char *type, const char *const words[3], struct log_settings *ret)
{
        static struct cor_err err;
        struct cor_pair pairs[3];
        auto_strv keys = { 0 };
        size_t n = 0;

        err = (struct cor_err){ 0 };
        for (; n < 3 && words[n]; n++) {
                size_t len = strcspn(words[n], "=");

                cor_strv_take(&keys, cor_strndup(words[n], len));
                pairs[n] = (struct cor_pair){ keys.items[n], words[n] + len + 1 };
        }
        return log_settings_read(type, pairs, n, ret, &err) < 0 ? err.msg : NULL;
}

static void what_is_wrong_has_dockers_words(void **state)
{
        static const struct {
                const char *type, *words[3], *error;
        } cases[] = {
                { "nosuch", { NULL }, "logger: no log driver named 'nosuch' is registered" },
                { "json-file", { "a=b" }, "unknown log opt 'a' for json-file log driver" },
                { "", { "syslog-address=" }, "unknown log opt 'syslog-address' for json-file log driver" },
                { "local", { "a=b" }, "unknown log opt 'a' for log driver local" },
                { "journald", { "max-size=1m" }, "unknown log opt 'max-size' for journald log driver" },
                { "syslog", { "max-size=1m" }, "unknown log opt 'max-size' for syslog log driver" },
                { "syslog", { "syslog-facility=x" }, "invalid syslog facility" },
                { "syslog", { "syslog-facility=24" }, "invalid syslog facility" },
                { "syslog", { "syslog-format=x" }, "Invalid syslog format" },
                { "syslog", { "syslog-address=ftp://x" }, "unsupported scheme: 'ftp'" },
                { "syslog", { "syslog-address=127.0.0.1:1" }, "unsupported scheme: ''" },
                { "syslog", { "syslog-address=udp://a:1:2" }, "address a:1:2: too many colons in address" },
                { "json-file", { "mode=x" }, "logger: logging mode not supported: x" },
                { "local",
                  { "max-buffer-size=1m" },
                  "logger: max-buffer-size option is only supported with 'mode=non-blocking'" },
                { "local", { "max-file=1" }, "compression cannot be enabled when max file count is 1" },
                { "json-file",
                  { "compress=true", "max-size=1m" },
                  "compress cannot be true when max-file is less than 2 or max-size is not set" },
                { "syslog", { "cache-disabled=x" }, "invalid value for option cache-disabled: x" },
                { "json-file",
                  { "labels-regex=a(" },
                  "log opt labels-regex: 'a(': not a regular expression that is understood" },
        };

        for (size_t i = 0; i < COR_COUNT(cases); i++) {
                auto_log_settings s = { 0 };
                const char *error = read_options(cases[i].type, cases[i].words, &s);

                assert_non_null(error);
                assert_string_equal(error, cases[i].error);
        }
}

static void each_driver_has_its_own_defaults(void **state)
{
        static const char *const nothing[3], *const size[3] = { "max-size=1m" },
                                                    *const gigabytes[3] = { "max-size=2GB" };
        auto_log_settings json = { 0 }, limited = { 0 }, large = { 0 }, local = { 0 }, syslog = { 0 }, journald = { 0 };

        assert_null(read_options(NULL, nothing, &json));
        assert_int_equal(json.file.max_file, 5);
        assert_false(json.file.compress);
        assert_null(read_options("json-file", size, &limited));
        assert_int_equal(limited.file.max_file, 1);
        assert_int_equal(limited.file.max_size, 1000000);
        assert_null(read_options("json-file", gigabytes, &large));
        assert_int_equal(large.file.max_size, 2000000000);
        assert_null(read_options("local", nothing, &local));
        assert_true(local.file.compress);
        assert_false(local.cached);
        assert_null(read_options("syslog", nothing, &syslog));
        assert_true(syslog.cached);
        assert_int_equal(syslog.facility, 3);
        assert_null(read_options("journald", nothing, &journald));
        assert_false(journald.cached);
}

static void addresses_have_a_host_and_a_port(void **state)
{
        static const struct {
                const char *text, *host, *port;
        } cases[] = {
                { "udp://log.example", "log.example", "514" },
                { "tcp://10.0.0.1:601", "10.0.0.1", "601" },
                { "tcp://[::1]:601", "::1", "601" },
                { "udp://[fe80::1]", "fe80::1", "514" },
                { "udp://a:7/path", "a", "7" },
        };

        for (size_t i = 0; i < COR_COUNT(cases); i++) {
                struct syslog_address a = { 0 };
                struct cor_err err = { 0 };

                assert_int_equal(syslog_address_parse(cases[i].text, &a, &err), 0);
                assert_string_equal(a.host, cases[i].host);
                assert_string_equal(a.port, cases[i].port);
                syslog_address_done(&a);
        }
}

static void heads_are_those_of_the_formats(void **state)
{
        static const struct {
                enum syslog_format format;
                const char *text;
        } cases[] = {
                { SYSLOG_UNIX_FORMAT, "<30>Feb 29 12:00:00 tag[7]: " },
                { SYSLOG_RFC3164, "<30>Feb 29 12:00:00 host tag[7]: " },
                { SYSLOG_RFC5424, "<30>1 2024-02-29T12:00:00Z host tag 7 tag - " },
                { SYSLOG_RFC5424_MICRO, "<30>1 2024-02-29T12:00:00.120000Z host tag 7 tag - " },
        };

        setenv("TZ", "UTC", 1);
        for (size_t i = 0; i < COR_COUNT(cases); i++) {
                const struct syslog_head h = { .format = cases[i].format,
                                               .facility = 3,
                                               .severity = 6,
                                               .hostname = "host",
                                               .tag = "tag",
                                               .pid = 7,
                                               .time = { 1709208000, 120000000 } };
                auto_text t = COR_TEXT_INIT;

                syslog_add_head(&h, &t);
                assert_string_equal(t.s, cases[i].text);
        }
}

static void a_tag_ends_no_message(void **state)
{
        char tag[] = "a\nb\x7f\rc d\xc3\xa9";

        syslog_clean_tag(tag);
        assert_string_equal(tag, "a_b__c d\xc3\xa9");
}

static void attributes_come_by_name_and_by_pattern(void **state)
{
        static char *labels[] = { (char *)"team=blue", (char *)"team.lead=me", (char *)"other=x", NULL };
        static char *env[] = { (char *)"V1=one", (char *)"V22=two", (char *)"PATH=/bin", (char *)"odd", NULL };
        const struct cor_strv label_list = { labels, 3 }, env_list = { env, 4 };
        const struct log_options o = { .labels = &label_list,
                                       .env = &env_list,
                                       .id = "0123",
                                       .name = "n",
                                       .image = "i",
                                       .image_id = "sha256:ab" };
        static const char *const words[3] = { "labels-regex=^team(?:\\.|$)", "env-regex=(?i)^v\\d$",
                                              "tag={{ .Name }}-{{.ImageID}}" };
        auto_log_settings s = { 0 };
        auto_log_attrs a = { 0 };
        struct cor_err err = { 0 };

        assert_null(read_options("json-file", words, &s));
        assert_int_equal(log_attrs_make(&o, &s, true, &a, &err), 0);
        assert_int_equal(a.n_items, 4);
        assert_string_equal(a.items[0].key, "V1");
        assert_string_equal(a.items[1].key, "tag");
        assert_string_equal(a.items[1].value, "n-ab");
        assert_string_equal(a.items[2].key, "team");
        assert_string_equal(a.items[3].value, "me");
}

static void patterns_that_would_eat_all_memory_are_refused(void **state)
{
        struct cor_err err = { 0 };

        assert_int_equal(log_pattern_check("env-regex", "((a{100}){100}){100}", &err), -1);
        assert_int_equal(log_pattern_check("env-regex", "(?P<x>a)", &err), -1);
        assert_int_equal(log_pattern_check("env-regex", "\\pL", &err), -1);
        assert_int_equal(log_pattern_check("env-regex", "^[a\\d]{1,10}\\.x$", &err), 0);
}

static void tags_take_dockers_words(void **state)
{
        static char *labels[] = { (char *)"a b=Blue", NULL };
        const struct cor_strv list = { labels, 1 };
        const struct log_names n = { .id = "0123456789abcdef",
                                     .name = "Web",
                                     .image = "reg/img:1",
                                     .image_id = "sha256:fedcba9876543210",
                                     .labels = &list };
        static const struct {
                const char *tag, *text;
        } cases[] = {
                { "plain", "plain" },
                { "{{.ImageName}}/{{.Name}}/{{.ID}}", "reg/img:1/Web/0123456789ab" },
                { "x{{ .FullID }}y", "x0123456789abcdefy" },
                { "{{.Name | lower}}{{.Name|upper}}", "webWEB" },
                { "{{index .ContainerLabels \"a b\"}}.{{index .ContainerLabels \"none\"}}", "Blue." },
                { "{{.ContainerName}} {{.ImageID}} {{.ImageFullID}}", "/Web fedcba987654 sha256:fedcba9876543210" },
                { "{{.Nosuch}}", NULL },
                { "{{.Name", NULL },
                { "{{}}", NULL },
                { "{{.Name .ID}}", NULL },
                { "{{.Name |}}", NULL },
                { "{{.Name | nosuch}}", NULL },
                { "{{index .ContainerLabels}}", NULL },
                { "{{index .ContainerLabels \"a}}", NULL },
        };

        for (size_t i = 0; i < COR_COUNT(cases); i++) {
                auto_str text = NULL;
                struct cor_err err = { 0 };
                int r = log_tag(cases[i].tag, &n, &text, &err);

                assert_int_equal(r, cases[i].text ? 0 : -1);
                if (r == 0)
                        assert_string_equal(text, cases[i].text);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_wrong_has_dockers_words),
                cmocka_unit_test(each_driver_has_its_own_defaults),
                cmocka_unit_test(addresses_have_a_host_and_a_port),
                cmocka_unit_test(heads_are_those_of_the_formats),
                cmocka_unit_test(a_tag_ends_no_message),
                cmocka_unit_test(attributes_come_by_name_and_by_pattern),
                cmocka_unit_test(tags_take_dockers_words),
                cmocka_unit_test(patterns_that_would_eat_all_memory_are_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
