/* Forms that values of container flags have; what whole command lines make is compared with docker's client elsewhere.
 */
#include "cli/coracle/container_words.h"
#include "cli/value_doc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void expect_bytes(const char *s, int64_t expected)
{
        struct cor_err err = { 0 };
        int64_t n = -1;

        if (words_bytes(s, &n, &err) < 0)
                fail_msg("%s: %s", s, err.msg);
        assert_int_equal(n, expected);
}

static void sizes_are_powers_of_1024(void **state)
{
        static const char *const wrong[] = { "",    "k",     "-1",  "1x",   "1kk",   "1bb",
                                             "1 2", "0x10",  "nan", "inf",  "1e400", "99999999999999999999",
                                             "..",  "1.2.3", "k1k", "1kib " };
        int64_t n;

        expect_bytes("10", 10);
        expect_bytes("1k", 1024);
        expect_bytes("1.5 GiB", 1610612736);
        expect_bytes("1Mb", 1048576);
        expect_bytes("2b", 2);
        expect_bytes("1p", INT64_C(1) << 50);
        for (size_t i = 0; i < COR_COUNT(wrong); i++)
                if (words_bytes(wrong[i], &n, NULL) == 0)
                        fail_msg("%s was taken for %lld", wrong[i], (long long)n);
}

static void processors_are_exact(void **state)
{
        struct cor_err err = { 0 };
        int64_t n = -1;

        assert_int_equal(words_cpus("1.5", &n, &err), 0);
        assert_int_equal(n, 1500000000);
        assert_int_equal(words_cpus(".000000001", &n, &err), 0);
        assert_int_equal(n, 1);
        assert_int_equal(words_cpus("0001.10000000000", &n, &err), 0);
        assert_int_equal(n, 1100000000);
        assert_int_equal(words_cpus("1/4", &n, &err), 0);
        assert_int_equal(n, 250000000);
        assert_int_equal(words_cpus("1/3", &n, &err), -1);
        assert_string_equal(err.msg, "value is too precise");
        assert_int_equal(words_cpus("0.0000000001", &n, &err), -1);
        assert_int_equal(words_cpus("", &n, &err), -1);
        assert_int_equal(words_cpus("-1", &n, &err), -1);
        assert_int_equal(words_cpus("1/0", &n, &err), -1);
}

static void durations_are_those_of_go(void **state)
{
        struct cor_err err = { 0 };
        int64_t n = -1;

        assert_int_equal(words_duration("1h2m3.5s", &n, &err), 0);
        assert_int_equal(n, INT64_C(3723500000000));
        assert_int_equal(words_duration("-10ms", &n, &err), 0);
        assert_int_equal(n, -10000000);
        assert_int_equal(words_duration("0", &n, &err), 0);
        assert_int_equal(n, 0);
        assert_int_equal(words_duration("5", &n, &err), -1);
        assert_string_equal(err.msg, "time: missing unit in duration \"5\"");
        assert_int_equal(words_duration("5d", &n, &err), -1);
        assert_string_equal(err.msg, "time: unknown unit \"d\" in duration \"5d\"");
        assert_int_equal(words_duration("", &n, &err), -1);
        assert_int_equal(words_duration("99999999999h", &n, &err), -1);
}

static void numbers_know_their_bounds(void **state)
{
        struct cor_err err = { 0 };
        uint64_t u = 0;
        int64_t i = 0;

        assert_int_equal(words_i64("-0x10", "ParseInt", 64, &i, &err), 0);
        assert_int_equal(i, -16);
        assert_int_equal(words_i64("-9223372036854775808", "ParseInt", 64, &i, &err), 0);
        assert_true(i == INT64_MIN);
        assert_int_equal(words_i64("9223372036854775808", "ParseInt", 64, &i, &err), -1);
        assert_string_equal(err.msg, "strconv.ParseInt: parsing \"9223372036854775808\": value out of range");
        assert_int_equal(words_u64("65536", 0, 16, &u, &err), -1);
        assert_int_equal(words_u64("65535", 0, 16, &u, &err), 0);
        assert_int_equal(words_u64("09", 0, 16, &u, &err), -1);
        assert_string_equal(err.msg, "strconv.ParseUint: parsing \"09\": invalid syntax");
}

static void fields_are_parted_as_go_parts_them(void **state)
{
        auto_container_request r = container_request_new();
        struct cor_err err = { 0 };
        const char **items;
        size_t n;

        assert_int_equal(words_csv(r, "a,\"b,\"\"c\",,d", &items, &n, &err), 0);
        assert_int_equal(n, 4);
        assert_string_equal(items[1], "b,\"c");
        assert_string_equal(items[2], "");
        assert_null(items[4]);
        assert_int_equal(words_csv(r, "a\"", &items, &n, &err), -1);
        assert_int_equal(words_csv(r, "\"a", &items, &n, &err), -1);
        assert_int_equal(words_csv(r, "", &items, &n, &err), -1);
}

/* A flag without a value does not end the table's life early: all lists are NULL-terminated. */
static void lists_grow_and_end_with_null(void **state)
{
        auto_container_request r = container_request_new();
        const char **items = NULL;
        struct cor_pair *pairs = NULL;
        size_t n = 0, n_pairs = 0;

        for (int i = 0; i < 100; i++) {
                request_add(r, &items, &n, "x");
                assert_null(items[n]);
                request_set(r, &pairs, &n_pairs, request_printf(r, "%02d", (i * 37) % 100), "v");
        }
        assert_int_equal(n_pairs, 100);
        for (size_t i = 1; i < n_pairs; i++)
                assert_true(strcmp(pairs[i - 1].key, pairs[i].key) < 0);
        request_set(r, &pairs, &n_pairs, "07", "w");
        assert_int_equal(n_pairs, 100);
        assert_string_equal(pairs[7].value, "w");
}

/* The order is that of the table, names are Go's, and what is empty is left out of JSON as the table says. */
static void documents_are_values(void **state)
{
        struct docker_port_binding b = { .host_ip = "::", .host_port = "80" };
        struct docker_port_bindings ports = { .port = "80/tcp", .items = &b, .n_items = 1 };
        const struct docker_host_config h = { .nano_cpus = 5, .port_bindings = &ports, .n_port_bindings = 1 };
        auto_value_pool p = value_pool_new(SIZE_MAX);
        struct value *v = value_from_doc(p, &docker_host_config_doc, &h);
        auto_text ours = COR_TEXT_INIT, theirs = COR_TEXT_INIT;

        assert_int_equal(value_find(v, "NanoCPUs", 8)->integer, 5);
        assert_ptr_equal(value_find(v, "NanoCpus", 8), value_find(v, "NanoCPUs", 8));
        value_to_json(v, 0, &ours);
        cor_json_print(&docker_host_config_doc, &h, COR_JSON_COMPACT, &theirs);
        assert_string_equal(ours.s, theirs.s);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(sizes_are_powers_of_1024),
                cmocka_unit_test(processors_are_exact),
                cmocka_unit_test(durations_are_those_of_go),
                cmocka_unit_test(numbers_know_their_bounds),
                cmocka_unit_test(fields_are_parted_as_go_parts_them),
                cmocka_unit_test(lists_grow_and_end_with_null),
                cmocka_unit_test(documents_are_values),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
